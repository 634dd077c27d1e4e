package demo

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile"
)

// Store is the part of cache.Store that a sale uses.
type Store interface {
	Reserve(ctx context.Context, r cache.ReserveRequest) (cache.Result, error)
	Confirm(ctx context.Context, r cache.TransitionRequest) (cache.Result, error)
	Release(ctx context.Context, r cache.TransitionRequest) (cache.Result, error)
	Fulfill(ctx context.Context, r cache.TransitionRequest) (cache.Result, error)
	Expire(ctx context.Context) (expired int, more bool, err error)
	Adjust(ctx context.Context, r cache.AdjustRequest) (cache.AdjustResult, error)
	Levels(ctx context.Context, sku location.SKU) ([]cache.Level, error)
	Reservation(ctx context.Context, id string) (cache.Reservation, error)
}

// Options are the settings of a sale. All are required except Watch and Logger.
type Options struct {
	Buyers   int
	Units    int64         // of the hot SKU; the others have half as many each
	Seed     uint64        // decides what every buyer does; who gets units depends on the race
	Duration time.Duration // after which no buyer without units is served

	Watch  func(Moment) // is called a few times per second; default nothing
	Logger *slog.Logger // default slog.Default()

	silence time.Duration // without an answer until the sale is abandoned; default silenceMax
}

// sale is a flash sale in progress.
type sale struct {
	Options
	store   Store
	stock   Stock
	tally   *tally
	started time.Time
	cancel  context.CancelCauseFunc // ends the sale without a result
}

// sell holds a sale on store, which must have no stock yet, and compares the buyers' records with
// the store's final state. An error means that there was nothing to compare.
func sell(ctx context.Context, store Store, o Options) (*Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &sale{Options: o, store: store, stock: newStock(o.Units), tally: newTally(), cancel: cancel}
	s.Logger, s.silence = cmp.Or(s.Logger, slog.Default()), cmp.Or(s.silence, silenceMax)
	adjustment := cache.AdjustRequest{ID: "demo-stock", Reason: "demo", Changes: s.stock.changes()}
	if _, err := store.Adjust(ctx, adjustment); err != nil {
		return nil, fmt.Errorf("put the stock on sale: %w", err)
	}
	background, stop := s.startBackground(ctx)
	defer background.Wait()
	defer stop()
	buyers := make([]*buyer, o.Buyers)
	for i := range buyers {
		buyers[i] = newBuyer(drawPlan(o.Seed, i+1))
	}
	s.started = time.Now()
	serveAll(buyers, activeMax, func(b *buyer) (time.Duration, bool) { return b.act(ctx, s) })
	took := time.Since(s.started)
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	stop()
	background.Wait()
	records := collectRecords(s.stock, buyers)
	final, err := s.readFinalState(ctx, records)
	if err != nil {
		return nil, err
	}
	return s.report(records, final, took), nil
}

// startBackground starts the sweeper, which expires overdue holds, and the progress reports.
func (s *sale) startBackground(ctx context.Context) (running *sync.WaitGroup, stop context.CancelFunc) {
	ctx, stop = context.WithCancel(ctx)
	running = new(sync.WaitGroup)
	running.Go(func() { _ = (&reconcile.Sweeper{Store: s.store, Logger: s.Logger}).Run(ctx) }) // always nil
	if s.Watch != nil {
		running.Go(func() { s.watch(ctx) })
	}
	return running, stop
}

// closed reports whether the sale has ended for buyers without units.
func (s *sale) closed() bool { return time.Since(s.started) > s.Duration }

func collectRecords(start Stock, buyers []*buyer) *Records {
	r := &Records{Start: start}
	for _, b := range buyers {
		r.Unexpected = append(r.Unexpected, b.unexpected...)
		if b.holds {
			r.Orders = append(r.Orders, b.order)
		}
	}
	return r
}

// tally counts the answers to all buyers. It is safe for concurrent use.
type tally struct {
	requests   atomic.Int64 // answered calls
	refused    *counter     // reservations refused because stock was short
	replays    *counter     // answers to repeated calls, which changed nothing
	granted    atomic.Int64 // units given out; units that came back count each time
	lateSold   atomic.Int64 // confirmed after the deadline
	lateMissed atomic.Int64 // confirmed too late: others had the units
}

func newTally() *tally { return &tally{refused: newCounter(), replays: newCounter()} }

// counter counts requests, in total and by SKU. A request for several SKUs counts for each of them,
// and once in the total.
type counter struct {
	all   atomic.Int64
	bySKU []atomic.Int64 // in the order of allSKUs
}

func newCounter() *counter { return &counter{bySKU: make([]atomic.Int64, len(allSKUs))} }

func (c *counter) add(skus []location.SKU) {
	c.all.Add(1)
	for _, sku := range skus {
		c.bySKU[slices.Index(allSKUs, sku)].Add(1)
	}
}

func (c *counter) of(sku location.SKU) int64 { return c.bySKU[slices.Index(allSKUs, sku)].Load() }
