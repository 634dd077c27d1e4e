package reconcile_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestScenario_RefusedExpiry lets a ledger that contradicts itself refuse the expiry of a hold. It
// must be held again, once, and expire after the ledger is corrected and the audit has repaired
// Redis.
func TestScenario_RefusedExpiry(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	hold := reconciletest.Order("a", "TEE", 2)
	hold.TTL = time.Second
	_, err := i.Store.Reserve(t.Context(), hold)
	reconciletest.Must(t, err)
	r.Quiesce()
	edit := func(held int) {
		t.Helper()
		_, err := r.Pool.Exec(t.Context(), `update levels set held = $1 where sku = 'TEE'`, held)
		reconciletest.Must(t, err)
	}
	refused := func() (n int) {
		t.Helper()
		reconciletest.Must(t, r.Pool.QueryRow(t.Context(), `select count(*) from refusals`).Scan(&n))
		return n
	}
	expires := func() {
		t.Helper()
		r.Await("it expires", 10*time.Second, func() error {
			if n, _, err := i.Store.Expire(context.Background()); err != nil || n == 0 {
				return errors.Join(err, errors.New("not yet"))
			}
			return nil
		})
		r.Quiesce()
	}

	edit(1)
	expires()
	if n := refused(); n != 1 {
		t.Fatalf("%d steps were refused, want the expiry", n)
	}
	for range 3 {
		if n, _, err := i.Store.Expire(t.Context()); n != 0 || err != nil {
			t.Errorf("%d expired again, %v", n, err)
		}
		r.Quiesce()
	}
	if n := i.Available("TEE"); n != 8 {
		t.Errorf("%d are available, want 8: two are held", n)
	}
	left := i.Audit(audit.Options{Repair: true})
	reconciletest.ExpectFindings(t, i.Ledger, left.ID,
		"counter_drift TEE berlin: 8 on hand 10 committed 0 safety 0 backorder 0 > 9 on hand 10 committed 0 safety 0 backorder 0, open",
		"deadline_missing a: held v3 2 TEE berlin > held v3 2 TEE berlin, open",
		"ledger_inconsistent TEE berlin: nothing > 9 on hand 10 held 1 committed 0 safety 0 backorder 0, open")

	edit(2)
	if done := i.Audit(audit.Options{Repair: true}); done.Drift != 0 || done.Repaired != 1 {
		t.Errorf("after the ledger was put right: %+v", done)
	}
	expires()
	if n := refused(); n != 1 {
		t.Errorf("%d steps were refused, want the one before", n)
	}
	if read, err := i.Store.Reservation(t.Context(), "a"); err != nil || read.State != cache.StateExpired {
		t.Errorf("%+v, %v", read, err)
	}
	r.Check()
}
