package reconcile_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestScenario_LargeOrders takes several orders of as many lines as there may be through their life, all
// at once. The script answers some of a batch, and the others are sent again. The ledger has them all,
// and a rebuild loads them.
func TestScenario_LargeOrders(t *testing.T) {
	t.Parallel()
	const orders = 3
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	stock := cache.AdjustRequest{ID: "many", Reason: "count"}
	var lines []cache.LineRequest
	var all []cache.LineQuantity
	for n := range cache.LinesMax {
		units, sku := int64(orders), location.SKU(fmt.Sprint("S", n))
		stock.Changes = append(stock.Changes, cache.Change{SKU: sku, Location: "lyon", OnHand: &units})
		lines = append(lines, cache.LineRequest{Line: fmt.Sprint(n), SKU: sku, Quantity: 1})
		all = append(all, cache.LineQuantity{Line: fmt.Sprint(n), Quantity: 1})
	}
	if _, err := i.Store.Adjust(t.Context(), stock); err != nil {
		t.Fatal(err)
	}
	step := func(name string, state cache.State, call func(ctx context.Context, id string) (cache.Result, error)) {
		t.Helper()
		var callers sync.WaitGroup
		for n := range orders {
			callers.Go(func() {
				got, err := call(t.Context(), fmt.Sprint("big", n))
				if err != nil || got.State != state || len(got.Lines) != cache.LinesMax {
					t.Errorf("%s of big%d: %s with %d lines, %v", name, n, got.State, len(got.Lines), err)
				}
			})
		}
		callers.Wait()
		r.Check()
	}
	step("reserve", cache.StateHeld, func(ctx context.Context, id string) (cache.Result, error) {
		return i.Store.Reserve(ctx, cache.ReserveRequest{ID: id, Lines: lines})
	})
	step("confirm", cache.StateConfirmed, func(ctx context.Context, id string) (cache.Result, error) {
		return i.Store.Confirm(ctx, cache.TransitionRequest{ID: id})
	})
	step("fulfill", cache.StateFulfilled, func(ctx context.Context, id string) (cache.Result, error) {
		return i.Store.Fulfill(ctx, cache.TransitionRequest{ID: id, Version: 2, Lines: all})
	})
	reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
	i.Open(30 * time.Second)
	step("unfulfill", cache.StateConfirmed, func(ctx context.Context, id string) (cache.Result, error) {
		return i.Store.Unfulfill(ctx, cache.UnfulfillRequest{ID: "back-" + id, Reservation: id, Version: 3, Lines: all})
	})
	step("release", cache.StateReleased, func(ctx context.Context, id string) (cache.Result, error) {
		return i.Store.Release(ctx, cache.TransitionRequest{ID: id})
	})
}
