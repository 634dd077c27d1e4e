package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

const (
	ledgerConnections = 8 // as postgres.Open has them
	openTimeout       = 10 * time.Second
	openPoll          = 10 * time.Millisecond
)

// ledger is the durable half of Holdfast: a reconciler at work, in this process.
type ledger struct {
	postgres *postgres.Ledger
	pool     *pgxpool.Pool
	stop     context.CancelFunc
	ended    chan error
}

func openLedger(ctx context.Context, r *rig) (*ledger, error) {
	pool, err := r.makeSchema(ctx, ledgerConnections, "", "plan_cache_mode", "force_custom_plan") // as postgres.Open
	if err != nil {
		return nil, err
	}
	if _, err := postgres.Migrate(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	l := &ledger{postgres: postgres.New(pool, 0), pool: pool, stop: stop, ended: make(chan error, 1)}
	work := &reconcile.Reconciler{Client: r.redis, Ledger: l.postgres, Prefix: Prefix, Logger: r.options.Logger}
	go func() { l.ended <- work.Run(running) }()
	return l, nil
}

// awaitReady waits until Redis is open, which with a ledger the reconciler sees to.
func awaitReady(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(openPoll):
		case <-ctx.Done():
			return fmt.Errorf("redis is not open after %s: %w", openTimeout, err)
		}
	}
}

func (l *ledger) close() error {
	l.stop()
	err := <-l.ended
	l.pool.Close()
	if err != nil {
		return errors.Join(errors.New("the reconciler"), err)
	}
	return nil
}
