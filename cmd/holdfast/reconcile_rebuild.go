package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/reconcile"
)

func (m *Main) reconcileRebuildCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "rebuild",
		Short: "Rebuild Redis from the ledger",
		Long: "Rebuild Redis from the ledger. A Redis that lost data is rebuilt without this command.\n\n" +
			"Meanwhile reserve and confirm answer 503 `rebuilding`: under a second for a small stock. Holds in\n" +
			"the ledger stay.\n\n" +
			"If the ledger is older than Redis, for example after a restored backup, the gate stays closed. Look\n" +
			"for a newer ledger first. --accept-older-ledger gives up what the ledger lacks, including sales\n" +
			"that were confirmed to customers.",
		Example: "  holdfast reconcile rebuild\n" +
			"  holdfast reconcile rebuild --accept-older-ledger",
		Args: noArgs,
	}
	acceptOlder := c.Flags().Bool("accept-older-ledger", false, "give up what Redis has and the ledger lacks")
	shard := c.Flags().Int("shard", 0, "shard to rebuild; must be 0 for now")
	wait := c.Flags().Duration("wait", 30*time.Second, "how long to wait until Redis is open again")
	return m.configured(c, func(c *cobra.Command, _ []string, settings config.Config) error {
		if *shard != 0 {
			return usage(c, "--shard is %d: there is only shard 0", *shard)
		}
		ctx, cancel := context.WithTimeout(c.Context(), *wait)
		defer cancel()
		return m.rebuild(ctx, settings, *acceptOlder)
	})
}

// rebuild requests a rebuild, takes part in it, and waits until the gate opens at a later epoch.
func (m *Main) rebuild(ctx context.Context, c config.Config, acceptOlder bool) (err error) {
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
	if !acceptOlder {
		if err := reconcile.CheckOlder(ctx, b.redis.Client, c.Redis.Prefix, b.postgres); err != nil {
			return fmt.Errorf("%w; to give up what the ledger lacks, add --accept-older-ledger", err)
		}
	}
	if _, err := b.postgres.RequestRebuild(ctx); err != nil {
		return err
	}
	reconciler := newReconciler(c, b.redis, b.postgres, logger)
	reconciler.AcceptOlderLedger = acceptOlder
	return reconcileDuring(ctx, reconciler, func() error {
		epoch, err := reconcile.AwaitOpen(ctx, b.redis.Client, c.Redis.Prefix, before)
		if err == nil {
			fmt.Fprintf(m.Stdout, "redis is rebuilt and open at epoch %d\n", epoch)
		}
		return err
	})
}
