package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

const (
	eventsKey     = tag + "events"
	stockLocation = location.ID("berlin") // of all units
	holdTTL       = time.Hour             // longer than a round

	callTimeout    = 10 * time.Second // of one call: a benchmark waits and reports how long
	durableTimeout = 10 * time.Minute // for the ledger, which may have many holds to write first
	holdCallers    = 256

	ledgerConnections = 8 // as in postgres.Open
	readyTimeout      = 10 * time.Second
)

// lineNames are the names of an order's lines.
var lineNames = func() (names [cartLines]string) {
	for i := range names {
		names[i] = strconv.Itoa(i + 1)
	}
	return names
}()

// library is Holdfast in the process of the checkout.
type library struct {
	env         *env
	store       *cache.Store
	ledger      *ledger // nil if no measured call needs it
	adjustments int     // so far
}

func openLibrary(ctx context.Context, e *env, w *workload) (seller, error) {
	return newLibrary(ctx, e, w)
}

func newLibrary(ctx context.Context, e *env, w *workload) (l *library, err error) {
	l = &library{env: e}
	options := cache.Options{
		Prefix: Prefix, TTL: holdTTL, Timeout: callTimeout, DurableWait: durableTimeout, Logger: e.options.Logger,
		SoldOutCache: e.options.SoldOut,
	}
	if w.confirms || e.options.Reconcile {
		if l.ledger, err = openLedger(ctx, e); err != nil {
			return nil, err
		}
		options.Ledger = l.ledger.postgres
	}
	if l.store, err = cache.New(e.redis, options); err == nil {
		err = awaitReady(ctx, l.store.Ready)
	}
	if err != nil {
		return nil, errors.Join(err, l.close(ctx))
	}
	return l, nil
}

// awaitReady waits until Redis is open. With a ledger the reconciler opens it.
func awaitReady(ctx context.Context, ready func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	timeout := poll(ctx, func() (bool, error) {
		err = ready(ctx)
		return err == nil, nil
	})
	if timeout != nil {
		return fmt.Errorf("redis is not open after %s: %w", readyTimeout, err)
	}
	return nil
}

func (l *library) stock(ctx context.Context, skus []string, units int64) error {
	for chunk := range slices.Chunk(skus, cache.ChangesMax) {
		l.adjustments++
		r := cache.AdjustRequest{ID: "count-" + strconv.Itoa(l.adjustments)}
		for _, sku := range chunk {
			r.Changes = append(r.Changes, cache.Change{SKU: location.SKU(sku), Location: stockLocation, OnHand: &units})
		}
		if _, err := l.store.Adjust(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (l *library) reserve(ctx context.Context, _ int, o *order) (outcome, error) {
	r := cache.ReserveRequest{ID: o.id, Order: o.id, Lines: make([]cache.LineRequest, len(o.lines))}
	for i, line := range o.lines {
		r.Lines[i] = cache.LineRequest{Line: lineNames[i], SKU: location.SKU(line.sku), Quantity: line.quantity}
	}
	return storeOutcome(l.store.Reserve(ctx, r))
}

func (l *library) confirm(ctx context.Context, _ int, o *order) (outcome, error) {
	result, err := l.store.Confirm(ctx, cache.TransitionRequest{ID: o.id})
	if err == nil && !result.Durable {
		return 0, errors.New("the confirm is not durable")
	}
	return storeOutcome(result, err)
}

func storeOutcome(result cache.Result, err error) (outcome, error) {
	switch {
	case errors.Is(err, cache.ErrInsufficient):
		return refused, nil
	case err != nil:
		return 0, err
	case result.Replay:
		return replayed, nil
	}
	return accepted, nil
}

// holdMany uses more callers than a round, and waits for the ledger.
func (l *library) holdMany(ctx context.Context, from *orders, n int) error {
	hold := load{callers: holdCallers, duration: holdTTL, calls: int64(n)}
	counted, _ := hold.run(ctx, from.each(holdCallers, l.reserve))
	if err := errors.Join(ctx.Err(), counted.failure); err != nil {
		return fmt.Errorf("hold %d reservations: %w", n, err)
	}
	if counted.count[accepted] != int64(n) {
		return fmt.Errorf("only %d of %d reservations were held", counted.count[accepted], n)
	}
	if l.ledger == nil {
		return nil
	}
	return l.awaitLedger(ctx)
}

// awaitLedger waits until the ledger has everything: an adjustment is durable, and so is all before
// it.
func (l *library) awaitLedger(ctx context.Context) error {
	return l.stock(ctx, []string{"SKU-last"}, 1)
}

func (l *library) left(ctx context.Context, skus []string) (total int64, err error) {
	for chunk := range slices.Chunk(skus, cache.AvailabilityMax) {
		var r cache.AvailabilityRequest
		for _, sku := range chunk {
			r.SKUs = append(r.SKUs, location.SKU(sku))
		}
		units, err := l.store.Availability(ctx, r)
		if err != nil {
			return 0, err
		}
		for _, n := range units {
			total += n
		}
	}
	return total, nil
}

func (l *library) trim(ctx context.Context) error {
	if l.ledger == nil {
		return l.env.redis.XTrimMaxLen(ctx, eventsKey, 1).Err()
	}
	if err := l.awaitLedger(ctx); err != nil {
		return err
	}
	return poll(ctx, func() (bool, error) { // the reconciler trims what it has applied
		n, err := l.env.redis.XLen(ctx, eventsKey).Result()
		return n <= 1, err
	})
}

func (l *library) close(ctx context.Context) error {
	var err error
	if l.ledger != nil {
		err = l.ledger.close()
	}
	if l.store != nil {
		err = errors.Join(err, l.store.Close(ctx))
	}
	return err
}

// ledger is a reconciler in this process, with its ledger in Postgres.
type ledger struct {
	postgres *postgres.Ledger
	pool     *pgxpool.Pool
	stop     context.CancelFunc
	ended    chan error
}

func openLedger(ctx context.Context, e *env) (*ledger, error) {
	pool, err := e.createSchema(ctx, ledgerConnections, "", "plan_cache_mode", "force_custom_plan") // no plan of an empty table stays
	if err != nil {
		return nil, err
	}
	if _, err := postgres.Migrate(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	l := &ledger{postgres: postgres.New(pool, 0), pool: pool, stop: stop, ended: make(chan error, 1)}
	work := &reconcile.Reconciler{Client: e.redis, Ledger: l.postgres, Prefix: Prefix, Logger: e.options.Logger}
	go func() { l.ended <- work.Run(running) }()
	return l, nil
}

func (l *ledger) close() error {
	l.stop()
	err := <-l.ended
	l.pool.Close()
	if err != nil {
		return fmt.Errorf("reconciler: %w", err)
	}
	return nil
}
