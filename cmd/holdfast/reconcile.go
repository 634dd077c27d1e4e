package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/reconcile"
)

func (m *Main) reconcileCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:     "reconcile",
		Short:   "Keep Redis and the ledger the same",
		Example: "  holdfast reconcile run\n  holdfast reconcile audit --repair\n  holdfast reconcile plan --output plan.json\n  holdfast reconcile rebuild",
	}, m.reconcileRunCommand(), m.reconcileAuditCommand(), m.reconcilePlanCommand(), m.reconcileApplyCommand(),
		m.reconcileRebuildCommand(), m.reconcilePruneCommand())
}

func (m *Main) reconcileRunCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "Apply the event stream to the ledger, as a daemon",
		Long: "Apply the event stream to the ledger, undo what the ledger refuses, expire what is overdue, and\n" +
			"rebuild a Redis that lost data. `holdfast serve` does the same beside serving; of all that run,\n" +
			"one works and the others take over within seconds. SIGINT or SIGTERM stops it.",
		Example: "  holdfast reconcile run --redis-url redis://10.0.0.4:6379 --postgres-url postgres://holdfast@10.0.0.5/holdfast",
		Args:    noArgs,
	}
	config.AddFlags(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		settings, err := m.configuration(c)
		if err != nil {
			return err
		}
		return m.reconcileRun(c.Context(), settings)
	}
	return c
}

func (m *Main) reconcileRun(ctx context.Context, c config.Config) (err error) {
	logger := m.logger()
	dial.LogTo(logger)
	b, err := openBackends(c)
	if err != nil {
		return err
	}
	defer b.closeInto(&err)
	if err := checkSetup(ctx, c, b.redis, b.postgres, logger); err != nil {
		return err
	}
	store, err := cache.New(b.redis.Client, cache.Options{Prefix: c.Redis.Prefix, Ledger: b.postgres, Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore(ctx, store)) }()
	parts, running := errgroup.WithContext(ctx)
	parts.Go(func() error { return reconciler(c, b.redis, b.postgres, logger).Run(running) })
	parts.Go(func() error { return (&reconcile.Sweeper{Store: store, Logger: logger}).Run(running) })
	err = parts.Wait()
	logger.Info("stopped")
	return err
}
