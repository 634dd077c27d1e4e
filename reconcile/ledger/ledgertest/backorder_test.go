package ledgertest_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// TestLedger_Backorder sells three of two units with backorder and two without, and asks for more.
// The refusals say what there is. An audit of the ledger with itself finds nothing.
func TestLedger_Backorder(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		refused := func(want string, events ...wire.Event) {
			t.Helper()
			var got []string
			for _, r := range b.Apply(b.Entry(events...)) {
				got = append(got, fmt.Sprint(r.Step.ID, " ", r.Reason, " ", r.Detail.Shortages))
			}
			if fmt.Sprint(got) != want {
				t.Errorf("refused %v, want %s", got, want)
			}
		}
		late := func(e wire.Event) wire.Event { return ledgertest.Late(ledgertest.Born("late", e, "n1")) }
		shipped := func(units int64) wire.Event {
			return late(ledgertest.Event(cache.VerbFulfill, "confirmed", ledgertest.RecordOf("confirmed", 3, 3, units)))
		}
		refused("[]", ledgertest.Recount("count", 0, 2), late(ledgertest.Reserved(3)), late(ledgertest.Confirmed(2, 3)),
			ledgertest.Born("plain", ledgertest.Reserved(2), "n1"), ledgertest.Born("plain", ledgertest.Confirmed(2, 2), "n1"))
		refused("[more oversold [{1 TEE 1 0}]]", ledgertest.Born("more", ledgertest.Reserved(1), "n1"), ledgertest.Born("more", ledgertest.Confirmed(2, 1), "n1"))
		refused("[late oversold [{1 TEE 1 0}]]", shipped(1))
		refused("[late oversold [{1 TEE 2 1}]]", ledgertest.Recount("arrived", 2, 3), shipped(2))
		refused("[]", shipped(1))
		if got, want := b.Levels(), "TEE@berlin on hand 2 held 1 committed 4 safety 0 backorder 0 of committed 2\n"; got != want {
			t.Errorf("levels %q, want %q", got, want)
		}
		b.Begun()
		if err := b.Ledger.ExamineItself(t.Context(), "a-1", ledger.Scope{}); err != nil {
			t.Fatal(err)
		}
		if found, err := b.Ledger.AuditFindings(t.Context(), "a-1", ledger.FindingFilter{}, 9); err != nil || len(found) > 0 {
			t.Errorf("found %+v, %v", found, err)
		}
	})
}

// TestWorkingSet_Backorder decides random confirms, fulfillments and releases. The units that plain lines
// have committed never exceed what there is. A step is refused only if they would, or if on hand would
// fall below zero.
func TestWorkingSet_Backorder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := ledgertest.LedgerOf(ledger.Level{OnHand: rapid.Int64Range(0, 9).Draw(t, "on hand"), BackorderLimit: rapid.Int64Range(0, 3).Draw(t, "limit")})
		sequence := uint64(0)
		apply := func(id string, backorder bool, verb cache.Verb, before cache.State, r wire.Record) bool {
			e := ledgertest.By(id, ledgertest.Event(verb, before, r))
			if backorder {
				e = ledgertest.Late(e)
			}
			sequence++
			refusals := len(b.Refusals)
			b.Apply(ledger.EventRefs([]ledger.Entry{{ID: ledger.EntryID{Epoch: 1, Sequence: sequence}, Nonce: "birth", Events: []wire.Event{e}}}))
			return len(b.Refusals) == refusals
		}
		for i := range rapid.IntRange(1, 12).Draw(t, "reservations") {
			id, units := fmt.Sprint("r", i), rapid.Int64Range(1, 5).Draw(t, "units")
			backorder := rapid.Bool().Draw(t, "backorder")
			apply(id, backorder, cache.VerbReserve, "", ledgertest.RecordOf(cache.StateHeld, 1, units, 0))
			l := *b.Levels[ledgertest.At]
			want := backorder || l.CommittedPlain()+units <= l.OnHand+l.BackorderLimit
			if applied := apply(id, backorder, cache.VerbConfirm, cache.StateHeld, ledgertest.RecordOf(cache.StateConfirmed, 2, units, 0)); applied != want {
				t.Fatalf("confirm of %d units, backorder %v: applied %v, of %+v", units, backorder, applied, l)
			} else if !applied {
				continue
			}
			leaves := rapid.Int64Range(0, units).Draw(t, "leaves")
			l = *b.Levels[ledgertest.At]
			want = leaves <= l.OnHand && (!backorder || leaves == 0 || l.CommittedPlain() <= l.OnHand-leaves+l.BackorderLimit)
			if applied := apply(id, backorder, cache.VerbFulfill, cache.StateConfirmed, ledgertest.RecordOf(cache.StateConfirmed, 3, units, leaves)); applied != want {
				t.Fatalf("%d units leave, backorder %v: applied %v, of %+v", leaves, backorder, applied, l)
			} else if applied && rapid.Bool().Draw(t, "release") {
				apply(id, backorder, cache.VerbRelease, cache.StateConfirmed, ledgertest.RecordOf(cache.StateReleased, 4, units, leaves))
			}
			if l := b.Levels[ledgertest.At]; l.CommittedPlain() > l.OnHand+l.BackorderLimit || l.OnHand < 0 || l.CommittedBackorder < 0 {
				t.Fatalf("%+v", l)
			}
		}
	})
}

