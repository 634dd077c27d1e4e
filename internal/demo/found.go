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

// Found is what the Store says when all is over.
type Found struct {
	Levels       []cache.Level
	Reservations map[string]cache.Reservation // by id; those it does not know are not in it
}

const (
	settleEvery  = 50 * time.Millisecond
	settleMax    = ttl + 3*time.Second // after the last call, for holds to end by their deadline
	inquiriesMax = 32                  // reservations looked up at once
)

// settle waits until nothing is held any more, or until it is certain that something is for ever.
func (s *sale) settle(ctx context.Context) error {
	tick := time.NewTicker(settleEvery)
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

// find asks the Store for everything that the books speak of.
func (s *sale) find(ctx context.Context, b *Books) (*Found, error) {
	levels, err := s.levels(ctx)
	if err != nil {
		return nil, err
	}
	found := &Found{Levels: levels, Reservations: make(map[string]cache.Reservation, len(b.Orders))}
	var mu sync.Mutex
	inquiries, ctx := errgroup.WithContext(ctx)
	inquiries.SetLimit(inquiriesMax)
	for i := range b.Orders {
		inquiries.Go(func() error {
			r, err := s.store.Reservation(ctx, b.Orders[i].ID)
			if errors.Is(err, cache.ErrNotFound) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			found.Reservations[b.Orders[i].ID] = r
			return err
		})
	}
	return found, inquiries.Wait()
}
