package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/memory"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/setup"
)

// answerTimeout is how long a starting program waits for Redis and Postgres. They may start later.
const answerTimeout = 2 * time.Second

var (
	errNoPostgres = errors.New("postgres.url is empty: set it to the ledger's database, such as " +
		"postgres://user:password@127.0.0.1:5432/holdfast; without a ledger no sale is durable")
	errNoRedis = errors.New("redis.url is empty: set it, such as redis://127.0.0.1:6379")
)

// backends are a real Redis and the ledger's database.
type backends struct {
	redis    *dial.Redis
	postgres *postgres.Ledger
}

// openBackends opens both, and waits for neither.
func openBackends(c config.Config) (*backends, error) {
	if c.Redis.Endpoint.Embedded() {
		return nil, errNoRedis
	}
	postgres, err := openPostgres(c)
	if err != nil {
		return nil, err
	}
	redis, err := dial.Open(c.Redis.Endpoint)
	if err != nil {
		postgres.Close()
		return nil, err
	}
	return &backends{redis, postgres}, nil
}

// openChecked opens both and refuses an unsafe set-up.
func openChecked(ctx context.Context, c config.Config, logger *slog.Logger) (*backends, error) {
	b, err := openBackends(c)
	if err != nil {
		return nil, err
	}
	if err := checkSetup(ctx, c, b.redis, b.postgres, logger); err != nil {
		b.closeInto(&err)
		return nil, err
	}
	return b, nil
}

// closeInto closes both, and joins a failure to the error of the command.
func (b *backends) closeInto(err *error) {
	*err = errors.Join(*err, b.redis.Close())
	b.postgres.Close()
}

// reconcileDuring calls do while r runs.
func reconcileDuring(ctx context.Context, r *reconcile.Reconciler, do func() error) error {
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- r.Run(running) }()
	err := do()
	stop()
	return errors.Join(err, <-ended)
}

// openPostgres opens the ledger's database.
func openPostgres(c config.Config) (*postgres.Ledger, error) {
	if c.Postgres.URL == "" {
		return nil, errNoPostgres
	}
	return postgres.Open(string(c.Postgres.URL), postgres.Options{
		SessionURL: string(c.Postgres.SessionURL), PageConnections: c.Postgres.PageConnections,
	})
}

// openLedger opens the ledger. It is in memory if the configuration names neither Redis nor
// Postgres.
func openLedger(c config.Config) (ledger ledger.Ledger, closeLedger func(), err error) {
	if c.Postgres.URL == "" && c.Redis.Endpoint.Embedded() {
		return memory.New(), func() {}, nil
	}
	postgres, err := openPostgres(c)
	if err != nil {
		return nil, nil, err
	}
	return postgres, postgres.Close, nil
}

// checkSetup refuses a set-up that would lose sales or oversell. It does not wait for a server
// that does not answer yet: the reconciler checks that one before it opens the gate.
func checkSetup(ctx context.Context, c config.Config, redis *dial.Redis, ledger ledger.Ledger, logger *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	var all []setup.Finding
	if postgres, ok := ledger.(*postgres.Ledger); ok {
		findings, err := postgres.Examine(ctx, c.Redis.Prefix, c.Redis.Shards)
		if err != nil {
			logger.Warn("postgres does not answer yet: the gate stays closed until it does", "error", err)
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

// refuseOther returns an error if Redis has the stock of another ledger. Other failures may pass, or are
// the reconciler's to handle.
func refuseOther(ctx context.Context, c config.Config, redis *dial.Redis, ledger ledger.Ledger) error {
	if redis.Embedded {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	err := reconcile.CheckTogether(ctx, redis.Client, c.Redis.Prefix, ledger)
	if errors.Is(err, reconcile.ErrOtherLedger) {
		return err
	}
	return nil
}

// openAnswering opens a Redis and refuses one that does not answer.
func openAnswering(ctx context.Context, e config.Endpoint) (*dial.Redis, error) {
	redis, err := dial.Open(e)
	if err != nil {
		return nil, err
	}
	if err := ping(ctx, redis); err != nil {
		return nil, errors.Join(fmt.Errorf("%s does not answer: %w", e, err), redis.Close())
	}
	return redis, nil
}

// ping reports an error if Redis does not answer in time.
func ping(ctx context.Context, redis *dial.Redis) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return redis.Client.Ping(ctx).Err()
}

// newReconciler returns the reconciler, which applies, undoes and rebuilds.
func newReconciler(c config.Config, redis *dial.Redis, ledger ledger.Ledger, logger *slog.Logger) *reconcile.Reconciler {
	r := &reconcile.Reconciler{
		Client: redis.Client, Ledger: ledger, Prefix: c.Redis.Prefix, Shards: c.Redis.Shards,
		Retention: c.Reservation.Retention, BacklogMax: c.Reconcile.BacklogMax, Logger: logger,
	}
	if redis.Judged() {
		r.AskPrimary = func(ctx context.Context) (string, error) {
			return redis.PrimaryRunID(ctx, wire.KeysOf(c.Redis.Prefix, 0).Stock)
		}
	}
	return r
}
