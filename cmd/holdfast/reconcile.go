package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/setup"
)

func (m *Main) reconcileCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "reconcile",
		Short: "Keep Redis and the ledger in agreement",
		Example: "  holdfast reconcile run\n" +
			"  holdfast reconcile audit --repair\n" +
			"  holdfast reconcile plan --output plan.json\n" +
			"  holdfast reconcile rebuild",
	},
		m.reconcileRunCommand(),
		m.reconcileAuditCommand(),
		m.reconcilePlanCommand(),
		m.reconcileApplyCommand(),
		m.reconcileRebuildCommand(),
		m.reconcileRecoverCommand(),
		m.reconcilePruneCommand(),
	)
}

func (m *Main) reconcileRunCommand() *cobra.Command {
	return m.configured(&cobra.Command{
		Use:   "run",
		Short: "Apply the event stream to the ledger until stopped",
		Long: "Apply the event stream to the ledger, undo what the ledger refuses, expire overdue reservations, and\n" +
			"rebuild a Redis that lost data. `holdfast serve` does the same. If several processes run, one of\n" +
			"them works, and another takes over within seconds if it dies. SIGINT or SIGTERM stops the command.",
		Example: "  holdfast reconcile run --redis-url redis://10.0.0.4:6379 --postgres-url postgres://holdfast@10.0.0.5/holdfast",
		Args:    noArgs,
	}, func(c *cobra.Command, _ []string, settings config.Config) error {
		return m.reconcileRun(c.Context(), settings)
	})
}

func (m *Main) reconcileRun(ctx context.Context, c config.Config) (err error) {
	logger := m.logger()
	b, err := openChecked(ctx, c, logger)
	if err != nil {
		return err
	}
	defer b.closeInto(&err)
	if err := refuseOther(ctx, c, b.redis, b.postgres); err != nil {
		return err
	}
	store, err := cache.New(b.redis.Client, cache.Options{Prefix: c.Redis.Prefix, Ledger: b.postgres, Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore(ctx, store)) }()
	parts, running := errgroup.WithContext(ctx)
	parts.Go(func() error { return newReconciler(c, b.redis, b.postgres, logger).Run(running) })
	parts.Go(func() error { return (&reconcile.Sweeper{Store: store, Logger: logger}).Run(running) })
	err = parts.Wait()
	logger.Info("stopped")
	return err
}

// withAuditor calls run with an auditor and a progress bar, then show, which run returns. A
// reconciler runs in this process meanwhile, so that the audit does not depend on another process.
// show also runs if the repair would be too large, because the findings explain that.
func (m *Main) withAuditor(
	ctx context.Context, c config.Config, run func(*audit.Auditor) (show func() error, err error),
) (err error) {
	logger := slog.New(warnings{m.logger().Handler()})
	b, err := openChecked(ctx, c, logger)
	if err != nil {
		return err
	}
	defer b.closeInto(&err)
	if _, err := b.postgres.Epoch(ctx); err != nil {
		return fmt.Errorf("the ledger does not answer: %w", err)
	}
	if err := awaitTogether(ctx, c, b); err != nil {
		return err
	}
	var show func() error
	failure := reconcileDuring(ctx, newReconciler(c, b.redis, b.postgres, logger), func() (err error) {
		progress, end := m.counter("comparing")
		defer end()
		show, err = run(&audit.Auditor{
			Client: b.redis.Client, Ledger: b.postgres, Prefix: c.Redis.Prefix, Progress: progress,
		})
		return err
	})
	if failure != nil && !errors.Is(failure, audit.ErrTooMuch) {
		return failure
	}
	if err := show(); err != nil && (failure == nil || !errors.Is(err, errDrift)) {
		return err
	}
	return failure
}

// togetherTries is how often an audit asks, 200 ms apart, until Redis answers and is not being rebuilt.
const togetherTries = 50

