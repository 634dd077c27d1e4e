package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// olderLedger returns a deployment whose ledger was restored from a backup and lacks entries that
// were trimmed: its gate is stopped.
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
	if err := reconcile.CheckTogether(t.Context(), i.Client, "holdfast", i.Ledger); !errors.Is(err, reconcile.ErrOlderLedger) {
		t.Errorf("before a reconciler has found it: %v", err)
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

// TestScenario_OlderLedger checks that the gate stays closed for an older ledger until an operator
// accepts the loss.
func TestScenario_OlderLedger(t *testing.T) {
	t.Parallel()
	r, i := olderLedger(t)
	if _, err := i.Store.Reserve(t.Context(), reconciletest.Order("b", "TEE", 1)); !errors.Is(err, cache.ErrRebuilding) {
		t.Errorf("reserved: %v", err)
	}
	if err := reconcile.CheckTogether(t.Context(), i.Client, "holdfast", i.Ledger); !errors.Is(err, reconcile.ErrOlderLedger) {
		t.Errorf("%v", err)
	}
	i.Stop()
	lost := r.State("a0")
	lost.Order, lost.Customer, lost.CreationNonce = "order 7", "customer 9", "lost"
	earlier := r.State("a1")
	earlier.Version++
	for id, record := range map[string]string{"lost": lost.Encode(), "a1": earlier.Encode(), "broken": "?"} {
		reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyReservations, id, record).Err())
	}
	counted := moment(r)
	i = r.Start(func(r *reconcile.Reconciler) { r.AcceptOlderLedger = true })
	i.Open(5 * time.Second)
	rows, _ := r.Pool.Query(t.Context(), `
select convert_from(body, 'utf8')::json ->> 'id' || ' ' || (convert_from(body, 'utf8')::json ->> 'state') || ' ' ||
    coalesce(convert_from(body, 'utf8')::json ->> 'order', '') || ' ' || coalesce(convert_from(body, 'utf8')::json ->> 'customer', '')
from quarantine where entry like 'reservation %' and body <> '?' order by 1`)
	kept, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if want := []string{"a1 confirmed  ", "lost confirmed order 7 customer 9"}; err != nil || !slices.Equal(kept, want) {
		t.Errorf("%q are in quarantine, want %q; %v", kept, want, err)
	}
	if n := r.Number(t, `select count(*) from quarantine where entry like 'reservation %'`); n != 3 {
		t.Errorf("%d reservations are in quarantine, want the broken one too", n)
	}
	i.Reserve("b", "TEE", 1)
	if _, err := i.Store.Adjust(t.Context(), tees("count", 10, counted)); !errors.Is(err, cache.ErrInvalid) {
		t.Errorf("a count of a moment for which the ledger may lack movements: %v", err)
	}
	_, err = i.Store.Adjust(t.Context(), tees("count", 10, moment(r)))
	reconciletest.Must(t, err)
	r.Check()
}

// TestScenario_RightLedgerBack brings the right ledger back after the gate was stopped: Redis must
// be served again, and nothing lost.
func TestScenario_RightLedgerBack(t *testing.T) {
	t.Parallel()
	r, i := olderLedger(t)
	_, err := r.Pool.Exec(t.Context(), `update positions p set sequence = n.sequence, nonce = n.nonce from newer n`)
	reconciletest.Must(t, err)
	if err := reconcile.CheckTogether(t.Context(), i.Client, "holdfast", i.Ledger); err != nil {
		t.Errorf("with the right ledger: %v", err)
	}
	i.Open(5 * time.Second)
	i.Reserve("b", "TEE", 1)
	i.Confirm("b")
	r.Check()
}
