package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/bench"
	"github.com/holdfast/holdfast/internal/dial"
)

var errBenchPostgres = errors.New("postgres.url is empty: set it to a database, such as " +
	"postgres://user:password@127.0.0.1:5432/holdfast; a schema of its own is made there, and removed")

func (m *Main) benchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure Holdfast beside what you would otherwise use",
		Long: "Measure Holdfast beside what you would otherwise use, in one run on the Redis and the Postgres of\n" +
			"the configuration: under keys that begin with " + bench.Prefix + " and in a schema of its own, which it\n" +
			"removes again. It keeps both busy: don't point it at a deployment that sells.\n\n" +
			"Contenders take turns, round by round; what is printed are medians and spreads. Accepted and refused\n" +
			"calls are counted apart. With --rate or --load, latency counts from when a call was due, also while callers\n" +
			"are still busy with earlier ones. A long round shows whether latency grows while it goes on.\n\n" +
			"Scenarios:\n" + list(bench.Scenarios) + "\nContenders:\n" + list(bench.Contenders()) + "\n" +
			"Exit status: 0 measured; 1 units were lost or sold twice, and a line says whose; 2 it could not run.",
		Example: "  export HOLDFAST_REDIS_URL=redis://127.0.0.1:6379\n" +
			"  export HOLDFAST_POSTGRES_URL=postgres://holdfast@127.0.0.1:5432/holdfast\n" +
			"  holdfast bench\n" +
			"  holdfast bench --scenario hot --scenario sold-out --callers 512 --rounds 7 --html bench.html\n" +
			"  holdfast bench --scenario hot --contender http --contender floor --load 50\n" +
			"  holdfast bench --scenario hot --contender library --rate 20000 --duration 60s --rounds 1 --html bench.html",
		Args: noArgs,
	}
	config.AddFlags(c.Flags())
	o := bench.Options{}
	c.Flags().StringSliceVar(&o.Scenarios, "scenario", bench.ScenarioKeys(), "what to play, of the list above")
	c.Flags().StringSliceVar(&o.Contenders, "contender", bench.ContenderKeys(), "who plays, of the list above")
	c.Flags().IntVar(&o.Callers, "callers", 64, "how many call at once")
	c.Flags().IntVar(&o.Connections, "connections", 8, "connections to Postgres, of the contenders that sell there")
	c.Flags().IntVar(&o.Rounds, "rounds", 3, "rounds of each contender in each scenario")
	c.Flags().DurationVar(&o.Duration, "duration", 2*time.Second, "for how long a round sends calls")
	c.Flags().Float64Var(&o.Rate, "rate", 0, "calls that are due a second (default 0: each caller calls again once it is answered)")
	c.Flags().Float64Var(&o.Load, "load", 0, "instead of --rate: percent of what each contender answers at most, which is measured first")
	c.Flags().Uint64Var(&o.Seed, "seed", 0, "what the orders and the turns are drawn from (default a random one, which is printed)")
	c.Flags().BoolVar(&o.Reconcile, "reconcile", false, "a reconciler writes to Postgres beside Holdfast in every scenario, not only confirm")
	levels := c.Flags().IntSlice("levels", []int{1000, 10_000}, "scale: levels, one number for each size")
	held := c.Flags().IntSlice("held", []int{0, 10_000}, "scale: reservations that are held, one number for each size")
	page := c.Flags().String("html", "", "file to write a page with plots to, which loads nothing")
	profile := c.Flags().String("cpu-profile", "", "file to write to where this process's time went, for go tool pprof")
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if len(*levels) != len(*held) {
			return usage(c, "--levels has %d numbers and --held has %d: give one of each for each size", len(*levels), len(*held))
		}
		for i := range *levels {
			o.Sizes = append(o.Sizes, bench.Size{Levels: (*levels)[i], Held: (*held)[i]})
		}
		return m.bench(c, o, benchFiles{*page, *profile}, *f)
	}
	return c
}

// list has a key and what it is on each line.
func list(keyed []bench.Keyed) string {
	var text strings.Builder
	for _, k := range keyed {
		fmt.Fprintf(&text, "  %-10s %s\n", k.Key, k.Title)
	}
	return text.String()
}

// benchFiles is what a bench writes beside what it prints; "" is nothing.
type benchFiles struct{ page, profile string }

func (m *Main) bench(c *cobra.Command, o bench.Options, files benchFiles, f format) (err error) {
	if err := o.Check(); err != nil {
		return usage(c, "%v", err)
	}
	settings, err := m.configuration(c)
	if err != nil {
		return err
	}
	if !c.Flags().Changed("seed") {
		o.Seed = uint64(rand.Uint32())
	}
	file, err := openPage(files.page)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	stop, err := profileTo(files.profile)
	if err != nil {
		return err
	}
	report, err := m.runBench(c.Context(), settings, o)
	err = errors.Join(err, stop())
	if err != nil {
		return err
	}
	if err := writePage(file, report); err != nil {
		return err
	}
	if err := m.print(f, report, report.WriteText); err != nil {
		return err
	}
	return report.Err()
}

// profileTo has the processor time of this process be noted in a file until stop.
func profileTo(name string) (stop func() error, err error) {
	if name == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}

// openPage opens the file of --html before anything is measured, and leaves what it has until then.
func openPage(name string) (*os.File, error) {
	if name == "" {
		name = os.DevNull
	}
	return os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o644)
}

func writePage(file *os.File, report *bench.Report) error {
	var page bytes.Buffer
	if err := report.WriteHTML(&page); err != nil {
		return err
	}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		if err := file.Truncate(0); err != nil {
			return err
		}
	}
	_, err := file.Write(page.Bytes())
	return err
}

// runBench measures while it shows how far it is.
func (m *Main) runBench(ctx context.Context, c config.Config, o bench.Options) (report *bench.Report, err error) {
	switch {
	case c.Redis.Endpoint.Embedded():
		return nil, errNoRedis
	case c.Postgres.URL == "":
		return nil, errBenchPostgres
	}
	o.Logger, o.Version, o.SoldOut = m.logger(), thisBuild().Version, c.SoldOutCache
	dial.LogTo(o.Logger)
	opened, err := dial.Open(c.Redis.Endpoint)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	client, ok := opened.Client.(*redis.Client)
	if !ok {
		return nil, errors.New("redis.url names a Cluster: what one Redis does is measured, so name one host")
	}
	if err := answers(ctx, opened); err != nil {
		return nil, fmt.Errorf("%s does not answer: %w", c.Redis.Endpoint, err)
	}
	bar := m.progress(0, "")
	defer func() { _ = bar.Finish() }()
	o.Watch = func(done, total int, what string) {
		bar.ChangeMax(total)
		bar.Describe(what)
		_ = bar.Set(done)
	}
	return bench.Run(ctx, client, string(c.Postgres.URL), o)
}
