package reconcile_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestScenario_Transfer moves units to another location in Redis and the ledger, also after a
// rebuild. A repeated transfer must move them once.
func TestScenario_Transfer(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("a", "TEE", 4)
	i.Confirm("a")
	move := cache.TransferRequest{ID: "op", SKU: "TEE", From: "berlin", To: "lyon", Quantity: 6, Reason: "closer", Actor: "anna"}
	done, err := i.Store.Transfer(t.Context(), move)
	if err != nil || !done.Durable || done.Replay || !done.To.Created || done.From.OnHand != 4 {
		t.Fatalf("%+v, %v", done, err)
	}
	reconciletest.Must(t, i.Client.HDel(t.Context(), "{holdfast:0}:operations", "op").Err()) // as after the retention
	if again, err := i.Store.Transfer(t.Context(), move); err != nil || !again.Replay || !again.At.Equal(done.At) || again.To.OnHand != 6 {
		t.Errorf("again: %+v, %v", again, err)
	}
	var rows, net int64
	reconciletest.Must(t, r.Pool.QueryRow(t.Context(), `select count(*), sum(on_hand) from movements
where verb = 'transfer' and operation_id = 'op' and reason = 'closer' and actor = 'anna'`).Scan(&rows, &net))
	if rows != 2 || net != 0 {
		t.Errorf("%d movements of %d units in all", rows, net)
	}
	reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
	i.Open(5 * time.Second)
	if again, err := i.Store.Transfer(t.Context(), move); err != nil || !again.Replay || again.From.OnHand != 4 || again.To.OnHand != 6 {
		t.Errorf("rebuilt: %+v, %v", again, err)
	}
	if known, err := i.Client.HExists(t.Context(), "{holdfast:0}:operations", "op").Result(); err != nil || !known {
		t.Errorf("its id is in Redis: %v, %v", known, err)
	}
	r.Check()
}

// TestScenario_TransferRefused transfers units that the ledger does not have: both levels must be
// as before.
func TestScenario_TransferRefused(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Count("TEE", "lyon", 1)
	const level = "TEE\x1fberlin"
	edit := func(units int64) {
		reconciletest.Must(t, i.Client.HSet(t.Context(), "{holdfast:0}:levels", level, "30\x1f0\x1f0\x1f0").Err())
		reconciletest.Must(t, i.Client.HIncrBy(t.Context(), "{holdfast:0}:stock", level, units).Err())
	}
	edit(20) // by hand
	_, err := i.Store.Transfer(t.Context(), cache.TransferRequest{ID: "op", SKU: "TEE", From: "berlin", To: "lyon", Quantity: 25})
	var short *cache.InsufficientError
	if !errors.As(err, &short) || short.Shortages[0].Available != 10 {
		t.Errorf("moved units that do not exist: %v", err)
	}
	r.Quiesce()
	reconciletest.Must(t, i.Client.HSet(t.Context(), "{holdfast:0}:levels", level, "10\x1f0\x1f0\x1f0").Err())
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), "{holdfast:0}:stock", level, -20).Err())
	r.Check()
}