// awaitTogether refuses a Redis that is not the ledger's, because the reconciler of an audit would
// rebuild it. It waits a while for what may pass.
func awaitTogether(ctx context.Context, c config.Config, b *backends) (err error) {
	for range togetherTries {
		err = reconcile.CheckTogether(ctx, b.redis.Client, c.Redis.Prefix, b.postgres)
		if f, denied := setup.Denied(c.Redis.Endpoint.String(), err); denied {
			return fmt.Errorf("nothing was done: %s: %s", f.Seen, f.Do)
		}
		if !errors.Is(err, cache.ErrRebuilding) && !errors.Is(err, cache.ErrUnavailable) {
			break
		}
		if err := shard.Pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("nothing was done: %w: run `holdfast doctor`, which says what to do", err)
	}
	return nil
}

// warnings is a log handler that drops everything below a warning.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// maxChange limits a repair: "1000" units, or "1000,2" for at most 2 percent of all on hand too,
// which does not count for a repair of audit.SmallChange units or fewer.
type maxChange struct {
	units   int64
	percent float64
}

func (c *maxChange) String() string {
	if c.percent > 0 {
		return fmt.Sprintf("%d,%s", c.units, strconv.FormatFloat(c.percent, 'f', -1, 64))
	}
	return strconv.FormatInt(c.units, 10)
}

// Type returns the name of the value in --help.
func (c *maxChange) Type() string { return "UNITS[,PERCENT]" }

// Set reads the flag.
func (c *maxChange) Set(text string) error {
	units, share, shared := strings.Cut(text, ",")
	n, err := strconv.ParseInt(units, 10, 64)
	if err != nil || n < 1 {
		return errors.New("must be a number of units, optionally with a comma and a percentage: 1000 or 1000,2")
	}
	c.units, c.percent = n, 0
	if !shared {
		return nil
	}
	c.percent, err = strconv.ParseFloat(strings.TrimSuffix(share, "%"), 64)
	if err != nil || c.percent <= 0 || c.percent > 100 {
		return errors.New("must have a percentage above 0 and at most 100, such as 1000,2")
	}
	return nil
}

// addMaxChange adds --max-change to c.
func addMaxChange(c *cobra.Command) *maxChange {
	most := &maxChange{units: audit.MaxUnitsDefault}
	c.Flags().Var(most, "max-change", fmt.Sprintf("most units that all repairs together may change; PERCENT is the most\n"+
		"in percent of the units on hand, and does not count for %d units or fewer", audit.SmallChange))
	return most
}

// rebuildFlags are the flags of `reconcile rebuild`.
type rebuildFlags struct {
	acceptOlder bool
	acceptOther bool
	file        string // for what is given up; "" means a default name
	withoutFile bool
}

func (m *Main) reconcileRebuildCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "rebuild",
		Short: "Rebuild Redis from the ledger",
		Long: "Rebuild Redis from the ledger. A Redis that lost data is rebuilt without this command.\n\n" +
			"Meanwhile reserve and confirm answer 503 `rebuilding`: under a second for a small stock. Holds in\n" +
			"the ledger stay.\n\n" +
			"If the ledger is older than Redis, for example after a restored backup, the gate stays closed. Look\n" +
			"for a newer ledger first. --accept-older-ledger gives up all data that the ledger lacks, even sales\n" +
			"that were confirmed to customers. Before anything is dropped, the command writes each reservation\n" +
			"that Redis has and the ledger lacks to a file, for `holdfast reconcile recover`. If it cannot write\n" +
			"the file, it drops nothing.",
		Example: "  holdfast reconcile rebuild\n" +
			"  holdfast reconcile rebuild --accept-older-ledger\n" +
			"  holdfast reconcile rebuild --accept-older-ledger --file /var/lib/holdfast/given-up.jsonl",
		Args: noArgs,
	}
	var flags rebuildFlags
	c.Flags().BoolVar(&flags.acceptOlder, "accept-older-ledger", false, "give up the data in Redis that the ledger lacks")
	c.Flags().BoolVar(&flags.acceptOther, "accept-other-ledger", false,
		"give up the stock of another ledger, which Redis has; first stop the\nservers of both ledgers")
	c.Flags().StringVar(&flags.file, "file", "",
		"`FILE` to create for the reservations that are given up\n(default holdfast-given-up-TIME.jsonl in the current folder)")
	c.Flags().BoolVar(&flags.withoutFile, "without-file", false, "give them up without a file; they are in the table quarantine")
	shard := c.Flags().Int("shard", 0, "shard to rebuild; must be 0 for now")
	f := addFormat(c)
	wait := c.Flags().Duration("wait", 30*time.Second, "how long to wait until Redis is open again")
	return m.configured(c, func(c *cobra.Command, _ []string, settings config.Config) error {
		switch {
		case *shard != 0:
			return usage(c, "--shard is %d: there is only shard 0", *shard)
		case flags.file != "" && flags.withoutFile:
			return usage(c, "--file and --without-file exclude each other")
		}
		return m.rebuild(c.Context(), settings, flags, *wait, *f)
	})
}

