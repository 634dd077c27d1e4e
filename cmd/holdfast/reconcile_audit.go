package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// errDrift is found: the findings have been printed.
var errDrift = errors.New("there is drift: see what was found above")

// maxChange is how much a repair may change: "1000", or with a share of what is on hand "1000,2".
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

// Type is what --help calls the value.
func (c *maxChange) Type() string { return "UNITS[,PERCENT]" }

// Set reads the flag.
func (c *maxChange) Set(text string) error {
	units, share, shared := strings.Cut(text, ",")
	n, err := strconv.ParseInt(units, 10, 64)
	if err != nil || n < 1 {
		return errors.New("must be a number of units, and maybe a comma and a percentage: 1000 or 1000,2")
	}
	c.units, c.percent = n, 0
	if !shared {
		return nil
	}
	c.percent, err = strconv.ParseFloat(strings.TrimSuffix(share, "%"), 64)
	if err != nil || c.percent <= 0 || c.percent > 100 {
		return errors.New("the percentage must be above 0 and at most 100: 1000,2")
	}
	return nil
}

func (m *Main) reconcileAuditCommand() *cobra.Command {
	var options audit.Options
	most := &maxChange{units: audit.MaxUnitsDefault}
	c := &cobra.Command{
		Use:   "audit",
		Short: "Is Redis what the ledger says, and repair it",
		Long: "Compare every level, reservation, purchase limit and deadline of Redis with the ledger, and the\n" +
			"ledger with itself. Both sides are read at the same place of the event stream, so sales go on and\n" +
			"nothing that is under way looks like a difference: what is found is exactly what is wrong.\n\n" +
			"Nothing is changed without --repair. A repair adds the difference in Redis, and is recorded; to\n" +
			"repeat it changes nothing. A ledger that disagrees with itself is never copied into Redis.\n\n" +
			"Exit status: 0 no drift, or all of it repaired; 1 drift, or a repair would change more than\n" +
			"--max-change; 2 it could not run.",
		Example: "  holdfast reconcile audit\n" +
			"  holdfast reconcile audit --repair --max-change 200,1\n" +
			"  holdfast reconcile audit --sku TEE-M --format json",
		Args: noArgs,
	}
	config.AddFlags(c.Flags())
	format := addFormat(c)
	c.Flags().BoolVar(&options.Repair, "repair", false, "repair what is found")
	c.Flags().Var(most, "max-change", "units that a repair may change in all, and their share of all on hand")
	scoped := addScope(c, &options)
	c.Flags().StringVar(&options.Actor, "actor", "holdfast reconcile audit", "who repairs, kept with each repair")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := scoped(); err != nil {
			return err
		}
		settings, err := m.configuration(c)
		if err != nil {
			return err
		}
		options.MaxUnits, options.MaxPercent = most.units, most.percent
		return m.audit(c.Context(), settings, options, *format)
	}
	return c
}

// addScope adds the flags that say what is audited. What it returns refuses those that can name nothing:
// an empty one, of a variable that was not set, would have everything be repaired.
func addScope(c *cobra.Command, o *audit.Options) (scoped func() error) {
	c.Flags().StringVar((*string)(&o.SKU), "sku", "", "only what belongs to this SKU")
	c.Flags().StringVar((*string)(&o.Location), "location", "", "only what belongs to this location")
	return func() error {
		for _, of := range []struct{ flag, text string }{{"sku", string(o.SKU)}, {"location", string(o.Location)}} {
			if c.Flags().Changed(of.flag) && !cache.IsIdentifier(of.text) {
				return usage(c, "--%s is %q: leave it out, or name one", of.flag, of.text)
			}
		}
		return nil
	}
}

// audit audits, and prints what was found.
func (m *Main) audit(ctx context.Context, c config.Config, o audit.Options, f format) error {
	var done ledger.Audit
	run := func(auditor *audit.Auditor) (err error) {
		done, err = auditor.Run(ctx, o)
		return err
	}
	return m.reconciling(ctx, c, run, func(ledger ledger.Audits) error {
		if err := m.printAudit(ctx, f, ledger, &done); err != nil {
			return err
		}
		if done.Drift > 0 {
			return errDrift
		}
		return nil
	})
}

// reconciling has an auditor run beside whoever reconciles, with a bar on a terminal, and reconciles itself
// where nobody does. What was found is shown also where it was too much to be repaired.
func (m *Main) reconciling(ctx context.Context, c config.Config, run func(*audit.Auditor) error, show func(ledger.Audits) error) (err error) {
	logger := slog.New(quiet{m.logger().Handler()})
	dial.LogTo(logger)
	b, err := openBackends(c)
	if err != nil {
		return err
	}
	defer b.closeInto(&err)
	if err := checkSetup(ctx, c, b.redis, b.postgres, logger); err != nil {
		return err
	}
	if _, err := b.postgres.Epoch(ctx); err != nil {
		return fmt.Errorf("the ledger does not answer: %w", err)
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- reconciler(c, b.redis, b.postgres, logger).Run(running) }()
	failure := m.runAuditor(&audit.Auditor{Client: b.redis.Client, Ledger: b.postgres, Prefix: c.Redis.Prefix, Logger: logger}, run)
	stop()
	failure = errors.Join(failure, <-ended)
	if failure != nil && !errors.Is(failure, audit.ErrTooMuch) {
		return failure
	}
	if err := show(b.postgres); err != nil && (failure == nil || !errors.Is(err, errDrift)) {
		return err
	}
	return failure
}

// runAuditor has an auditor run with a bar on a terminal.
func (m *Main) runAuditor(auditor *audit.Auditor, run func(*audit.Auditor) error) error {
	bar := m.progress(1, "comparing")
	auditor.Progress = func(done, total int64) {
		bar.ChangeMax64(max(1, total))
		_ = bar.Set64(done)
	}
	err := run(auditor)
	_ = bar.Finish()
	return err
}

// quiet passes on what is wrong, and no news.
type quiet struct{ slog.Handler }

// Enabled see slog.Handler.
func (q quiet) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
