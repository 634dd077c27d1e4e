package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/memory"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/setup"
)

var (
	errNoPostgres = errors.New("postgres.url is empty: set it to the ledger's database, such as " +
		"postgres://user:password@127.0.0.1:5432/holdfast; without a ledger a sale is not durable")
	errNoRedis = errors.New("redis.url is empty: set it, such as redis://127.0.0.1:6379")
)

// openPostgres opens the ledger's database.
func openPostgres(c config.Config) (*postgres.Ledger, error) {
	if c.Postgres.URL == "" {
		return nil, errNoPostgres
	}
	return postgres.Open(string(c.Postgres.URL))
}

// openLedger opens the ledger: in memory where neither Redis nor Postgres is named.
func openLedger(c config.Config) (ledger ledger.Ledger, closeIt func(), err error) {
	if c.Postgres.URL == "" && c.Redis.Endpoint.Embedded() {
		return memory.New(), func() {}, nil
	}
	postgres, err := openPostgres(c)
	if err != nil {
		return nil, nil, err
	}
	return postgres, postgres.Close, nil
}

// checkSetup refuses a set-up that would lose sales or sell twice. A server that does not answer yet is
// not waited for: it is checked again before the gate opens.
func checkSetup(ctx context.Context, c config.Config, redis *dial.Redis, ledger ledger.Ledger, logger *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var all []setup.Finding
	if postgres, ok := ledger.(*postgres.Ledger); ok {
		findings, err := postgres.Examine(ctx, c.Redis.Prefix, c.Redis.Shards)
		if err != nil {
			logger.Warn("postgres does not answer yet: nothing is opened until it does", "error", err)
		}
		all = append(all, findings...)
	}
	if !redis.Embedded {
		findings, err := setup.ExamineRedis(ctx, redis.Client, c.Redis.Prefix)
		if err != nil && !errors.Is(err, cache.ErrUnavailable) {
			return err
		}
		all = append(all, findings...)
	}
	for _, f := range all {
		if f.Status == setup.Warn {
			logger.Warn(f.Name+": "+f.Seen, "do", f.Do)
		}
	}
	return setup.Unsafe(all)
}

// reconciler is the part that applies, undoes and rebuilds.
func reconciler(c config.Config, redis *dial.Redis, ledger ledger.Ledger, logger *slog.Logger) *reconcile.Reconciler {
	return &reconcile.Reconciler{
		Client: redis.Client, Ledger: ledger, Prefix: c.Redis.Prefix, Shards: c.Redis.Shards,
		Retention: c.Reservation.Retention, BacklogMax: c.Reconcile.BacklogMax, Logger: logger,
	}
}
