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
	place   = location.ID("berlin") // where everything is
	holdFor = time.Hour             // longer than any run

	callTimeout = 10 * time.Second // of one call: a benchmark waits, and says how long
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
	counts int // operations so far
}

func openLibrary(_ context.Context, r *rig, _ *scene) (seller, error) {
	return newLibrary(r)
}

func newLibrary(r *rig) (*library, error) {
	store, err := cache.New(r.redis, cache.Options{
		Prefix: Prefix, TTL: holdFor, Timeout: callTimeout, DurableWait: callTimeout, Logger: r.options.Logger,
	})
	return &library{store: store, rig: r}, err
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
	return l.rig.redis.XTrimMaxLen(ctx, tag+"events", 1).Err()
}

func (l *library) close(ctx context.Context) error {
	if err := l.store.Close(ctx); err != nil {
		return fmt.Errorf("holdfast: %w", err)
	}
	return nil
}
