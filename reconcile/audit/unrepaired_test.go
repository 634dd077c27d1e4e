package audit_test

import (
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestRepair_InconsistentLevel does not copy a row of the ledger into Redis that disagrees with its
// movements.
func TestRepair_InconsistentLevel(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("a", "TEE", 1)
	r.Quiesce()
	if _, err := r.Pool.Exec(t.Context(), `update levels set on_hand = 17 where sku = 'TEE'`); err != nil {
		t.Fatal(err)
	}
	repaired := i.Audit(audit.Options{Repair: true})
	reconciletest.ExpectFindings(t, i.Ledger, repaired.ID,
		"counter_drift TEE berlin: 9 on hand 10 committed 0 safety 0 backorder 0 > 16 on hand 17 committed 0 safety 0 backorder 0, open",
		"ledger_inconsistent TEE berlin: nothing > 16 on hand 17 held 1 committed 0 safety 0 backorder 0, open")
	if n := i.Available("TEE"); n != 9 {
		t.Errorf("%d are available in redis, want the 9 from before", n)
	}
	if _, err := r.Pool.Exec(t.Context(), `update levels set on_hand = 10 where sku = 'TEE'`); err != nil {
		t.Fatal(err)
	}
	r.Check()
}

// TestRepair_InconsistentReservation does not copy a reservation into Redis if its row in the
// ledger disagrees with the movements: a paid reservation would become a hold there, and expire.
func TestRepair_InconsistentReservation(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("paid", "TEE", 2)
	i.Confirm("paid")
	r.Quiesce()
	edit := func(state string) {
		t.Helper()
		if _, err := r.Pool.Exec(t.Context(), `update reservations
set state = $1, resolved_at = case when $1 = 'released' then now() end where id = 'paid'`, state); err != nil {
			t.Fatal(err)
		}
	}
	record := func() string {
		t.Helper()
		text, err := i.Client.HGet(t.Context(), reconciletest.KeyReservations, "paid").Result()
		reconciletest.Must(t, err)
		return text
	}
	before := record()
	for _, state := range []string{"held", "released"} {
		edit(state)
		p := plan(i, audit.Options{})
		if len(p.Repairs) != 0 || len(p.Left) != 2 {
			t.Errorf("%s: planned %v", state, planned(p))
		}
		if done := i.Audit(audit.Options{Repair: true}); done.Repaired != 0 || done.Drift != 2 {
			t.Errorf("%s: %s", state, strings.Join(reconciletest.Findings(t, i.Ledger, done.ID), "\n"))
		}
		if now := record(); now != before {
			t.Errorf("%s: the record in Redis is %q, was %q", state, now, before)
		}
	}
	edit("confirmed")
	reconciletest.ExpectFindings(t, i.Ledger, i.Audit(audit.Options{Repair: true}).ID)
	r.Check()
}

// TestRepair_InconsistentOutOfScope audits one SKU, and leaves a reservation whose line of another
// SKU disagrees with the movements.
func TestRepair_InconsistentOutOfScope(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Count("MUG", "berlin", 10)
	i.Count("CAP", "berlin", 10)
	both := reconciletest.Order("both", "TEE", 2)
	both.Lines = append(both.Lines, cache.LineRequest{Line: "2", SKU: "MUG", Quantity: 1})
	_, err := i.Store.Reserve(t.Context(), both)
	reconciletest.Must(t, err)
	r.Quiesce()
	edit := func(query string) {
		t.Helper()
		_, err := r.Pool.Exec(t.Context(), query)
		reconciletest.Must(t, err)
	}
	before, err := i.Client.HGet(t.Context(), reconciletest.KeyReservations, "both").Result()
	reconciletest.Must(t, err)
	edit(`update reservation_lines set requested = 3, quantities = '{3}' where sku = 'MUG'`)
	edit(`update levels set held = 5 where sku = 'CAP'`) // not part of the audit
	want := []string{
		"ledger_inconsistent MUG berlin: nothing > 9 on hand 10 held 1 committed 0 safety 0 backorder 0, open",
		"reservation_state both: held v1 2 TEE berlin, 1 MUG berlin > held v1 2 TEE berlin, 3 MUG berlin, open",
	}
	only := audit.Options{SKU: "TEE"}
	if p := plan(i, only); len(p.Repairs) != 0 || len(p.Left) != 2 {
		t.Errorf("planned %v", planned(p))
	}
	only.Repair = true
	reconciletest.ExpectFindings(t, i.Ledger, i.Audit(only).ID, want...)
	if now, err := i.Client.HGet(t.Context(), reconciletest.KeyReservations, "both").Result(); err != nil || now != before {
		t.Errorf("the record in Redis is %q, was %q, %v", now, before, err)
	}
	edit(`update reservation_lines set requested = 1, quantities = '{1}' where sku = 'MUG'`)
	edit(`update levels set held = 0 where sku = 'CAP'`)
	r.Check()
}
