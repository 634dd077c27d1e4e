package reconcile_test

import (
	"context"
	"errors"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestScenario_StepAfterRefusedConfirm lets a step wait for a confirm that is refused. It must be
// told to repeat itself, and not be refused for lack of stock.
func TestScenario_StepAfterRefusedConfirm(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i, hold, goOn := r.HeldUp()
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), "{holdfast:0}:stock", "TEE\x1fberlin", 10).Err()) // by hand
	i.Reserve("a", "TEE", 10)
	i.Confirm("a")
	i.Reserve("b", "TEE", 10)
	r.Quiesce()
	hold()
	confirmed, released := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := i.Store.Confirm(context.Background(), cache.TransitionRequest{ID: "b"})
		confirmed <- err
	}()
	i.Awaited("b", 2, 1)
	go func() {
		_, err := i.Store.Release(context.Background(), cache.TransitionRequest{ID: "b"})
		released <- err
	}()
	i.Awaited("b", 2, 2)
	goOn()
	if err := <-confirmed; !errors.Is(err, cache.ErrInsufficient) {
		t.Errorf("sold twice: %v", err)
	}
	if err := <-released; !errors.Is(err, cache.ErrNotDurable) || errors.Is(err, cache.ErrInsufficient) {
		t.Errorf("released: %v, want ErrNotDurable alone", err)
	}
	r.Quiesce()
	var wrong *cache.WrongStateError
	if _, err := i.Store.Release(t.Context(), cache.TransitionRequest{ID: "b"}); !errors.As(err, &wrong) || wrong.State != cache.StateExpired {
		t.Errorf("released again: %v", err)
	}
}

// TestScenario_ConfirmRepeatedDuringRefusal repeats a confirm while a later step of its reservation
// is refused. The sale must stand, and nobody may be told to refund it.
func TestScenario_ConfirmRepeatedDuringRefusal(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i, hold, goOn := r.HeldUp()
	i.Reserve("a", "TEE", 6)
	i.Confirm("a")
	delta := int64(-7)
	_, err := i.Store.Adjust(t.Context(), cache.AdjustRequest{ID: "stolen", Changes: []cache.Change{{SKU: "TEE", Location: "berlin", Delta: &delta}}})
	reconciletest.Must(t, err)
	r.Quiesce()
	reconciletest.Must(t, i.Client.HSet(t.Context(), "{holdfast:0}:levels", "TEE\x1fberlin", "10\x1f6\x1f0\x1f0").Err()) // by hand
	hold()
	fulfilled, confirmed := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := i.Store.Fulfill(context.Background(), cache.TransitionRequest{ID: "a", Version: 2, Lines: []cache.LineQuantity{{Line: "1", Quantity: 5}}})
		fulfilled <- err
	}()
	i.Awaited("a", 3, 1)
	go func() {
		_, err := i.Store.Confirm(context.Background(), cache.TransitionRequest{ID: "a"})
		confirmed <- err
	}()
	i.Awaited("a", 3, 2)
	goOn()
	if err := <-fulfilled; !errors.Is(err, cache.ErrInsufficient) {
		t.Errorf("fulfilled five of three: %v", err)
	}
	if err := <-confirmed; !errors.Is(err, cache.ErrNotDurable) {
		t.Errorf("repeated: %v, want ErrNotDurable", err)
	}
	r.Quiesce()
	if result := i.Confirm("a"); !result.Replay {
		t.Errorf("%+v", result)
	}
}
