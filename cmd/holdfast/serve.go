package main

import (
	"context"
	"crypto/tls"
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
	"github.com/holdfast/holdfast/internal/certs"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/internal/metrics"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

const (
	openPoll    = 10 * time.Millisecond
	stopTimeout = 5 * time.Second // for calls that still run in the store after the server has stopped
)

func (m *Main) serveCommand() *cobra.Command {
	return m.configured(&cobra.Command{
		Use:   "serve",
		Short: "Serve the HTTP API",
		Long: "Serve the HTTP API, apply the event stream to the ledger, and expire overdue reservations.\n\n" +
			"Without a configuration the server uses an engine inside this process, for trials: it loses\n" +
			"everything at a restart, and only this machine can reach it. SIGINT or SIGTERM stops the server\n" +
			"after it has answered the running calls.",
		Example: "  holdfast serve\n" +
			"  holdfast serve --redis-url redis://10.0.0.4:6379 --postgres-url postgres://holdfast@10.0.0.5/holdfast\n" +
			"  HOLDFAST_REDIS_URL=redis://10.0.0.4:6379 holdfast serve --config /etc/holdfast.yaml",
		Args: noArgs,
	}, func(c *cobra.Command, _ []string, settings config.Config) error {
		return m.serve(c.Context(), settings)
	})
}

// serve runs until ctx ends or a part fails. It closes what it opened in reverse order.
func (m *Main) serve(ctx context.Context, c config.Config) (err error) {
	logger := m.logger()
	listener, err := listen(c.HTTP, logger)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // api.Serve closes it too, if it runs
	redis, err := dial.Open(c.Redis.Endpoint)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, redis.Close()) }()
	logRedis(ctx, logger, redis, c.Redis.Endpoint)
	ledger, closeLedger, err := openLedger(c)
	if err != nil {
		return err
	}
	defer closeLedger()
	if err := checkSetup(ctx, c, redis, ledger, logger); err != nil {
		return err
	}
	if err := refuseOther(ctx, c, redis, ledger); err != nil {
		return err
	}

	b := thisBuild()
	observed := metrics.New(b.Version, b.Commit)
	store, err := cache.New(redis.Client, cache.Options{
		Prefix: c.Redis.Prefix, TTL: c.Reservation.TTL, TTLMax: c.Reservation.TTLMax, SoldOutCache: c.SoldOutCache,
		Ledger: ledger, DurableWait: c.Confirm.Wait, AwaitDirectory: true, Observer: observed, Logger: logger,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore(ctx, store)) }()
	routing, err := openDirectories(ctx, c, ledger, store, logger)
	if err != nil {
		return err
	}
	audits, endAudits := newAudits(ctx,
		&audit.Auditor{Client: redis.Client, Ledger: ledger, Prefix: c.Redis.Prefix}, logger)
	defer endAudits()
	applier := newReconciler(c, redis, ledger, logger)
	applier.Adopted = audits.afterAdoption
	state := &health{store: store, ledger: ledger}
	ledgerStats := func() metrics.Ledger { return metrics.Ledger(applier.Stats()) }
	err = errors.Join(observed.Watch(store), observed.WatchAudit(audits.last), observed.WatchLedger(ledgerStats),
		observed.WatchHealth(state.last))
	if err != nil {
		return err
	}
	access, err := openKeys(ctx, c, ledger, logger)
	if err != nil {
		return err
	}
	monitor, err := newMonitor(c.Metrics.Listen, observed.Handler(), logger)
	if err != nil {
		return err
	}
	handler := api.New(store, api.Options{
		Audits: audits, Changes: changes{ledger}, Directories: routing, Hosts: access.hosts, Keys: access.ring, People: access.people,
		Version: b.Version, TTL: c.Reservation.TTL, TTLMax: c.Reservation.TTLMax,
		Degraded: func() []string { return degraded(ledger) },
		Metrics:  monitor.other(observed.Handler()), Observer: observed, Logger: logger,
	})

	parts, running := errgroup.WithContext(ctx)
	// Running calls wait for the applier, so it stops after the server.
	applying, stopApplying := context.WithCancel(context.WithoutCancel(ctx))
	defer stopApplying()
	parts.Go(func() error { return applier.Run(applying) })
	parts.Go(func() error { routing.follow.Run(running); return nil })
	parts.Go(func() error { access.run(running); return nil })
	parts.Go(func() error { return monitor.run(running) })
	awaitOpen(running, store)
	state.look(running)
	parts.Go(func() error { state.run(running); return nil })
	logger.Info("listening on "+scheme(c)+"://"+listener.Addr().String(), "address", listener.Addr().String())
	if m.Listening != nil {
		m.Listening(listener.Addr())
	}
	parts.Go(func() error {
		defer stopApplying()
		return api.Serve(running, listener, handler, api.Timeouts{Notice: c.HTTP.ShutdownNotice})
	})
	parts.Go(func() error { return (&reconcile.Sweeper{Store: store, Logger: logger}).Run(running) })
	err = parts.Wait()
	logger.Info("stopped")
	return err
}

// listen opens the address of the API, with TLS if there is a certificate.
func listen(c config.HTTP, logger *slog.Logger) (net.Listener, error) {
	var secure *tls.Config
	if c.TLS.Cert != "" {
		var err error
		secure, err = certs.Files(c.TLS).Server(func(err error) {
			logger.Error("the changed files of http.tls cannot be used: the server goes on with the old certificate", "error", err)
		})
		if err != nil {
			return nil, fmt.Errorf("http.tls: %w", err)
		}
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("%w: free the address, or set http.listen to another", err)
	}
	if secure != nil {
		listener = tls.NewListener(listener, secure)
	}
	return listener, nil
}

// awaitOpen gives the reconciler time to open the gate, so that the first call is not refused.
func awaitOpen(ctx context.Context, store *cache.Store) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	for store.Ready(ctx) != nil {
		select {
		case <-time.After(openPoll):
		case <-ctx.Done():
			return
		}
	}
}

// degraded names what does not work while reserve does.
func degraded(ledger ledger.Ledger) []string {
	if err := ledger.Failure(); err != nil {
		return []string{"postgres: durable calls answer 503 not_durable_yet: " + err.Error()}
	}
	return []string{}
}

// logRedis logs which Redis the program uses and whether it answers.
func logRedis(ctx context.Context, logger *slog.Logger, redis *dial.Redis, e config.Endpoint) {
	if redis.Embedded {
		logger.Warn("embedded: in-process, nothing survives a restart; set redis.url for real use")
		return
	}
	if err := ping(ctx, redis); err != nil {
		logger.Warn("redis does not answer yet: calls get 503 until it does", "redis", e.String(), "error", err)
		return
	}
	logger.Info("redis answers", "redis", e.String())
}

// closeStore waits for calls that still run, even though ctx has ended.
func closeStore(ctx context.Context, store *cache.Store) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return store.Close(ctx)
}
