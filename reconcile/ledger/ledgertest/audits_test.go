package ledgertest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestLedger_Audit compares checkpoints in the middle of a batch with the ledger as it is at their
// place.
func TestLedger_Audit(t *testing.T) {
	held, sold := ledgertest.Born("a", ledgertest.Reserved(2), "n1"), ledgertest.Born("a", ledgertest.Confirmed(2, 2), "n1")
	tooMuch := ledgertest.Born("b", ledgertest.Reserved(9), "n1")
	soldTooMuch := ledgertest.Born("b", ledgertest.Confirmed(2, 9), "n1")
	undone := ledgertest.Born("b", ledgertest.Event(wire.VerbCompensate, cache.StateConfirmed, ledgertest.RecordOf(cache.StateExpired, 3, 9, 0)), "n1")
	unknown := ledgertest.Born("c", ledgertest.Reserved(1), "n1")
	unknown.Record.Lines[0].SKU = "GONE"
	limitless := wire.CheckpointLimit{Name: "drop\x1fc-1", Units: ledgertest.There("3")}
	for _, c := range []struct {
		name   string
		events []wire.Event
		want   []string
	}{
		{"no drift between the steps of a reservation", []wire.Event{
			ledgertest.Recount("count", 0, 5), ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(5, 5, 0)}}),
			held, ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(3, 5, 0)}, Reservations: []wire.CheckpointReservation{ledgertest.CheckpointOf(held)}}),
			sold, ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(3, 5, 2)}, Reservations: []wire.CheckpointReservation{ledgertest.CheckpointOf(sold)}}),
		}, nil},
		{"a checkpoint one step ahead of the ledger", []wire.Event{
			ledgertest.Recount("count", 0, 5), held,
			ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(3, 5, 2)}, Reservations: []wire.CheckpointReservation{ledgertest.CheckpointOf(sold)}}), sold,
		}, []string{
			"counter_drift TEE berlin: 3 on hand 5 committed 2 safety 0 backorder 0 > 3 on hand 5 committed 0 safety 0 backorder 0, open",
			"reservation_state a: confirmed v2 2 TEE berlin > held v1 2 TEE berlin, open",
		}},
		{"a missing record", []wire.Event{
			ledgertest.Recount("count", 0, 5), held, ledgertest.CheckpointEvent(wire.Checkpoint{Reservations: []wire.CheckpointReservation{{ID: "a"}, {ID: "never"}}}),
		}, []string{"reservation_missing a: nothing > held v1 2 TEE berlin, open"}},
		{"a resolved record that Redis has forgotten", []wire.Event{
			ledgertest.Recount("count", 0, 5), held, ledgertest.Born("a", ledgertest.Event(cache.VerbRelease, cache.StateHeld, ledgertest.RecordOf(cache.StateReleased, 2, 2, 0)), "n1"),
			ledgertest.CheckpointEvent(wire.Checkpoint{Reservations: []wire.CheckpointReservation{{ID: "a"}}}),
		}, nil},
		{"a range of levels", []wire.Event{
			ledgertest.Recount("count", 0, 5), ledgertest.CheckpointEvent(wire.Checkpoint{How: wire.HowRange, Levels: []wire.CheckpointLevel{
				{Name: "A\x1fa"}, ledgertest.TeeAt(6, 5, 0), {Name: "U\x1fu", Available: ledgertest.There("1"), Counts: ledgertest.There("1\x1f0\x1f0\x1f0")},
			}}),
		}, []string{
			"counter_drift TEE berlin: 6 on hand 5 committed 0 safety 0 backorder 0 > 5 on hand 5 committed 0 safety 0 backorder 0, open",
			"level_unknown U u: 1 on hand 1 committed 0 safety 0 backorder 0 > nothing, open",
		}},
		{"a refused step", []wire.Event{
			ledgertest.Recount("count", 0, 5), tooMuch, soldTooMuch, // refused: oversold
			ledgertest.CheckpointEvent(wire.Checkpoint{How: wire.HowAgain, Levels: []wire.CheckpointLevel{ledgertest.TeeAt(-4, 5, 9)}, Reservations: []wire.CheckpointReservation{ledgertest.CheckpointOf(soldTooMuch)}}),
		}, []string{"open_refusal b: confirmed v2 9 TEE berlin > held v1 9 TEE berlin, open"}},
		{"a refused step, without its reservation", []wire.Event{
			ledgertest.Recount("count", 0, 5), tooMuch, soldTooMuch, ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(-4, 5, 9)}}),
		}, nil},
		{"an undone step", []wire.Event{
			ledgertest.Recount("count", 0, 5), tooMuch, soldTooMuch, undone,
			ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(5, 5, 0)}, Reservations: []wire.CheckpointReservation{ledgertest.CheckpointOf(undone)}}),
		}, nil},
		{"a refused operation", []wire.Event{
			ledgertest.Recount("count", 0, 5), ledgertest.Recount("count", 5, 7), ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(7, 7, 0)}}),
		}, nil},
		{"a removed level", []wire.Event{
			ledgertest.Recount("count", 0, 5), removal("op", 5), ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{{Name: "TEE\x1fberlin"}}}),
			ledgertest.Recount("again", 0, 7), ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(7, 7, 0)}}),
		}, nil},
		{"a refused removal", []wire.Event{
			ledgertest.Recount("count", 0, 5), held, sold, removal("op", 5), ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{{Name: "TEE\x1fberlin"}}}),
		}, nil},
		{"a refused hold of an unknown level", []wire.Event{
			unknown, ledgertest.CheckpointEvent(wire.Checkpoint{How: wire.HowAgain, Reservations: []wire.CheckpointReservation{ledgertest.CheckpointOf(unknown)},
				Deadlines: []wire.CheckpointDeadline{{Member: "c\x1fnever", Score: ledgertest.There("1"), Lost: ledgertest.There("c\x1fnever")}}}),
		}, []string{"open_refusal c: held v1 1 GONE berlin > nothing, open", "deadline_orphaned never: deadline 1 > nothing, open"}},
		{"names that the ledger does not have", []wire.Event{
			ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(1, 1, 0), {Name: "odd", Available: ledgertest.There("x\x00\xff")}},
				Reservations: []wire.CheckpointReservation{ledgertest.CheckpointOf(held)}, Limits: []wire.CheckpointLimit{limitless, {Name: "\xff", Units: ledgertest.There("1")}}}),
		}, []string{
			"level_unknown TEE berlin: 1 on hand 1 committed 0 safety 0 backorder 0 > nothing, open",
			`level_unknown "odd": "x\x00\xff", nothing > nothing, open`,
			"reservation_extra a: held v1 2 TEE berlin > nothing, open",
			"limit_drift drop c-1: 3 > 0, open", `limit_drift "\xff": 1 > 0, open`,
		}},
		{"drift that is gone at the second look", []wire.Event{
			ledgertest.Recount("count", 0, 5), held, ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(9, 5, 0)}}),
			ledgertest.CheckpointEvent(wire.Checkpoint{How: wire.HowAgain, Levels: []wire.CheckpointLevel{ledgertest.TeeAt(3, 5, 0)}}),
		}, []string{"counter_drift TEE berlin: 9 on hand 5 committed 0 safety 0 backorder 0 > 3 on hand 5 committed 0 safety 0 backorder 0, gone"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
				b.Begun()
				b.Apply(b.Entry(c.events...))
				reconciletest.ExpectFindings(t, b.Ledger, "a-1", c.want...)
			})
		})
	}
}

