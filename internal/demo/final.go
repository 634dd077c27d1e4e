package demo

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast/holdfast/cache"
)

// FinalState is what the store says after the sale.
type FinalState struct {
	Levels       []cache.Level
	Reservations map[string]cache.Reservation // by id; without those the store does not know
}

const (
	settlePoll = 50 * time.Millisecond
	settleMax  = ttl + 3*time.Second // after the last call, for holds to expire
	lookupsMax = 32                  // concurrent reads of reservations
)

// settle waits until nothing is held any more. After settleMax something is held forever, which the
// checks report.
func (s *sale) settle(ctx context.Context) error {
	tick := time.NewTicker(settlePoll)
	defer tick.Stop()
	for begun := time.Now(); time.Since(begun) < settleMax; {
		levels, err := s.levels(ctx)
		if err == nil && !slices.ContainsFunc(levels, func(l cache.Level) bool { return l.Held != 0 }) {
			return nil
		}
		if err != nil && !isUnknown(err) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (s *sale) levels(ctx context.Context) ([]cache.Level, error) {
	var all []cache.Level
	for _, sku := range allSKUs {
		levels, err := s.store.Levels(ctx, sku)
		if err != nil && !errors.Is(err, cache.ErrNotFound) {
			return nil, err
		}
		all = append(all, levels...)
	}
	return all, nil
}

// readFinalState reads all levels and the reservations of all orders.
func (s *sale) readFinalState(ctx context.Context, records *Records) (*FinalState, error) {
	levels, err := s.levels(ctx)
	if err != nil {
		return nil, err
	}
	final := &FinalState{Levels: levels, Reservations: make(map[string]cache.Reservation, len(records.Orders))}
	var mu sync.Mutex
	lookups, ctx := errgroup.WithContext(ctx)
	lookups.SetLimit(lookupsMax)
	for i := range records.Orders {
		lookups.Go(func() error {
			r, err := s.store.Reservation(ctx, records.Orders[i].ID)
			if errors.Is(err, cache.ErrNotFound) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			final.Reservations[records.Orders[i].ID] = r
			return err
		})
	}
	return final, lookups.Wait()
}
