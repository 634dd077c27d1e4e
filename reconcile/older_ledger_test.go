package reconcile

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
)

// olderLedger is a deployment whose ledger was restored from a backup, and lacks what was trimmed: its gate is stopped.
func olderLedger(t *testing.T) (*rig, *instance) {
	t.Helper()
	r := newRig(t)
	i := r.started(nil)
	for n := range 5 {
		i.reserve(fmt.Sprint("a", n), "TEE", 1)
		i.confirm(fmt.Sprint("a", n))
	}
	r.await("the stream is trimmed", 3*time.Second, func() error {
		n, err := i.client.XLen(context.Background(), "{holdfast:0}:events").Result()
		if n != 1 {
			return fmt.Errorf("%d entries, %w", n, err)
		}
		return nil
	})
	i.stop()
	_, err := r.pool.Exec(t.Context(), `
create table newer as select sequence, nonce from positions;
update positions set sequence = sequence - 4, nonce = 'before'`)
	must(t, err)
	if err := CheckOlder(t.Context(), i.client, "holdfast", i.ledger); !errors.Is(err, ErrOlderLedger) {
		t.Errorf("before anybody has met it: %v", err)
	}
	i = r.start(nil)
	r.await("the gate is stopped", 5*time.Second, func() error {
		gate, err := i.client.HGet(context.Background(), "{holdfast:0}:stock", "gate").Result()
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
	if _, err := i.store.Reserve(t.Context(), order("b", "TEE", 1)); !errors.Is(err, cache.ErrRebuilding) {
		t.Errorf("reserved: %v", err)
	}
	if err := CheckOlder(t.Context(), i.client, "holdfast", i.ledger); !errors.Is(err, ErrOlderLedger) {
		t.Errorf("%v", err)
	}
	i.stop()
	counted := r.moment()
	i = r.start(func(r *Reconciler) { r.AcceptOlderLedger = true })
	i.open(5 * time.Second)
	i.reserve("b", "TEE", 1)
	if _, err := i.store.Adjust(t.Context(), tees("count", 10, counted)); !errors.Is(err, cache.ErrInvalid) {
		t.Errorf("a count of a moment since which the ledger may lack what left: %v", err)
	}
	_, err := i.store.Adjust(t.Context(), tees("count", 10, r.moment()))
	must(t, err)
	r.check()
}

// TestScenario_NewerLedgerFound has the right ledger be there again after the gate was stopped for an older one: it is
// served on, and nothing is given up.
func TestScenario_NewerLedgerFound(t *testing.T) {
	t.Parallel()
	r, i := olderLedger(t)
	_, err := r.pool.Exec(t.Context(), `update positions p set sequence = n.sequence, nonce = n.nonce from newer n`)
	must(t, err)
	if err := CheckOlder(t.Context(), i.client, "holdfast", i.ledger); err != nil {
		t.Errorf("it is the right one: %v", err)
	}
	i.open(5 * time.Second)
	i.reserve("b", "TEE", 1)
	i.confirm("b")
	r.check()
}
