package reconcile

import (
	"strings"
	"testing"
)

// TestAudit_Inconsistent has a row of the ledger that disagrees with its movements not be copied into Redis.
func TestAudit_Inconsistent(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	i.reserve("a", "TEE", 1)
	r.quiesce()
	if _, err := r.pool.Exec(t.Context(), `update levels set on_hand = 17 where sku = 'TEE'`); err != nil {
		t.Fatal(err)
	}
	repaired := i.audit(AuditOptions{Repair: true})
	expectFindings(t, i.ledger, repaired.ID,
		"counter_drift TEE berlin: 9 on hand 10 committed 0 safety 0 backorder 0 > 16 on hand 17 committed 0 safety 0 backorder 0, open",
		"ledger_inconsistent TEE berlin: nothing > 16 on hand 17 held 1 committed 0 safety 0 backorder 0, open")
	if n := i.available("TEE"); n != 9 {
		t.Errorf("%d are available in redis, want the 9 from before", n)
	}
	if _, err := r.pool.Exec(t.Context(), `update levels set on_hand = 10 where sku = 'TEE'`); err != nil {
		t.Fatal(err)
	}
	r.check()
}

// TestAudit_InconsistentLines has a reservation whose row or lines in the ledger disagree with the movements
// not be copied into Redis: what is paid for would be a hold there again, and lapse.
func TestAudit_InconsistentLines(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	i.reserve("paid", "TEE", 2)
	i.confirm("paid")
	r.quiesce()
	edit := func(state string) {
		t.Helper()
		if _, err := r.pool.Exec(t.Context(), `update reservations
set state = $1, resolved_at = case when $1 = 'released' then now() end where id = 'paid'`, state); err != nil {
			t.Fatal(err)
		}
	}
	record := func() string {
		t.Helper()
		text, err := i.client.HGet(t.Context(), keyReservations, "paid").Result()
		mustDo(t, err)
		return text
	}
	before := record()
	for _, state := range []string{"held", "released"} {
		edit(state)
		p := i.plan(AuditOptions{})
		if len(p.Repairs) != 0 || len(p.Left) != 2 {
			t.Errorf("%s: planned %v", state, planned(p))
		}
		if done := i.audit(AuditOptions{Repair: true}); done.Repaired != 0 || done.Drift != 2 {
			t.Errorf("%s: %s", state, strings.Join(findings(t, i.ledger, done.ID), "\n"))
		}
		if now := record(); now != before {
			t.Errorf("%s: the record in Redis is %q, was %q", state, now, before)
		}
	}
	edit("confirmed")
	expectFindings(t, i.ledger, i.audit(AuditOptions{Repair: true}).ID)
	r.check()
}