// TestLedger_BackorderKept reads the record of a line that may be backordered back as it was
// written, also of a kit that a purchase limit counts.
func TestLedger_BackorderKept(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		e := ledgertest.Late(ledgertest.Born("late", ledgertest.Reserved(3), "n1"))
		kit := e.Record.Lines[0]
		kit.Line, kit.Kit, kit.Limits = "2", &wire.RecordKit{SKU: "SET", Each: 3}, []wire.RecordLimit{{ID: "drop", Most: 9, Each: 3}}
		plain := kit
		plain.Line, plain.Backorder = "3", false
		e.Record.Customer, e.Record.Lines = "c-1", append(e.Record.Lines, kit, plain)
		b.Apply(b.Entry(ledgertest.Recount("count", 0, 2), e))
		records, err := b.Session.Records(t.Context(), []string{"late"})
		if got := records["late"]; err != nil || got.Encode() != e.Record.Encode() {
			t.Errorf("%q, %v, want %q", got.Encode(), err, e.Record.Encode())
		}
	})
}

// TestLedger_BackorderShort names what may be backordered first, although it is older than a plain
// sale, and a reservation with both kinds of lines once.
func TestLedger_BackorderShort(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		sell := func(id string, at int64, late ...bool) {
			held, sold := ledgertest.Born(id, ledgertest.Reserved(3), id), ledgertest.Born(id, ledgertest.Confirmed(2, 3), id)
			for _, e := range []*wire.Event{&held, &sold} {
				e.Record.Created += at
				line := e.Record.Lines[0]
				e.Record.Lines = nil
				for i, backorder := range late {
					line.Line, line.Backorder = fmt.Sprint(i), backorder
					e.Record.Lines = append(e.Record.Lines, line)
				}
			}
			b.Apply(b.Entry(held, sold))
		}
		b.Apply(b.Entry(ledgertest.Recount("count", 0, 100)))
		sell("late-1", 1, true)
		sell("both", 2, false, true)
		sell("plain-3", 3, false)
		sell("late-4", 4, true)
		sell("plain-5", 5, false)
		berlin := wire.LevelName{SKU: "TEE", Location: "berlin"}
		for _, c := range []struct {
			units int64
			limit int
			want  string
		}{
			{4, 20, "[[{late-4   3} {both   3}]]"},
			{9, 20, "[[{late-4   3} {both   3} {late-1   3}]]"},
			{13, 20, "[[{late-4   3} {both   3} {late-1   3} {plain-5   3} {plain-3   3}]]"},
			{18, 20, "[[{late-4   3} {both   6} {late-1   3} {plain-5   3} {plain-3   3}]]"},
			{18, 2, "[[{late-4   3} {both   3}]]"},
		} {
			got, err := b.Ledger.Short(t.Context(), []cache.LevelShort{{LevelName: berlin, Units: c.units}}, c.limit)
			if err != nil || fmt.Sprint(got) != c.want {
				t.Errorf("%d units, limit %d: %v, %v, want %s", c.units, c.limit, got, err, c.want)
			}
		}
	})
}
