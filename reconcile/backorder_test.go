package reconcile_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestScenario_Backorder sells more than there is, and loses Redis in between: the ledger has all of
// it, and the rebuilt Redis counts below zero again.
func TestScenario_Backorder(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	backordered := func(id string, units int64) cache.Result {
		t.Helper()
		order := reconciletest.Order(id, "TEE", units)
		order.Lines[0].Backorder = true
		result, err := i.Store.Reserve(t.Context(), order)
		reconciletest.Must(t, err)
		return result
	}
	expect := func(when, want string) {
		t.Helper()
		r.Check()
		levels, err := i.Store.Levels(t.Context(), "TEE")
		reconciletest.Must(t, err)
		l := levels[0]
		if got := fmt.Sprint(l.OnHand, l.Held, l.Committed, l.Available, l.Backordered()); got != want {
			t.Errorf("%s: on hand, held, committed, available, backordered are %s, want %s", when, got, want)
		}
	}
	i.Reserve("plain", "TEE", 8)
	i.Confirm("plain")
	if result := backordered("late", 5); result.Lines[0].Backordered != 3 {
		t.Errorf("%+v", result)
	}
	i.Confirm("late")
	backordered("held", 4)
	expect("sold", "10 4 13 -7 7")
	if _, err := i.Store.Reserve(t.Context(), reconciletest.Order("more", "TEE", 1)); !errors.Is(err, cache.ErrInsufficient) {
		t.Errorf("a plain line: %v", err)
	}

	reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
	i.Open(5 * time.Second)
	expect("rebuilt", "10 4 13 -7 7")
	i.Confirm("held")
	if read, err := i.Store.Reservation(t.Context(), "held"); err != nil || !read.Lines[0].Backorder || read.Lines[0].Backordered != 4 {
		t.Errorf("%+v, %v", read, err)
	}
	ship := func(id string, version, units int64) error {
		t.Helper()
		_, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: id, Version: version, Lines: []cache.LineQuantity{{Line: "1", Quantity: units}}})
		return err
	}
	reconciletest.Must(t, ship("late", 2, 2))
	// On hand would suffice, but it belongs to the plain sale: the ledger refuses, and Redis undoes the step.
	var short *cache.InsufficientError
	if err := ship("held", 2, 1); !errors.As(err, &short) || fmt.Sprint(short.Shortages) != "[{1 TEE 1 0}]" {
		t.Errorf("units of a plain sale: %v", err)
	}
	expect("undone", "8 0 15 -7 7")
	i.Count("TEE", "berlin", 12)
	reconciletest.Must(t, ship("late", 3, 3))
	reconciletest.Must(t, ship("plain", 2, 8))
	expect("shipped", "1 0 4 -3 3")
	units := int64(1)
	result, err := i.Store.Adjust(t.Context(), cache.AdjustRequest{ID: "again", Changes: []cache.Change{{SKU: "TEE", Location: "berlin", OnHand: &units}}})
	if err != nil || result.Levels[0].Shortfall() != 3 || fmt.Sprint(result.Levels[0].Short) != "[{held   4}]" {
		t.Errorf("short: %+v, %v", result, err)
	}
}

// TestScenario_BackorderLapsed lets a backordered hold expire and confirms it later, moves it, and takes
// some of it back.
func TestScenario_BackorderLapsed(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Count("TEE", "lyon", 1)
	order := reconciletest.Order("late", "TEE", 12)
	order.TTL, order.Lines[0].Backorder, order.Lines[0].Location = time.Second, true, "berlin"
	_, err := i.Store.Reserve(t.Context(), order)
	reconciletest.Must(t, err)
	r.Await("it has expired", 10*time.Second, func() error {
		_, _, err := i.Store.Expire(t.Context())
		if read, wrong := i.Store.Reservation(t.Context(), "late"); wrong != nil || read.Version != 2 {
			return errors.Join(fmt.Errorf("%+v", read), wrong, err)
		}
		return err
	})
	i.Reserve("plain", "TEE", 10)
	i.Confirm("plain")
	i.Confirm("late")
	r.Check()
	_, err = i.Store.Move(t.Context(), cache.MoveRequest{ID: "late", Version: 3, Line: "1", To: "lyon"})
	reconciletest.Must(t, err)
	r.Check()
	i.Count("TEE", "lyon", 12)
	_, err = i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "late"})
	reconciletest.Must(t, err)
	_, err = i.Store.Return(t.Context(), cache.ReturnRequest{ID: "ret", Reservation: "late", To: "lyon", Lines: []cache.LineQuantity{{Line: "1", Quantity: 2}}})
	reconciletest.Must(t, err)
	r.Check()
	for at, want := range map[location.ID]string{"berlin": "10 10 0", "lyon": "2 0 2"} {
		levels, err := i.Store.Levels(t.Context(), "TEE")
		reconciletest.Must(t, err)
		for _, l := range levels {
			if got := fmt.Sprint(l.OnHand, l.Committed, l.Available); l.Location == at && got != want {
				t.Errorf("%s: %s, want %s", at, got, want)
			}
		}
	}
}