// TestLedger_Repaired applies a repair: it changes the finding and no other row.
func TestLedger_Repaired(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		b.Begun()
		b.Apply(b.Entry(ledgertest.Recount("count", 0, 5), ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(7, 5, 0)}})))
		before := b.State()
		list, err := b.Ledger.AuditFindings(t.Context(), "a-1", ledger.FindingFilter{Kinds: []ledger.FindingKind{ledger.KindCounterDrift}, Open: true}, 9)
		if err != nil || len(list) != 1 || list[0].Units != 2 || list[0].Position != "1-2" {
			t.Fatalf("%+v, %v", list, err)
		}
		repair := wire.Event{Verb: wire.VerbRepair, ID: "a-1", Actor: "anna", Repaired: &wire.Repaired{Audit: "a-1", Items: []wire.RepairedItem{
			{Word: "add", Finding: list[0].ID, Name: "TEE\x1fberlin", Added: wire.LevelCounts{Available: -2}}, {Word: "record", Finding: "f", Name: "gone"},
		}}}
		b.Apply(b.Entry(repair))
		if after := b.State(); after != before {
			t.Errorf("after the repair:\n%s\nwant:\n%s", after, before)
		}
		if _, err := b.Ledger.Audit(t.Context(), ""); !errors.Is(err, cache.ErrNotFound) {
			t.Error("the last audit that ended, before any has:", err)
		}
		a, err := b.Ledger.Audit(t.Context(), "a-1")
		if err != nil || a.ID != "a-1" || a.Repaired != 1 || a.Drift != 0 || a.State != ledger.AuditRunning || a.Levels != 1 {
			t.Errorf("%+v, %v", a, err)
		}
		if err := b.Ledger.EndAudit(t.Context(), "a-1", ""); err != nil {
			t.Fatal(err)
		}
		if a, err := b.Ledger.Audit(t.Context(), ""); err != nil || a.ID != "a-1" || a.State != ledger.AuditDone || a.FinishedAt.IsZero() {
			t.Errorf("%+v, %v", a, err)
		}
		if _, err := b.Ledger.Audit(t.Context(), "a-2"); !errors.Is(err, cache.ErrNotFound) {
			t.Error(err)
		}
	})
}

