package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/internal/metrics"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

const (
	startTimeout = 2 * time.Second // to say whether Redis answers; it may start later
	openPoll     = 10 * time.Millisecond
	stopTimeout  = 5 * time.Second // for what is under way in the store, once no calls come
)

func (m *Main) serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the HTTP API",
		Long: "Serve the HTTP API, and give back what is held past its deadline.\n\n" +
			"With nothing configured it runs on an engine inside this process, for trying out: nothing\n" +
			"survives a restart, and only this machine can reach it. SIGINT or SIGTERM stops it once the\n" +
			"calls that are under way are answered.",
		Example: "  holdfast serve\n" +
			"  holdfast serve --redis-url redis://10.0.0.4:6379\n" +
			"  HOLDFAST_REDIS_URL=redis://10.0.0.4:6379 holdfast serve --config /etc/holdfast.yaml",
		Args: noArgs,
	}
	config.AddFlags(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		settings, err := m.configuration(c)
		if err != nil {
			return err
		}
		return m.serve(c.Context(), settings)
	}
	return c
}

// serve runs until ctx ends or a part of it fails. What was opened is closed in reverse order.
func (m *Main) serve(ctx context.Context, c config.Config) (err error) {
	logger := m.logger()
	dial.LogTo(logger)
	listener, err := net.Listen("tcp", c.HTTP.Listen)
	if err != nil {
		return fmt.Errorf("%w: free the address, or set http.listen to another", err)
	}
	defer func() { _ = listener.Close() }() // api.Serve has closed it, unless it never ran
	redis, err := dial.Open(c.Redis.Endpoint)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, redis.Close()) }()
	announceRedis(ctx, logger, redis, c.Redis.Endpoint)
	ledger, closeLedger, err := openLedger(c)
	if err != nil {
		return err
	}
	defer closeLedger()
	if err := checkSetup(ctx, c, redis, ledger, logger); err != nil {
		return err
	}

	b := thisBuild()
	observed := metrics.New(b.Version, b.Commit)
	store, err := cache.New(redis.Client, cache.Options{
		Prefix: c.Redis.Prefix, TTL: c.Reservation.TTL, TTLMax: c.Reservation.TTLMax,
		Ledger: ledger, DurableWait: c.Confirm.Wait, AwaitDirectory: true, Observer: observed, Logger: logger,
		SoldOutCache: c.SoldOutCache,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore(ctx, store)) }()
	if err := observed.Watch(store); err != nil {
		return err
	}
	routing, err := openDirectories(ctx, c, ledger, store, logger)
	if err != nil {
		return err
	}
	audits, endAudits := newAudits(ctx, &audit.Auditor{Client: redis.Client, Ledger: ledger, Prefix: c.Redis.Prefix, Logger: logger})
	defer endAudits()
	if err := observed.WatchAudit(audits.last); err != nil {
		return err
	}
	handler := api.New(store, api.Options{
		Audits:  audits,
		Version: b.Version, TTL: c.Reservation.TTL, TTLMax: c.Reservation.TTLMax,
		Degraded: func() []string { return degraded(ledger) }, Directories: routing,
		Metrics: observed.Handler(), Observer: observed, Logger: logger,
	})

	parts, running := errgroup.WithContext(ctx)
	applier := reconciler(c, redis, ledger, logger)
	if err := observed.WatchLedger(func() metrics.Ledger { return metrics.Ledger(applier.Stats()) }); err != nil {
		return err
	}
	applying, stopApplying := context.WithCancel(context.WithoutCancel(ctx)) // calls under way wait for it: it ends after them
	defer stopApplying()
	parts.Go(func() error { return applier.Run(applying) })
	parts.Go(func() error { routing.follow.Run(running); return nil })
	awaitOpen(running, store)
	logger.Info("listening on http://"+listener.Addr().String(), "address", listener.Addr().String())
	if m.Listening != nil {
		m.Listening(listener.Addr())
	}
	parts.Go(func() error {
		defer stopApplying()
		return api.Serve(running, listener, handler, api.Timeouts{})
	})
	parts.Go(func() error { return (&reconcile.Sweeper{Store: store, Logger: logger}).Run(running) })
	err = parts.Wait()
	logger.Info("stopped")
	return err
}

// awaitOpen gives the reconciler a moment, so that a first caller does not meet a closed gate.
func awaitOpen(ctx context.Context, store *cache.Store) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for store.Ready(ctx) != nil {
		select {
		case <-time.After(openPoll):
		case <-ctx.Done():
			return
		}
	}
}

// degraded names what does not work though reserve can be served.
func degraded(ledger ledger.Ledger) []string {
	if p, ok := ledger.(*postgres.Ledger); ok && !p.Healthy() {
		return []string{"postgres: what must be durable answers 503 not_durable_yet"}
	}
	return []string{}
}

// announceRedis says which Redis this is, and whether it answers.
func announceRedis(ctx context.Context, logger *slog.Logger, redis *dial.Redis, e config.Endpoint) {
	if redis.Embedded {
		logger.Warn("embedded: in-process, nothing survives a restart; set redis.url for real use")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := redis.Client.Ping(ctx).Err(); err != nil {
		logger.Warn("redis does not answer yet: calls are answered 503 until it does",
			"redis", e.String(), "error", err)
		return
	}
	logger.Info("redis answers", "redis", e.String())
}

// closeStore lets what is under way end, though ctx has ended.
func closeStore(ctx context.Context, store *cache.Store) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return store.Close(ctx)
}
