package reconcile

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
)

// TestScenario_RefusedExpiry has a ledger that contradicts itself refuse that a hold expires: it is held again, once,
// and expires when the ledger is put right and what the audit names is repaired.
func TestScenario_RefusedExpiry(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.started(nil)
	hold := order("a", "TEE", 2)
	hold.TTL = time.Second
	_, err := i.store.Reserve(t.Context(), hold)
	must(t, err)
	r.quiesce()
	edit := func(held int) {
		t.Helper()
		_, err := r.pool.Exec(t.Context(), `update levels set held = $1 where sku = 'TEE'`, held)
		must(t, err)
	}
	refused := func() (n int) {
		t.Helper()
		must(t, r.pool.QueryRow(t.Context(), `select count(*) from refusals`).Scan(&n))
		return n
	}
	expires := func() {
		t.Helper()
		r.await("it expires", 10*time.Second, func() error {
			if n, _, err := i.store.Expire(context.Background()); err != nil || n == 0 {
				return errors.Join(err, errors.New("not yet"))
			}
			return nil
		})
		r.quiesce()
	}

	edit(1)
	expires()
	if n := refused(); n != 1 {
		t.Fatalf("%d steps were refused, want that it expires", n)
	}
	for range 3 {
		if n, _, err := i.store.Expire(t.Context()); n != 0 || err != nil {
			t.Errorf("%d expired again, %v", n, err)
		}
		r.quiesce()
	}
	if n := i.available("TEE"); n != 8 {
		t.Errorf("%d are available, want that it holds two", n)
	}
	left := i.audit(AuditOptions{Repair: true})
	expectFindings(t, i.ledger, left.ID,
		"counter_drift TEE berlin: 8 on hand 10 committed 0 safety 0 backorder 0 > 9 on hand 10 committed 0 safety 0 backorder 0, open",
		"deadline_missing a: held v3 2 TEE berlin > held v3 2 TEE berlin, open",
		"ledger_inconsistent TEE berlin: nothing > 9 on hand 10 held 1 committed 0 safety 0 backorder 0, open")

	edit(2)
	if done := i.audit(AuditOptions{Repair: true}); done.Drift != 0 || done.Repaired != 1 {
		t.Errorf("after the ledger was put right: %+v", done)
	}
	expires()
	if n := refused(); n != 1 {
		t.Errorf("%d steps were refused, want the one from before", n)
	}
	if read, err := i.store.Reservation(t.Context(), "a"); err != nil || read.State != cache.StateExpired {
		t.Errorf("%+v, %v", read, err)
	}
	r.check()
}
