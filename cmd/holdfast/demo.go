package main

import (
	"context"
	"errors"
	"fmt"
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

// The bounds of `demo`.
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
		Short: "Hold a flash sale that proves itself",
		Long: "Hold a flash sale: thousands of buyers at once race for a small stock at three locations. Most\n" +
			"winners confirm; some release, some are never heard of again and lose their units at the deadline\n" +
			"of 1 s, some pay after it, some send every request twice or three times. The buyers note what they\n" +
			"are told, and when all is over these books are compared with what the Store says, unit by unit.\n\n" +
			"It runs on an engine inside this process, or on a Redis that --redis-url names; there, under keys\n" +
			"of its own that it removes again. It reads neither a configuration file nor the environment, so\n" +
			"that it never storms a Redis by mistake. The same --seed makes the same buyers; who wins is\n" +
			"decided by the race.\n\n" +
			"Exit status: 0 nothing is off; 1 something is, and the last line says what; 2 it could not run.",
		Example: "  holdfast demo\n" +
			"  holdfast demo --buyers 50000 --units 1000 --seed 7\n" +
			"  holdfast demo --redis-url redis://127.0.0.1:6379 --format json",
		Args: noArgs,
	}
	o := demo.Options{}
	c.Flags().IntVar(&o.Buyers, "buyers", 20_000, "how many buyers")
	c.Flags().Int64Var(&o.Units, "units", 500, "units of the SKU that everybody wants; half as many of each other")
	c.Flags().Uint64Var(&o.Seed, "seed", 0, "what the buyers are drawn from (default a random one, which is printed)")
	c.Flags().DurationVar(&o.Duration, "duration", 8*time.Second, "when to close the doors: who has no units by then leaves")
	c.Flags().String(demoRedisFlag, "", "redis:// or rediss://, several hosts for Cluster (default the embedded engine)")
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
	endpoint, err := demoEndpoint(c)
	if err != nil {
		return err
	}
	o.Logger = m.logger()
	dial.LogTo(o.Logger)
	redis, err := dial.Open(endpoint)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, redis.Close()) }()
	if redis.Embedded {
		announceRedis(c.Context(), o.Logger, redis, endpoint)
	} else if err := answers(c.Context(), redis); err != nil {
		return fmt.Errorf("%s does not answer: %w", endpoint, err)
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

// runDemo runs the sale while it shows how it goes.
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

// columns is how wide a terminal is.
func columns(w io.Writer) int {
	if file, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

func answers(ctx context.Context, redis *dial.Redis) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return redis.Client.Ping(ctx).Err()
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
		return usage(c, "demo reads no configuration: name a Redis with --%s", demoRedisFlag)
	}
	return nil
}

// demoEndpoint is the Redis that the command line names, and nothing else.
func demoEndpoint(c *cobra.Command) (config.Endpoint, error) {
	settings, err := config.Load(c.Flags(), os.DevNull, nil)
	return settings.Redis.Endpoint, err
}
