package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/reconcile"
)

func (m *Main) reconcileRebuildCommand() *cobra.Command {
	var acceptOlder bool
	var shard int
	var wait time.Duration
	c := &cobra.Command{
		Use:   "rebuild",
		Short: "Make Redis anew from the ledger",
		Long: "Make Redis anew from the ledger. It happens by itself where Redis lost data; this asks for it.\n\n" +
			"Reserve and confirm answer 503 `rebuilding` meanwhile: under a second for a small stock. Holds that\n" +
			"are in the ledger stay. Where the ledger is older than Redis (a restored backup) the gate stays\n" +
			"closed until --accept-older-ledger gives up what it lacks: sales that were answered included. First\n" +
			"look for a newer ledger.",
		Example: "  holdfast reconcile rebuild\n  holdfast reconcile rebuild --accept-older-ledger",
		Args:    noArgs,
	}
	config.AddFlags(c.Flags())
	c.Flags().BoolVar(&acceptOlder, "accept-older-ledger", false, "give up what Redis has and the ledger lacks")
	c.Flags().IntVar(&shard, "shard", 0, "the shard; there is only 0 for now")
	c.Flags().DurationVar(&wait, "wait", 30*time.Second, "longest wait for Redis to be open again")
	c.RunE = func(c *cobra.Command, _ []string) error {
		settings, err := m.configuration(c)
		if err != nil {
			return err
		}
		if shard != 0 {
			return usage(c, "--shard is %d, there is only 0", shard)
		}
		ctx, cancel := context.WithTimeout(c.Context(), wait)
		defer cancel()
		return m.rebuild(ctx, settings, acceptOlder)
	}
	return c
}

// rebuild asks for a rebuild, takes part in it, and waits for the gate to open under a later epoch.
func (m *Main) rebuild(ctx context.Context, c config.Config, acceptOlder bool) (err error) {
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
	before, err := b.postgres.Epoch(ctx)
	if err != nil {
		return err
	}
	if !acceptOlder {
		if err := reconcile.CheckOlder(ctx, b.redis.Client, c.Redis.Prefix, b.postgres); err != nil {
			return fmt.Errorf("%w; to give up what it lacks, add --accept-older-ledger", err)
		}
	}
	if _, err := b.postgres.RequestRebuild(ctx); err != nil {
		return err
	}
	part := reconciler(c, b.redis, b.postgres, logger)
	part.AcceptOlderLedger = acceptOlder
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- part.Run(running) }()
	epoch, err := reconcile.AwaitOpen(ctx, b.redis.Client, c.Redis.Prefix, before)
	stop()
	if err = errors.Join(err, <-ended); err != nil {
		return err
	}
	fmt.Fprintf(m.Stdout, "redis is rebuilt and open at epoch %d\n", epoch)
	return nil
}
