package audit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestAudit_Clean finds nothing among legitimate states: held, confirmed, part fulfilled, released
// and forgotten.
func TestAudit_Clean(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("held", "TEE", 1)
	i.Reserve("sold", "TEE", 2)
	i.Confirm("sold")
	i.Reserve("half", "TEE", 3)
	half := i.Confirm("half")
	if _, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "half", Version: half.Version, Lines: []cache.LineQuantity{{Line: "1", Quantity: 1}}}); err != nil {
		t.Fatal(err)
	}
	i.Reserve("released", "TEE", 1)
	if _, err := i.Store.Release(t.Context(), cache.TransitionRequest{ID: "released"}); err != nil {
		t.Fatal(err)
	}
	r.Forgets("released")
	done := i.Audit(audit.Options{})
	reconciletest.ExpectFindings(t, i.Ledger, done.ID)
	if done.Levels != 1 || done.Reservations != 3 || done.Drift != 0 {
		t.Errorf("%+v", done)
	}
	r.Check()
}

// TestAudit_Counter finds an edited counter with the exact difference, and repairs it once.
func TestAudit_Counter(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("held", "TEE", 1)
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin", 5).Err())
	found := i.Audit(audit.Options{})
	reconciletest.ExpectFindings(t, i.Ledger, found.ID,
		"counter_drift TEE berlin: 14 on hand 10 committed 0 safety 0 backorder 0 > 9 on hand 10 committed 0 safety 0 backorder 0, open")
	repaired := i.Audit(audit.Options{Repair: true, Actor: "anna"})
	if repaired.Drift != 0 || repaired.Repaired != 1 || i.Available("TEE") != 9 {
		t.Errorf("%+v, %d available", repaired, i.Available("TEE"))
	}
	again := i.Audit(audit.Options{Repair: true})
	reconciletest.ExpectFindings(t, i.Ledger, again.ID)
	r.Check()
}

// TestAudit_Actor refuses an actor that the ledger can't store.
func TestAudit_Actor(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	units := i.Available("TEE")
	a := &audit.Auditor{Client: i.Client, Ledger: i.Ledger}
	for _, actor := range []string{"a\x1db", "a\x00", "\xff", strings.Repeat("a", cache.TextBytesMax+1)} {
		if _, err := a.Run(t.Context(), audit.Options{Repair: true, Actor: actor}); !errors.Is(err, cache.ErrInvalid) {
			t.Errorf("%.5q: %v", actor, err)
		}
	}
	if n := r.Number(t, `select (select count(*) from audits) + (select count(*) from quarantine)`); n != 0 || i.Available("TEE") != units {
		t.Errorf("%d audits and entries in quarantine, %d available", n, i.Available("TEE"))
	}
}
