package demo

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
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

// Options of a sale. All are required but Watch and Logger.
type Options struct {
	Buyers   int
	Units    int64         // of the hot SKU; there is half as much of each other one
	Seed     uint64        // everything random comes from it; who wins the race does not
	Duration time.Duration // when the doors close: who has no units by then leaves

	Watch  func(Moment) // told how the sale goes, a few times a second; default nobody
	Logger *slog.Logger // default slog.Default()

	silence time.Duration // without an answer, until the sale is given up; default silenceMax
}

// sale is one flash sale under way.
type sale struct {
	Options
	store   Store
	stock   Stock
	tally   *tally
	started time.Time
	cancel  context.CancelCauseFunc
}

// sell holds a sale on store, which must have no stock yet, and compares the books with what it
// says when all is over. An error means that there was nothing to compare.
func sell(ctx context.Context, store Store, o Options) (*Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &sale{Options: o, store: store, stock: newStock(o.Units), tally: newTally(), cancel: cancel}
	if s.Logger == nil {
		s.Logger = slog.Default()
	}
	if s.silence == 0 {
		s.silence = silenceMax
	}
	adjustment := cache.AdjustRequest{ID: "demo-stock", Reason: "demo", Changes: s.stock.changes()}
	if _, err := store.Adjust(ctx, adjustment); err != nil {
		return nil, fmt.Errorf("put the stock on sale: %w", err)
	}
	beside, stop := s.beside(ctx)
	defer beside.Wait()
	defer stop()
	buyers := make([]*buyer, o.Buyers)
	for i := range buyers {
		buyers[i] = newBuyer(drawPlan(o.Seed, i+1))
	}
	s.started = time.Now()
	admit(buyers, crowdMax, func(b *buyer) (time.Duration, bool) { return b.act(ctx, s) })
	took := time.Since(s.started)
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	stop()
	beside.Wait()
	books := collectBooks(s.stock, buyers)
	found, err := s.find(ctx, books)
	if err != nil {
		return nil, err
	}
	return s.report(books, found, took), nil
}

// beside starts what runs beside the buyers: what gives back overdue holds, and what watches.
func (s *sale) beside(ctx context.Context) (running *sync.WaitGroup, stop context.CancelFunc) {
	ctx, stop = context.WithCancel(ctx)
	running = new(sync.WaitGroup)
	running.Go(func() { _ = (&reconcile.Sweeper{Store: s.store, Logger: s.Logger}).Run(ctx) }) // answers nil
	if s.Watch != nil {
		running.Go(func() { s.watch(ctx) })
	}
	return running, stop
}

// closed says that nobody new is served.
func (s *sale) closed() bool { return time.Since(s.started) > s.Duration }

// fail ends the sale without a result.
func (s *sale) fail(err error) { s.cancel(err) }

func collectBooks(start Stock, buyers []*buyer) *Books {
	b := &Books{Start: start}
	for _, buyer := range buyers {
		b.Odd = append(b.Odd, buyer.odd...)
		if buyer.holds {
			b.Orders = append(b.Orders, buyer.order)
		}
	}
	return b
}
