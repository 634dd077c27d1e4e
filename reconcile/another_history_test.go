package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestScenario_AnotherHistory lets Redis go on in a history that is not the ledger's. Its sales do
// not count, its holds are taken again, and its entries are kept in quarantine.
func TestScenario_AnotherHistory(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	i := s.Started(nil)
	i.Reserve("known", "TEE", 1)
	i.Confirm("known")
	s.Quiesce()
	i.Stop()
	other := s.unguarded() // writes entries that the ledger does not continue
	other.Reserve("held", "TEE", 3)
	other.Reserve("released", "TEE", 1)
	other.Reserve("sold", "TEE", 2)
	for id, call := range map[string]func(context.Context, cache.TransitionRequest) (cache.Result, error){
		"released": other.Store.Release, "sold": other.Store.Confirm,
	} {
		if _, err := call(t.Context(), cache.TransitionRequest{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Pool.Exec(t.Context(), `update positions set nonce = 'of another history'`)
	reconciletest.Must(t, err)
	i = s.Start(nil)
	i.Open(5 * time.Second)
	for id, want := range map[string]cache.State{"known": cache.StateConfirmed, "held": cache.StateHeld, "sold": cache.StateHeld} {
		s.Await(id, 3*time.Second, func() error {
			if found, err := i.Store.Reservation(context.Background(), id); err != nil || found.State != want {
				return fmt.Errorf("%+v, %w", found, err)
			}
			return nil
		})
	}
	if _, err := i.Store.Reservation(t.Context(), "released"); !errors.Is(err, cache.ErrNotFound) {
		t.Errorf("released: %v", err)
	}
	i.Confirm("sold")
	if _, err := i.Store.Reserve(t.Context(), reconciletest.Order("held", "TEE", 3)); err != nil {
		t.Errorf("repeated by its caller: %v", err)
	}
	s.Check()
	var n int
	reconciletest.Must(t, s.Pool.QueryRow(t.Context(), `select count(*) from quarantine`).Scan(&n))
	if n != 5 {
		t.Errorf("%d entries are in quarantine, want 5", n)
	}
}

// TestScenario_AnotherHistoryInPart checks that a hold of another history is taken again without
// the line that was given back.
func TestScenario_AnotherHistoryInPart(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	r.Quiesce()
	i.Stop()
	other, err := cache.New(i.Client, cache.Options{})
	reconciletest.Must(t, err)
	defer func() { reconciletest.Must(t, other.Close(context.Background())) }()
	two := reconciletest.Order("part", "TEE", 2)
	two.Lines = append(two.Lines, cache.LineRequest{Line: "2", SKU: "TEE", Quantity: 3})
	_, err = other.Reserve(t.Context(), two)
	reconciletest.Must(t, err)
	_, err = other.Release(t.Context(), cache.TransitionRequest{ID: "part", Version: 1, Lines: []cache.LineQuantity{{Line: "2", Quantity: 3}}})
	reconciletest.Must(t, err)
	_, err = r.Pool.Exec(t.Context(), `update positions set nonce = 'of another history'`)
	reconciletest.Must(t, err)
	i = r.Start(nil)
	r.Await("it is held again", 5*time.Second, func() error {
		found, err := i.Store.Reservation(context.Background(), "part")
		if err == nil && (found.State != cache.StateHeld || len(found.Lines) != 1 || found.Lines[0].Quantity != 2) {
			err = fmt.Errorf("%+v", found)
		}
		return err
	})
	i.Confirm("part")
	r.Check()
}

// TestScenario_AnotherHistoryInvalidID checks that an event of another history with an id that no
// ledger can store does not keep the gate closed.
func TestScenario_AnotherHistoryInvalidID(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	r.Quiesce()
	i.Stop()
	text := ledgertest.Born("a", ledgertest.Reserved(1), "n1").Record.Encode()
	reconciletest.Must(t, i.Client.XAdd(t.Context(), &redis.XAddArgs{Stream: "{holdfast:0}:events", ID: "1-1000", Values: []string{
		"v", "1", "n", "n1", "e", fmt.Sprintf("%d\x1dreserve\x1fa\x00b\x1f\x1f0\x1f\x1e%s", time.Now().UnixMilli(), text),
	}}).Err())
	_, err := r.Pool.Exec(t.Context(), `update positions set nonce = 'of another history'`)
	reconciletest.Must(t, err)
	i = r.Start(nil)
	i.Open(5 * time.Second)
	i.Reserve("b", "TEE", 1)
	i.Confirm("b")
	r.Check()
}
