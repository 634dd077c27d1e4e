package reconcile

import (
	"context"
	"errors"
	"testing"

	"github.com/holdfast/holdfast/cache"
)

// TestWaiters_AnotherEpoch has a call whose step was lost not be answered by a step of the next epoch that led to
// the same version and state: that one may have moved other units.
func TestWaiters_AnotherEpoch(t *testing.T) {
	step := born("a", event(cache.VerbFulfill, cache.StateConfirmed, rec(cache.StateConfirmed, 3, 2, 1)), "n1")
	waiting, decided := make(chan struct{}, 1), make(chan struct{})
	w := newWaiters(func(_ context.Context, list []cache.Awaited) ([]error, error) {
		select {
		case waiting <- struct{}{}:
		default:
		}
		<-decided
		return make([]error, len(list)), cache.ErrNotDurable
	})
	answered := make(chan error, 1)
	go func() { answered <- w.await(t.Context(), awaited(step, "n7", 1)) }()
	<-waiting
	refused := refusal{step: step.Step("n8"), entry: entryID{2, 4}, reason: reasonOversold}
	w.decided([]entry{{id: entryID{2, 3}, nonce: "n8", events: []cache.Event{step}}}, nil)
	w.decided([]entry{{id: entryID{2, 4}, nonce: "n8", events: []cache.Event{step}}}, []refusal{refused})
	close(decided)
	if err := <-answered; !errors.Is(err, cache.ErrNotDurable) {
		t.Errorf("answered by a step of another epoch: %v", err)
	}
}
