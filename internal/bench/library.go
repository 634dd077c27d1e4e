package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

const (
	eventsKey = tag + "events"
	place     = location.ID("berlin") // where everything is
	holdFor   = time.Hour             // longer than any run

	callTimeout    = 10 * time.Second // of one call: a benchmark waits, and says how long
	durableTimeout = 10 * time.Minute // for the ledger, which may have many holds to write first
	holdCallers    = 256
)

// lineNames are those of an order's lines.
var lineNames = func() (names [cartLines]string) {
	for i := range names {
		names[i] = strconv.Itoa(i + 1)
	}
	return names
}()

// library is Holdfast in the process of the checkout.
type library struct {
	store  *cache.Store
	rig    *rig
	ledger *ledger // nil where nothing that is timed needs it
	counts int     // operations so far
}

func openLibrary(ctx context.Context, r *rig, s *scene) (seller, error) {
	return newLibrary(ctx, r, s)
}

func newLibrary(ctx context.Context, r *rig, s *scene) (l *library, err error) {
	l = &library{rig: r}
	options := cache.Options{
		Prefix: Prefix, TTL: holdFor, Timeout: callTimeout, DurableWait: durableTimeout, Logger: r.options.Logger,
		SoldOutCache: r.options.SoldOut,
	}
	if s.confirms || r.options.Reconcile {
		if l.ledger, err = openLedger(ctx, r); err != nil {
			return nil, err
		}
		options.Ledger = l.ledger.postgres
	}
	if l.store, err = cache.New(r.redis, options); err == nil {
		err = awaitReady(ctx, l.store.Ready)
	}
	if err != nil {
		return nil, errors.Join(err, l.close(ctx))
	}
	return l, nil
}

func (l *library) stock(ctx context.Context, skus []string, units int64) error {
	for from := 0; from < len(skus); from += cache.ChangesMax {
		l.counts++
		r := cache.AdjustRequest{ID: "count-" + strconv.Itoa(l.counts)}
		for _, sku := range skus[from:min(len(skus), from+cache.ChangesMax)] {
			r.Changes = append(r.Changes, cache.Change{SKU: location.SKU(sku), Location: place, OnHand: &units})
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

func (l *library) left(ctx context.Context, skus []string) (total int64, err error) {
	for from := 0; from < len(skus); from += cache.AvailabilityMax {
		var r cache.AvailabilityRequest
		for _, sku := range skus[from:min(len(skus), from+cache.AvailabilityMax)] {
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
		return l.rig.redis.XTrimMaxLen(ctx, eventsKey, 1).Err()
	}
	if err := l.settle(ctx); err != nil {
		return err
	}
	for { // the reconciler trims what it has applied
		n, err := l.rig.redis.XLen(ctx, eventsKey).Result()
		if err != nil || n <= 1 {
			return err
		}
		select {
		case <-time.After(openPoll):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// settle waits until the ledger has everything: the operation is durable, and so is all before it.
func (l *library) settle(ctx context.Context) error {
	return l.stock(ctx, []string{"SKU-last"}, 1)
}

// hold makes reservations, by more callers than usual, and has the ledger catch up.
func (l *library) hold(ctx context.Context, from *orders, n int) error {
	mine := make([]order, holdCallers)
	one := func(ctx context.Context, caller int, i int64) (outcome, error) {
		from.fill(&mine[caller], i)
		return l.reserve(ctx, caller, &mine[caller])
	}
	counted, _ := load{callers: holdCallers, duration: holdFor, calls: int64(n)}.run(ctx, one)
	if err := errors.Join(ctx.Err(), counted.failure); err != nil {
		return fmt.Errorf("hold %d reservations: %w", n, err)
	}
	if counted.count[accepted] != int64(n) {
		return fmt.Errorf("only %d of %d reservations were held", counted.count[accepted], n)
	}
	if l.ledger == nil {
		return nil
	}
	return l.settle(ctx)
}

func (l *library) confirm(ctx context.Context, _ int, o *order) (outcome, error) {
	result, err := l.store.Confirm(ctx, cache.TransitionRequest{ID: o.id})
	if err == nil && !result.Durable {
		return 0, errors.New("confirmed, and not durable")
	}
	return storeOutcome(result, err)
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
