package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/demo"
	"github.com/holdfast/holdfast/internal/dial"
)

// The limits of `demo`.
const (
	demoBuyersMax   = 1_000_000
	demoUnitsMax    = 1_000_000
	demoDurationMin = time.Second
	demoDurationMax = time.Hour
)

const demoRedisFlag = "redis-url"

func (m *Main) demoCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run a flash sale and verify every unit",
		Long: "Run a flash sale: thousands of buyers race for a small stock at three locations. Most winners\n" +
			"confirm. Some release, some vanish and lose their units at the deadline of 1 s, some pay after the\n" +
			"deadline, and some send every request two or three times. Each buyer records the answers. At the\n" +
			"end the demo compares these records with the stock, unit by unit.\n\n" +
			"The demo runs on an engine inside this process, or on the Redis of --redis-url. There it uses keys\n" +
			"of its own and removes them at the end. It reads no configuration file and no environment, so that\n" +
			"it never floods a Redis by mistake. The same --seed makes the same buyers; who wins depends on the\n" +
			"race.\n\n" +
			"Exit status: 0 all units are accounted for; 1 some are not, and the last line says which; 2 the\n" +
			"demo could not run.",
		Example: "  holdfast demo\n" +
			"  holdfast demo --buyers 50000 --units 1000 --seed 7\n" +
			"  holdfast demo --redis-url redis://127.0.0.1:6379 --format json",
		Args: noArgs,
	}
	o := demo.Options{}
	c.Flags().IntVar(&o.Buyers, "buyers", 20_000, "number of buyers")
	c.Flags().Int64Var(&o.Units, "units", 500, "units of the most wanted SKU; each other SKU has half as many")
	c.Flags().Uint64Var(&o.Seed, "seed", 0, "seed for the buyers (default a random one, which is printed)")
	c.Flags().DurationVar(&o.Duration, "duration", 8*time.Second, "when the sale ends; buyers without units leave then")
	c.Flags().String(demoRedisFlag, "", "`URL` of Redis, redis:// or rediss://; several hosts mean a Cluster (default the embedded engine)")
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return m.demo(c, o, *f) }
	return c
}

func (m *Main) demo(c *cobra.Command, o demo.Options, f format) (err error) {
	if err := checkDemo(c, o); err != nil {
		return err
	}
	if !c.Flags().Changed("seed") {
		o.Seed = uint64(rand.Uint32())
	}
	settings, err := config.Load(c.Flags(), os.DevNull, nil) // only --redis-url
	if err != nil {
		return err
	}
	endpoint := settings.Redis.Endpoint
	o.Logger = m.logger()
	redis, err := openAnswering(c.Context(), endpoint)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, redis.Close()) }()
	if redis.Embedded {
		logRedis(c.Context(), o.Logger, redis, endpoint)
	}
	report, err := m.runDemo(c.Context(), redis, o)
	if err != nil {
		return err
	}
	report.Engine = endpoint.String()
	if err := m.print(f, report, report.WriteText); err != nil {
		return err
	}
	return report.Err()
}

// runDemo runs the sale and shows its progress: one line on a terminal, else log lines.
func (m *Main) runDemo(ctx context.Context, redis *dial.Redis, o demo.Options) (*demo.Report, error) {
	if !isTerminal(m.Stderr) {
		o.Watch = demo.Lines(o.Logger)
		return demo.Run(ctx, redis.Client, o)
	}
	watch, end := demo.Line(m.Stderr, columns(m.Stderr))
	defer end()
	o.Watch = watch
	return demo.Run(ctx, redis.Client, o)
}

// columns returns the width of a terminal.
func columns(w io.Writer) int {
	if file, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

func checkDemo(c *cobra.Command, o demo.Options) error {
	switch {
	case o.Buyers < 1 || o.Buyers > demoBuyersMax:
		return usage(c, "--buyers is %d, must be from 1 to %d", o.Buyers, demoBuyersMax)
	case o.Units < 1 || o.Units > demoUnitsMax:
		return usage(c, "--units is %d, must be from 1 to %d", o.Units, demoUnitsMax)
	case o.Duration < demoDurationMin || o.Duration > demoDurationMax:
		return usage(c, "--duration is %s, must be from %s to %s", o.Duration, demoDurationMin, demoDurationMax)
	case c.Flags().Changed(configFlag):
		return usage(c, "demo reads no configuration file: name a Redis with --%s", demoRedisFlag)
	}
	return nil
}
