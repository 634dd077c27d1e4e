package reconcile

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
)

// TestScenario_AnotherHistory has Redis go on in a history that is not the ledger's: its sales are not, its
// holds are taken anew, and a person can see what it was.
func TestScenario_AnotherHistory(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	i := s.started(nil)
	i.reserve("known", "TEE", 1)
	i.confirm("known")
	s.quiesce()
	i.stop()
	other := s.unguarded() // writes what no ledger has asked for
	other.reserve("held", "TEE", 3)
	other.reserve("released", "TEE", 1)
	other.reserve("sold", "TEE", 2)
	for id, call := range map[string]func(context.Context, cache.TransitionRequest) (cache.Result, error){
		"released": other.store.Release, "sold": other.store.Confirm,
	} {
		if _, err := call(t.Context(), cache.TransitionRequest{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.pool.Exec(t.Context(), `update positions set nonce = 'of another history'`)
	must(t, err)
	i = s.start(nil)
	i.open(5 * time.Second)
	for id, want := range map[string]cache.State{"known": cache.StateConfirmed, "held": cache.StateHeld, "sold": cache.StateHeld} {
		s.await(id, 3*time.Second, func() error {
			if found, err := i.store.Reservation(context.Background(), id); err != nil || found.State != want {
				return fmt.Errorf("%+v, %w", found, err)
			}
			return nil
		})
	}
	if _, err := i.store.Reservation(t.Context(), "released"); !errors.Is(err, cache.ErrNotFound) {
		t.Errorf("released: %v", err)
	}
	i.confirm("sold")
	if _, err := i.store.Reserve(t.Context(), order("held", "TEE", 3)); err != nil {
		t.Errorf("its caller repeats it: %v", err)
	}
	s.check()
	var n int
	must(t, s.pool.QueryRow(t.Context(), `select count(*) from quarantine`).Scan(&n))
	if n != 5 {
		t.Errorf("%d entries are in quarantine, want 5", n)
	}
}

// TestScenario_AnotherHistoryInPart has a hold of which one line was given back be taken anew without it.
func TestScenario_AnotherHistoryInPart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.started(nil)
	r.quiesce()
	i.stop()
	other, err := cache.New(i.client, cache.Options{})
	must(t, err)
	defer func() { must(t, other.Close(context.Background())) }()
	two := order("part", "TEE", 2)
	two.Lines = append(two.Lines, cache.LineRequest{Line: "2", SKU: "TEE", Quantity: 3})
	_, err = other.Reserve(t.Context(), two)
	must(t, err)
	_, err = other.Release(t.Context(), cache.TransitionRequest{ID: "part", Version: 1, Lines: []cache.LineQuantity{{Line: "2", Quantity: 3}}})
	must(t, err)
	_, err = r.pool.Exec(t.Context(), `update positions set nonce = 'of another history'`)
	must(t, err)
	i = r.start(nil)
	r.await("it is held anew", 5*time.Second, func() error {
		found, err := i.store.Reservation(context.Background(), "part")
		if err == nil && (found.State != cache.StateHeld || len(found.Lines) != 1 || found.Lines[0].Quantity != 2) {
			err = fmt.Errorf("%+v", found)
		}
		return err
	})
	i.confirm("part")
	r.check()
}

// TestScenario_AnotherHistoryOdd has an event of another history that names what no ledger can have keep no gate
// closed.
func TestScenario_AnotherHistoryOdd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.started(nil)
	r.quiesce()
	i.stop()
	text := born("a", reserved(1), "n1").Record.Encode()
	must(t, i.client.XAdd(t.Context(), &redis.XAddArgs{Stream: "{holdfast:0}:events", ID: "1-1000", Values: []string{
		"v", "1", "n", "n1", "e", fmt.Sprintf("%d\x1dreserve\x1fa\x00b\x1f\x1f0\x1f\x1e%s", time.Now().UnixMilli(), text),
	}}).Err())
	_, err := r.pool.Exec(t.Context(), `update positions set nonce = 'of another history'`)
	must(t, err)
	i = r.start(nil)
	i.open(5 * time.Second)
	i.reserve("b", "TEE", 1)
	i.confirm("b")
	r.check()
}
