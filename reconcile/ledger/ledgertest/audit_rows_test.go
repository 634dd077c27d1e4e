package ledgertest_test

import (
	"testing"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// TestLedger_AuditNotes adds a second note to a finding.
func TestLedger_AuditNotes(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		b.Begun()
		b.Apply(b.Entry(ledgertest.Recount("count", 0, 5), ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(7, 5, 0)}})))
		for n, want := range []string{"first", "first; second"} {
			id := ledger.FindingID(ledger.KindCounterDrift, "TEE\x1fberlin")
			if err := b.Ledger.Annotate(t.Context(), "a-1", []string{id, "none"}, []string{"first", "second"}[n]); err != nil {
				t.Fatal(err)
			}
			if list, err := b.Ledger.AuditFindings(t.Context(), "a-1", ledger.FindingFilter{}, 9); err != nil || len(list) != 1 || list[0].Note != want {
				t.Errorf("%+v, %v, want %q", list, err, want)
			}
		}
	})
}

// TestLedger_AuditFrozen marks a level as frozen while Redis counts it below zero.
func TestLedger_AuditFrozen(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		b.Begun()
		b.Apply(b.Entry(ledgertest.Recount("count", 0, 5), ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(-1, 5, 0)}})))
		frozen := func(want bool) {
			t.Helper()
			list, err := b.Ledger.AuditFindings(t.Context(), "a-1", ledger.FindingFilter{}, 9)
			if err != nil || len(list) != 1 || list[0].Frozen != want || (list[0].Note != "") != want {
				t.Errorf("%+v, %v", list, err)
			}
		}
		frozen(true)
		b.Apply(b.Entry(ledgertest.CheckpointEvent(wire.Checkpoint{How: wire.HowAgain, Levels: []wire.CheckpointLevel{ledgertest.TeeAt(0, 5, 0)}})))
		frozen(false)
	})
}

// TestLedger_AuditLost marks a silent audit as failed when the next one begins. If it still ends,
// it is done.
func TestLedger_AuditLost(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		b.Begun()
		begin := func(id string) {
			t.Helper()
			if err := b.Ledger.BeginAudit(t.Context(), ledger.Audit{ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		state := func(id string) string {
			t.Helper()
			a, err := b.Ledger.Audit(t.Context(), id)
			if err != nil || a.FinishedAt.IsZero() != (a.State == ledger.AuditRunning) {
				t.Errorf("%+v, %v", a, err)
			}
			return a.State
		}
		begin("a-2")
		if state("a-1") != ledger.AuditRunning {
			t.Error("a-1 has reported just now, but it counts as lost")
		}
		b.Silence("a-1")
		begin("a-3")
		if state("a-1") != ledger.AuditFailed || state("a-2") != ledger.AuditRunning || state("a-3") != ledger.AuditRunning {
			t.Error("want a-1 failed, a-2 and a-3 running")
		}
		if err := b.Ledger.EndAudit(t.Context(), "a-1", ""); err != nil || state("a-1") != ledger.AuditDone {
			t.Errorf("%s, %v", state("a-1"), err)
		}
	})
}
