package demo

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
)

// faultyStore is a Store whose methods a test can replace with faulty ones.
type faultyStore struct {
	*cache.Store
	reserve func(*faultyStore, context.Context, cache.ReserveRequest) (cache.Result, error)
	confirm func(*faultyStore, context.Context, cache.TransitionRequest) (cache.Result, error)
	release func(*faultyStore, context.Context, cache.TransitionRequest) (cache.Result, error)

	choose sync.Once
	victim string
	calls  atomic.Int64
}

func (s *faultyStore) Reserve(ctx context.Context, r cache.ReserveRequest) (cache.Result, error) {
	if s.reserve != nil {
		return s.reserve(s, ctx, r)
	}
	return s.Store.Reserve(ctx, r)
}

func (s *faultyStore) Confirm(ctx context.Context, r cache.TransitionRequest) (cache.Result, error) {
	if s.confirm != nil {
		return s.confirm(s, ctx, r)
	}
	return s.Store.Confirm(ctx, r)
}

func (s *faultyStore) Release(ctx context.Context, r cache.TransitionRequest) (cache.Result, error) {
	if s.release != nil {
		return s.release(s, ctx, r)
	}
	return s.Store.Release(ctx, r)
}

// affects reports whether a fault affects a reservation: the first one that it is asked about.
func (s *faultyStore) affects(id string) bool {
	s.choose.Do(func() { s.victim = id })
	return s.victim == id
}

// confirmNothing reports a sale, but sells nothing.
func confirmNothing(s *faultyStore, ctx context.Context, r cache.TransitionRequest) (cache.Result, error) {
	if !s.affects(r.ID) {
		return s.Store.Confirm(ctx, r)
	}
	held, err := s.Reservation(ctx, r.ID)
	return cache.Result{Reservation: held}, err
}

// reserveNothing reports a hold, but holds nothing.
func reserveNothing(s *faultyStore, ctx context.Context, r cache.ReserveRequest) (cache.Result, error) {
	result, err := s.Store.Reserve(ctx, r)
	if !errors.Is(err, cache.ErrInsufficient) || !s.affects(r.ID) {
		return result, err
	}
	result.ID, result.State = r.ID, cache.StateHeld
	for _, line := range r.Lines {
		result.Lines = append(result.Lines, cache.Line{
			Line: line.Line, SKU: line.SKU, Quantity: line.Quantity,
			From: []cache.Allocation{{Location: locations[0].id, Quantity: line.Quantity}},
		})
	}
	return result, nil
}

// reserveTwice treats every second call as a new reservation.
func reserveTwice(s *faultyStore, ctx context.Context, r cache.ReserveRequest) (cache.Result, error) {
	if s.calls.Add(1)%2 == 0 {
		r.ID += "-again"
	}
	return s.Store.Reserve(ctx, r)
}

// releaseAnd also changes on hand by delta, once.
func releaseAnd(delta int64) func(*faultyStore, context.Context, cache.TransitionRequest) (cache.Result, error) {
	return func(s *faultyStore, ctx context.Context, r cache.TransitionRequest) (cache.Result, error) {
		result, err := s.Store.Release(ctx, r)
		_, other := s.Adjust(ctx, cache.AdjustRequest{ID: "behind", Changes: []cache.Change{
			{SKU: hotSKU, Location: locations[0].id, Delta: &delta},
		}})
		return result, errors.Join(err, other)
	}
}

func neverConfirm(*faultyStore, context.Context, cache.TransitionRequest) (cache.Result, error) {
	return cache.Result{}, cache.ErrNotFound
}

// TestSaleFindsFaultyStore runs whole sales on a faulty store.
func TestSaleFindsFaultyStore(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault *faultyStore
		want  string // a check that must find it
	}{
		{"reports a sale, sells nothing", &faultyStore{confirm: confirmNothing}, checkReservation},
		{"reports a hold, holds nothing", &faultyStore{reserve: reserveNothing}, checkReservation},
		{"takes the units of a retry again", &faultyStore{reserve: reserveTwice}, checkTakenTwice},
		{"loses a unit", &faultyStore{release: releaseAnd(-1)}, checkUnits},
		{"invents a unit", &faultyStore{release: releaseAnd(+1)}, checkUnits},
		{"never confirms", &faultyStore{confirm: neverConfirm}, checkAnswers},
	} {
		t.Run(test.name, func(t *testing.T) { // not in parallel: each sale needs the whole machine
			o := small(t)
			o.Units, o.Duration = 100, 2*time.Second
			store, err := cache.New(embedded(t), cache.Options{Prefix: Prefix, TTL: ttl, Timeout: callTimeout, Logger: o.Logger})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = store.Close(context.Background()) }()
			test.fault.Store = store
			r, err := sell(t.Context(), test.fault, o)
			if err != nil {
				t.Fatalf("seed %d: %v", o.Seed, err)
			}
			if r.OK || r.Err() == nil {
				t.Fatalf("seed %d: nothing was found", o.Seed)
			}
			found := func(f Finding) bool { return f.Check == test.want }
			if !slices.ContainsFunc(r.Findings, found) {
				t.Errorf("seed %d: the check of %s did not find it, only: %v", o.Seed, test.want, r.Findings)
			}
		})
	}
}
