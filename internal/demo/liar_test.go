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

// liar is a Store that does something else than it says, where a test sets how.
type liar struct {
	*cache.Store
	reserve func(*liar, context.Context, cache.ReserveRequest) (cache.Result, error)
	confirm func(*liar, context.Context, cache.TransitionRequest) (cache.Result, error)
	release func(*liar, context.Context, cache.TransitionRequest) (cache.Result, error)

	choose sync.Once
	victim string
	calls  atomic.Int64
}

func (l *liar) Reserve(ctx context.Context, r cache.ReserveRequest) (cache.Result, error) {
	if l.reserve != nil {
		return l.reserve(l, ctx, r)
	}
	return l.Store.Reserve(ctx, r)
}

func (l *liar) Confirm(ctx context.Context, r cache.TransitionRequest) (cache.Result, error) {
	if l.confirm != nil {
		return l.confirm(l, ctx, r)
	}
	return l.Store.Confirm(ctx, r)
}

func (l *liar) Release(ctx context.Context, r cache.TransitionRequest) (cache.Result, error) {
	if l.release != nil {
		return l.release(l, ctx, r)
	}
	return l.Store.Release(ctx, r)
}

// liesTo says whether a buyer is the one that is lied to: the first that is asked about.
func (l *liar) liesTo(id string) bool {
	l.choose.Do(func() { l.victim = id })
	return l.victim == id
}

// confirmNothing says sold, and sells nothing.
func confirmNothing(l *liar, ctx context.Context, r cache.TransitionRequest) (cache.Result, error) {
	if !l.liesTo(r.ID) {
		return l.Store.Confirm(ctx, r)
	}
	held, err := l.Reservation(ctx, r.ID)
	return cache.Result{Reservation: held}, err
}

// reserveNothing says held, and holds nothing.
func reserveNothing(l *liar, ctx context.Context, r cache.ReserveRequest) (cache.Result, error) {
	result, err := l.Store.Reserve(ctx, r)
	if !errors.Is(err, cache.ErrInsufficient) || !l.liesTo(r.ID) {
		return result, err
	}
	result.ID, result.State = r.ID, cache.StateHeld
	for _, line := range r.Lines {
		result.Lines = append(result.Lines, cache.Line{
			Line: line.Line, SKU: line.SKU, Quantity: line.Quantity,
			From: []cache.Allocation{{Location: places[0].id, Quantity: line.Quantity}},
		})
	}
	return result, nil
}

// reserveTwice forgets now and then that an id was used.
func reserveTwice(l *liar, ctx context.Context, r cache.ReserveRequest) (cache.Result, error) {
	if l.calls.Add(1)%2 == 0 {
		r.ID += "-again"
	}
	return l.Store.Reserve(ctx, r)
}

// releaseAnd changes on hand by delta behind everybody's back, once.
func releaseAnd(delta int64) func(*liar, context.Context, cache.TransitionRequest) (cache.Result, error) {
	return func(l *liar, ctx context.Context, r cache.TransitionRequest) (cache.Result, error) {
		result, err := l.Store.Release(ctx, r)
		_, other := l.Adjust(ctx, cache.AdjustRequest{ID: "behind", Changes: []cache.Change{
			{SKU: hotSKU, Location: places[0].id, Delta: &delta},
		}})
		return result, errors.Join(err, other)
	}
}

func neverConfirm(*liar, context.Context, cache.TransitionRequest) (cache.Result, error) {
	return cache.Result{}, cache.ErrNotFound
}

// TestSaleCatchesALyingStore runs whole sales on a Store that lies.
func TestSaleCatchesALyingStore(t *testing.T) {
	for _, test := range []struct {
		name string
		lie  *liar
		want string // a check that must find it
	}{
		{"says sold and sells nothing", &liar{confirm: confirmNothing}, checkReservation},
		{"says held and holds nothing", &liar{reserve: reserveNothing}, checkReservation},
		{"takes the units of a retry again", &liar{reserve: reserveTwice}, checkTakenTwice},
		{"loses a unit", &liar{release: releaseAnd(-1)}, checkUnits},
		{"makes a unit up", &liar{release: releaseAnd(+1)}, checkUnits},
		{"never confirms", &liar{confirm: neverConfirm}, checkAnswers},
	} {
		t.Run(test.name, func(t *testing.T) { // one after another: each sale wants the machine for itself
			o := small(t)
			o.Units, o.Duration = 100, 2*time.Second
			store, err := cache.New(embedded(t), cache.Options{Prefix: Prefix, TTL: ttl, Timeout: callTimeout, Logger: o.Logger})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = store.Close(context.Background()) }() // a test's store ends with it
			test.lie.Store = store
			r, err := sell(t.Context(), test.lie, o)
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
