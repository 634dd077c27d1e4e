package ledgertest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// TestWaiters_AnotherEpoch waits for a step that was lost. A step of the next epoch with the same
// version and state must not answer the call, because it may have moved other units.
func TestWaiters_AnotherEpoch(t *testing.T) {
	step := ledgertest.Born("a", ledgertest.Event(cache.VerbFulfill, cache.StateConfirmed, ledgertest.RecordOf(cache.StateConfirmed, 3, 2, 1)), "n1")
	waiting, decided := make(chan struct{}, 1), make(chan struct{})
	w := ledger.NewWaiters(func(_ context.Context, list []wire.Awaited) ([]error, error) {
		select {
		case waiting <- struct{}{}:
		default:
		}
		<-decided
		return make([]error, len(list)), cache.ErrNotDurable
	})
	answered := make(chan error, 1)
	go func() { answered <- w.Await(t.Context(), ledgertest.Awaited(step, "n7", 1)) }()
	<-waiting
	refused := ledger.Refusal{Step: step.Step("n8"), Entry: ledger.EntryID{Epoch: 2, Sequence: 4}, Reason: ledger.ReasonOversold}
	w.Decided([]ledger.Entry{{ID: ledger.EntryID{Epoch: 2, Sequence: 3}, Nonce: "n8", Events: []wire.Event{step}}}, nil)
	w.Decided([]ledger.Entry{{ID: ledger.EntryID{Epoch: 2, Sequence: 4}, Nonce: "n8", Events: []wire.Event{step}}}, []ledger.Refusal{refused})
	close(decided)
	if err := <-answered; !errors.Is(err, cache.ErrNotDurable) {
		t.Errorf("answered by a step of another epoch: %v", err)
	}
}
