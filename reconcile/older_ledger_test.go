package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// olderLedger is a deployment whose ledger was restored from a backup, and lacks what was trimmed: its gate is stopped.
func olderLedger(t *testing.T) (*reconciletest.Rig, *reconciletest.Instance) {
	t.Helper()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	for n := range 5 {
		i.Reserve(fmt.Sprint("a", n), "TEE", 1)
		i.Confirm(fmt.Sprint("a", n))
	}
	r.Await("the stream is trimmed", 3*time.Second, func() error {
		n, err := i.Client.XLen(context.Background(), "{holdfast:0}:events").Result()
		if n != 1 {
			return fmt.Errorf("%d entries, %w", n, err)
		}
		return nil
	})
	i.Stop()
	_, err := r.Pool.Exec(t.Context(), `
create table newer as select sequence, nonce from positions;
update positions set sequence = sequence - 4, nonce = 'before'`)
	reconciletest.Must(t, err)
	if err := reconcile.CheckOlder(t.Context(), i.Client, "holdfast", i.Ledger); !errors.Is(err, reconcile.ErrOlderLedger) {
		t.Errorf("before anybody has met it: %v", err)
	}
	i = r.Start(nil)
	r.Await("the gate is stopped", 5*time.Second, func() error {
		gate, err := i.Client.HGet(context.Background(), "{holdfast:0}:stock", "gate").Result()
		if gate != "stopped" {
			return fmt.Errorf("%q %w", gate, err)
		}
		return nil
	})
	return r, i
}

// TestScenario_OlderLedger has a ledger that was restored from a backup: it lacks what was trimmed. The
// gate stays closed until an operator gives that up.
func TestScenario_OlderLedger(t *testing.T) {
	t.Parallel()
	r, i := olderLedger(t)
	if _, err := i.Store.Reserve(t.Context(), reconciletest.Order("b", "TEE", 1)); !errors.Is(err, cache.ErrRebuilding) {
		t.Errorf("reserved: %v", err)
	}
	if err := reconcile.CheckOlder(t.Context(), i.Client, "holdfast", i.Ledger); !errors.Is(err, reconcile.ErrOlderLedger) {
		t.Errorf("%v", err)
	}
	i.Stop()
	counted := moment(r)
	i = r.Start(func(r *reconcile.Reconciler) { r.AcceptOlderLedger = true })
	i.Open(5 * time.Second)
	i.Reserve("b", "TEE", 1)
	if _, err := i.Store.Adjust(t.Context(), tees("count", 10, counted)); !errors.Is(err, cache.ErrInvalid) {
		t.Errorf("a count of a moment since which the ledger may lack what left: %v", err)
	}
	_, err := i.Store.Adjust(t.Context(), tees("count", 10, moment(r)))
	reconciletest.Must(t, err)
	r.Check()
}

// TestScenario_NewerLedgerFound has the right ledger be there again after the gate was stopped for an older one: it is
// served on, and nothing is given up.
func TestScenario_NewerLedgerFound(t *testing.T) {
	t.Parallel()
	r, i := olderLedger(t)
	_, err := r.Pool.Exec(t.Context(), `update positions p set sequence = n.sequence, nonce = n.nonce from newer n`)
	reconciletest.Must(t, err)
	if err := reconcile.CheckOlder(t.Context(), i.Client, "holdfast", i.Ledger); err != nil {
		t.Errorf("it is the right one: %v", err)
	}
	i.Open(5 * time.Second)
	i.Reserve("b", "TEE", 1)
	i.Confirm("b")
	r.Check()
}
