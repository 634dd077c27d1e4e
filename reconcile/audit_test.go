package reconcile

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
)

// TestAudit_Clean has everything that can be legitimately different be no finding.
func TestAudit_Clean(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	i.reserve("held", "TEE", 1)
	i.reserve("sold", "TEE", 2)
	i.confirm("sold")
	i.reserve("half", "TEE", 3)
	half := i.confirm("half")
	if _, err := i.store.Fulfill(t.Context(), cache.TransitionRequest{ID: "half", Version: half.Version, Lines: []cache.LineQuantity{{Line: "1", Quantity: 1}}}); err != nil {
		t.Fatal(err)
	}
	i.reserve("released", "TEE", 1)
	if _, err := i.store.Release(t.Context(), cache.TransitionRequest{ID: "released"}); err != nil {
		t.Fatal(err)
	}
	r.forgets("released")
	done := i.audit(AuditOptions{})
	expectFindings(t, i.ledger, done.ID)
	if done.Levels != 1 || done.Reservations != 3 || done.Drift != 0 {
		t.Errorf("%+v", done)
	}
	r.check()
}

// TestAudit_Counter has a counter that was edited be found with the exact difference, and repaired once.
func TestAudit_Counter(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	i.reserve("held", "TEE", 1)
	must(t, i.client.HIncrBy(t.Context(), keyStock, "TEE\x1fberlin", 5).Err())
	found := i.audit(AuditOptions{})
	expectFindings(t, i.ledger, found.ID,
		"counter_drift TEE berlin: 14 on hand 10 committed 0 safety 0 backorder 0 > 9 on hand 10 committed 0 safety 0 backorder 0, open")
	repaired := i.audit(AuditOptions{Repair: true, Actor: "anna"})
	if repaired.Drift != 0 || repaired.Repaired != 1 || i.available("TEE") != 9 {
		t.Errorf("%+v, %d available", repaired, i.available("TEE"))
	}
	again := i.audit(AuditOptions{Repair: true})
	expectFindings(t, i.ledger, again.ID)
	r.check()
}

// TestAudit_Actor has nothing be repaired in the name of who can't be kept with it.
func TestAudit_Actor(t *testing.T) {
	r := newRig(t)
	i := r.drifted()
	units := i.available("TEE")
	a := &Auditor{Client: i.client, Ledger: i.ledger, Logger: slog.New(slog.DiscardHandler)}
	for _, actor := range []string{"a\x1db", "a\x00", "\xff", strings.Repeat("a", cache.TextBytesMax+1)} {
		if _, err := a.Run(t.Context(), AuditOptions{Repair: true, Actor: actor}); !errors.Is(err, cache.ErrInvalid) {
			t.Errorf("%.5q: %v", actor, err)
		}
	}
	if n := r.number(t, `select (select count(*) from audits) + (select count(*) from quarantine)`); n != 0 || i.available("TEE") != units {
		t.Errorf("%d audits and entries in quarantine, %d available", n, i.available("TEE"))
	}
}