// TestLedger_AuditPages reads each listing that an audit compares, page by page.
func TestLedger_AuditPages(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		e := ledgertest.Recount("count", 0, 50)
		for _, l := range []ledger.LevelKey{{SKU: "MUG", Location: "berlin"}, {SKU: "MUG", Location: "lyon"}, {SKU: "1", Location: "2"}} {
			e.Levels = append(e.Levels, wire.LevelEvent{SKU: l.SKU, Location: l.Location, OnHandAfter: 7})
		}
		entries := []ledger.Entry{b.Entry(e)}
		for n := range 3 {
			held := ledgertest.Born(fmt.Sprint("r", n), ledgertest.Reserved(1), "n1")
			held.Record.Customer = fmt.Sprint("c", n)
			held.Record.Lines[0].Limits = []wire.RecordLimit{{ID: "drop", Most: 9, Each: 1}, {ID: "drop", Most: 9, Each: 1, Named: true}}
			entries = append(entries, b.Entry(held))
		}
		b.Apply(entries...)
		var got []string
		for after := (ledger.LevelKey{}); ; {
			_, list, err := b.Ledger.LevelsAt(t.Context(), after, ledger.Scope{}, 1)
			if err != nil || len(list) > 1 {
				t.Fatal(list, err)
			}
			if len(list) == 0 {
				break
			}
			after = list[0].LevelName
			got = append(got, fmt.Sprint(after.SKU, "@", after.Location))
		}
		for after := (ledger.LiveKey{}); ; {
			_, list, err := b.Ledger.LiveAt(t.Context(), after, ledger.Scope{Location: "berlin"}, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			after = list[len(list)-1].Key()
			got = append(got, after.ID)
		}
		for after := (wire.LimitKey{}); ; {
			list, err := b.Ledger.Limits(t.Context(), after, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			after = list[len(list)-1].LimitKey
			for _, l := range list {
				got = append(got, fmt.Sprint(l.Identity, "=", l.Units))
			}
		}
		if want := "[1@2 MUG@berlin MUG@lyon TEE@berlin r1 r2 =3 c0=1 c1=1 c2=1]"; fmt.Sprint(got) != want {
			t.Errorf("%v, want %s", got, want)
		}
		levels, err := b.Ledger.FilterUnknownLevels(t.Context(), []ledger.LevelKey{{SKU: "MUG", Location: "lyon"}, {SKU: "MUG", Location: "moon"}})
		if err != nil || len(levels) != 1 || levels[0].Location != "moon" {
			t.Error(levels, err)
		}
		ids, err := b.Ledger.FilterLive(t.Context(), []string{"r1", "never", "r2"})
		if err != nil || len(ids) != 2 {
			t.Error(ids, err)
		}
		limits, err := b.Ledger.FilterUncountedLimits(t.Context(), []wire.LimitKey{{Limit: "drop", Identity: "c1"}, {Limit: "drop", Identity: "x"}})
		if err != nil || len(limits) != 1 || limits[0].Identity != "x" {
			t.Error(limits, err)
		}
		if n, units, err := b.Ledger.Totals(t.Context(), ledger.Scope{SKU: "MUG"}); err != nil || n != 2 || units != 14 {
			t.Error(n, units, err)
		}
	})
}
