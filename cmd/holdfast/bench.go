package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/bench"
)

var errBenchPostgres = errors.New("postgres.url is empty: set it to a database, such as " +
	"postgres://user:password@127.0.0.1:5432/holdfast; the benchmark creates a schema there and removes it")

func (m *Main) benchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Compare the speed of Holdfast with the alternatives",
		Long: "Measure Holdfast and its alternatives in one run, on the Redis and the Postgres of the\n" +
			"configuration. The benchmark uses keys that begin with " + bench.Prefix + " and a schema of its own,\n" +
			"and removes both at the end. It keeps both servers busy: do not run it on a deployment that sells.\n\n" +
			"The contenders take turns, round by round, and the report prints medians and spreads. Accepted and\n" +
			"refused calls are counted apart. With --rate or --load, the latency of a call starts when the call\n" +
			"is due, even if all callers are still busy. A long round shows whether latency grows over time.\n\n" +
			"Scenarios:\n" + keyedList(bench.Scenarios) + "\nContenders:\n" + keyedList(bench.Contenders()) + "\n" +
			"Exit status: 0 measured; 1 a contender lost units or sold them twice, and a line says which; 2 the\n" +
			"benchmark could not run.",
		Example: "  export HOLDFAST_REDIS_URL=redis://127.0.0.1:6379\n" +
			"  export HOLDFAST_POSTGRES_URL=postgres://holdfast@127.0.0.1:5432/holdfast\n" +
			"  holdfast bench\n" +
			"  holdfast bench --scenario hot --scenario sold-out --callers 512 --rounds 7 --html bench.html\n" +
			"  holdfast bench --scenario hot --contender http --contender floor --load 50\n" +
			"  holdfast bench --scenario hot --contender library --rate 20000 --duration 60s --rounds 1 --html bench.html",
		Args: noArgs,
	}
	o := bench.Options{}
	c.Flags().StringSliceVar(&o.Scenarios, "scenario", bench.Keys(bench.Scenarios), "scenarios to run, from the list above")
	c.Flags().StringSliceVar(&o.Contenders, "contender", bench.Keys(bench.Contenders()), "contenders to measure, from the list above")
	c.Flags().IntVar(&o.Callers, "callers", 64, "number of concurrent callers")
	c.Flags().IntVar(&o.Connections, "connections", 8, "Postgres connections of the contenders that sell there")
	c.Flags().IntVar(&o.Rounds, "rounds", 3, "rounds per contender and scenario")
	c.Flags().DurationVar(&o.Duration, "duration", 2*time.Second, "length of a round")
	c.Flags().Float64Var(&o.Rate, "rate", 0, "calls due per second (default 0: each caller calls again when it is answered)")
	c.Flags().Float64Var(&o.Load, "load", 0, "percent of each contender's maximum rate, which is measured first; replaces --rate")
	c.Flags().Uint64Var(&o.Seed, "seed", 0, "seed for the orders and the turns (default a random one, which is printed)")
	c.Flags().BoolVar(&o.Reconcile, "reconcile", false, "run a reconciler beside Holdfast in every scenario, not only in confirm")
	levels := c.Flags().IntSlice("levels", []int{1000, 10_000}, "scenario scale: number of levels, one value per size")
	held := c.Flags().IntSlice("held", []int{0, 10_000}, "scenario scale: number of held reservations, one value per size")
	page := c.Flags().String("html", "", "`FILE` for a page with plots, which needs no other files")
	profile := c.Flags().String("cpu-profile", "", "`FILE` for a CPU profile of this process, for go tool pprof")
	f := addFormat(c)
	return m.configured(c, func(c *cobra.Command, _ []string, settings config.Config) error {
		if len(*levels) != len(*held) {
			return usage(c, "--levels has %d numbers and --held has %d: give one of each per size", len(*levels), len(*held))
		}
		for i := range *levels {
			o.Sizes = append(o.Sizes, bench.Size{Levels: (*levels)[i], Held: (*held)[i]})
		}
		if err := o.Check(); err != nil {
			return usage(c, "%v", err)
		}
		if !c.Flags().Changed("seed") {
			o.Seed = uint64(rand.Uint32())
		}
		report, err := m.bench(c.Context(), settings, o, *page, *profile)
		if err != nil {
			return err
		}
		if err := m.print(*f, report, report.WriteText); err != nil {
			return err
		}
		return report.Err()
	})
}

// keyedList formats one key and its title per line.
func keyedList(keyed []bench.Keyed) string {
	var text strings.Builder
	for _, k := range keyed {
		fmt.Fprintf(&text, "  %-10s %s\n", k.Key, k.Title)
	}
	return text.String()
}

// bench measures, and writes the page and the profile. It opens both files first. "" writes none.
func (m *Main) bench(ctx context.Context, c config.Config, o bench.Options, page, profile string) (*bench.Report, error) {
	var report *bench.Report
	err := writeWhole(cmp.Or(page, os.DevNull), 0o666, func(w io.Writer) error {
		stop, err := startProfile(profile)
		if err != nil {
			return err
		}
		report, err = m.runBench(ctx, c, o)
		if err := errors.Join(err, stop()); err != nil {
			return err
		}
		return report.WriteHTML(w)
	})
	return report, err
}

// startProfile writes a CPU profile of this process to a file until stop. "" writes none.
func startProfile(name string) (stop func() error, err error) {
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

// runBench measures and shows a progress bar.
func (m *Main) runBench(ctx context.Context, c config.Config, o bench.Options) (report *bench.Report, err error) {
	switch {
	case c.Redis.Endpoint.Embedded():
		return nil, errNoRedis
	case c.Redis.Endpoint.Cluster():
		return nil, errors.New("redis.url names a Cluster: name one host, because the benchmark measures one Redis")
	case c.Postgres.URL == "":
		return nil, errBenchPostgres
	}
	o.Logger, o.Version, o.SoldOut = m.logger(), thisBuild().Version, c.SoldOutCache
	ledger, err := openPostgres(c) // refuses a URL that the benchmark's own connections would quote
	if err != nil {
		return nil, err
	}
	ledger.Close()
	opened, err := openAnswering(ctx, c.Redis.Endpoint)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	bar := m.progress(0, "")
	defer func() { _ = bar.Finish() }()
	o.Watch = func(done, total int, what string) {
		bar.ChangeMax(total)
		bar.Describe(what)
		_ = bar.Set(done)
	}
	return bench.Run(ctx, opened.Client.(*redis.Client), string(c.Postgres.URL), o)
}