// rebuilt is the output of `reconcile rebuild`.
type rebuilt struct {
	Epoch   uint64   `json:"epoch"`
	GivenUp *givenUp `json:"given_up,omitempty"`
}

// rebuild requests a rebuild, takes part in it, and waits until the gate opens at a later epoch.
func (m *Main) rebuild(ctx context.Context, c config.Config, flags rebuildFlags, wait time.Duration, f format) (err error) {
	logger := m.logger()
	b, err := openChecked(ctx, c, logger)
	if err != nil {
		return err
	}
	defer b.closeInto(&err)
	before, err := b.postgres.Epoch(ctx)
	if err != nil {
		return err
	}
	apart := reconcile.CheckTogether(ctx, b.redis.Client, c.Redis.Prefix, b.postgres)
	given, err := m.giveUp(ctx, c, b, flags, apart)
	if err != nil {
		return err
	}
	other := errors.Is(apart, reconcile.ErrOtherLedger)
	if !other { // a server of the other ledger would rebuild its own Redis
		if _, err := b.postgres.RequestRebuild(ctx); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	reconciler := newReconciler(c, b.redis, b.postgres, logger)
	reconciler.AcceptOlderLedger, reconciler.AcceptOtherLedger = flags.acceptOlder, flags.acceptOther
	return reconcileDuring(ctx, reconciler, func() error {
		epoch, err := reconcile.AwaitOpen(ctx, b.redis.Client, c.Redis.Prefix, before)
		if err == nil && other { // a server of that ledger may have been faster
			err = reconcile.CheckTogether(ctx, b.redis.Client, c.Redis.Prefix, b.postgres)
		}
		if err != nil {
			return err
		}
		return m.print(f, rebuilt{epoch, given}, func(w io.Writer) {
			if given != nil {
				given.text(w)
			}
			fmt.Fprintf(w, "redis is rebuilt and open at epoch %d\n", epoch)
		})
	})
}

// giveUp refuses a ledger that is another one or older than Redis, or keeps what a rebuild would give
// up for an older one.
func (m *Main) giveUp(ctx context.Context, c config.Config, b *backends, flags rebuildFlags, apart error) (*givenUp, error) {
	switch {
	case errors.Is(apart, reconcile.ErrOtherLedger) && !flags.acceptOther:
		return nil, fmt.Errorf("%w; to give up what redis has, add --accept-other-ledger", apart)
	case !errors.Is(apart, reconcile.ErrNotTogether):
		return nil, apart
	case !errors.Is(apart, reconcile.ErrOlderLedger):
		return nil, nil
	case !flags.acceptOlder:
		return nil, fmt.Errorf("%w; to give up what the ledger lacks, add --accept-older-ledger", apart)
	}
	path := cmp.Or(flags.file, givenUpName(time.Now()))
	if flags.withoutFile {
		path = ""
	}
	given, err := keepGivenUp(ctx, c, b, path)
	if err == nil && path != "" {
		fmt.Fprintf(m.Stderr, "%s has the %d reservations that the ledger lacks\n", path, given.Reservations())
	}
	return given, err
}
