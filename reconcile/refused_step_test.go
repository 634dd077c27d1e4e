package reconcile

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
)

// awaited waits until so many calls wait for a version of a reservation.
func (i *instance) awaited(id string, version int64, calls int) {
	i.rig.tb.Helper()
	i.rig.await(fmt.Sprintf("%d calls wait for %s", calls, id), 2*time.Second, func() error {
		if n := i.ledger.Waiting(id, version); n != calls {
			return fmt.Errorf("%d calls do", n)
		}
		return nil
	})
}

// TestScenario_AfterRefused has a step that waited for a confirm be told to repeat itself where that is refused: its
// own is not refused for want of stock.
func TestScenario_AfterRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i, hold, goOn := r.heldUp()
	must(t, i.client.HIncrBy(t.Context(), "{holdfast:0}:stock", "TEE\x1fberlin", 10).Err()) // by hand
	i.reserve("a", "TEE", 10)
	i.confirm("a")
	i.reserve("b", "TEE", 10)
	r.quiesce()
	hold()
	confirmed, released := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := i.store.Confirm(context.Background(), cache.TransitionRequest{ID: "b"})
		confirmed <- err
	}()
	i.awaited("b", 2, 1)
	go func() {
		_, err := i.store.Release(context.Background(), cache.TransitionRequest{ID: "b"})
		released <- err
	}()
	i.awaited("b", 2, 2)
	goOn()
	if err := <-confirmed; !errors.Is(err, cache.ErrInsufficient) {
		t.Errorf("sold twice: %v", err)
	}
	if err := <-released; !errors.Is(err, cache.ErrNotDurable) || errors.Is(err, cache.ErrInsufficient) {
		t.Errorf("released: %v, want that it be repeated", err)
	}
	r.quiesce()
	var wrong *cache.WrongStateError
	if _, err := i.store.Release(t.Context(), cache.TransitionRequest{ID: "b"}); !errors.As(err, &wrong) || wrong.State != cache.StateExpired {
		t.Errorf("released again: %v", err)
	}
}

// TestScenario_RepeatedBesideRefused has a confirm be repeated while a later step of its reservation is refused: what
// was sold stays sold, and nobody is told to refund it.
func TestScenario_RepeatedBesideRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i, hold, goOn := r.heldUp()
	i.reserve("a", "TEE", 6)
	i.confirm("a")
	delta := int64(-7)
	_, err := i.store.Adjust(t.Context(), cache.AdjustRequest{ID: "stolen", Changes: []cache.Change{{SKU: "TEE", Location: "berlin", Delta: &delta}}})
	must(t, err)
	r.quiesce()
	must(t, i.client.HSet(t.Context(), "{holdfast:0}:levels", "TEE\x1fberlin", "10\x1f6\x1f0\x1f0").Err()) // by hand
	hold()
	fulfilled, confirmed := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := i.store.Fulfill(context.Background(), cache.TransitionRequest{ID: "a", Version: 2, Lines: []cache.LineQuantity{{Line: "1", Quantity: 5}}})
		fulfilled <- err
	}()
	i.awaited("a", 3, 1)
	go func() {
		_, err := i.store.Confirm(context.Background(), cache.TransitionRequest{ID: "a"})
		confirmed <- err
	}()
	i.awaited("a", 3, 2)
	goOn()
	if err := <-fulfilled; !errors.Is(err, cache.ErrInsufficient) {
		t.Errorf("five of three have left: %v", err)
	}
	if err := <-confirmed; !errors.Is(err, cache.ErrNotDurable) {
		t.Errorf("repeated: %v, want that it be repeated", err)
	}
	r.quiesce()
	if result := i.confirm("a"); !result.Replay {
		t.Errorf("%+v", result)
	}
}
