package ledgertest_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// workingSetCases has events, and what they make of a level and of reservations.
var workingSetCases = []struct {
	name   string
	given  ledger.Level
	events []wire.Event
	want   string
}{
	{"held", ledger.Level{OnHand: 5}, []wire.Event{ledgertest.Reserved(3)}, "on hand 5 held 3 committed 0 | ord held v1"},
	{"confirmed", ledger.Level{OnHand: 5}, []wire.Event{ledgertest.Reserved(3), ledgertest.Confirmed(2, 3)}, "on hand 5 held 0 committed 3 | ord confirmed v2"},
	{"released", ledger.Level{OnHand: 5}, []wire.Event{ledgertest.Reserved(3), ledgertest.Event(cache.VerbRelease, "held", ledgertest.RecordOf("released", 2, 3, 0))},
		"on hand 5 held 0 committed 0 | ord released v2"},
	{"partly released", ledger.Level{OnHand: 5}, []wire.Event{ledgertest.Reserved(3), ledgertest.Event(cache.VerbRelease, "held", ledgertest.RecordOf("held", 2, 1, 0))},
		"on hand 5 held 1 committed 0 | ord held v2"},
	{"expired, and confirmed again", ledger.Level{OnHand: 5}, []wire.Event{ledgertest.Reserved(3), ledgertest.Event(cache.VerbExpire, "held", ledgertest.RecordOf("expired", 2, 3, 0)),
		ledgertest.Event(cache.VerbConfirm, "expired", ledgertest.RecordOf("confirmed", 3, 3, 0))}, "on hand 5 held 0 committed 3 | ord confirmed v3"},
	{"partly fulfilled, then cancelled", ledger.Level{OnHand: 5}, []wire.Event{ledgertest.Reserved(3), ledgertest.Confirmed(2, 3),
		ledgertest.Event(cache.VerbFulfill, "confirmed", ledgertest.RecordOf("confirmed", 3, 3, 1)), ledgertest.Event(cache.VerbRelease, "confirmed", ledgertest.RecordOf("released", 4, 3, 1))},
		"on hand 4 held 0 committed 0 | ord released v4"},
	{"an oversold confirm is refused and moves nothing", ledger.Level{OnHand: 2}, []wire.Event{ledgertest.Reserved(3), ledgertest.Confirmed(2, 3)},
		"on hand 2 held 3 committed 0 | ord held v1 | refused confirm of ord v2: oversold"},
	{"a backorder is not oversold", ledger.Level{OnHand: 2, BackorderLimit: 1}, []wire.Event{ledgertest.Reserved(3), ledgertest.Confirmed(2, 3)},
		"on hand 2 held 0 committed 3 | ord confirmed v2"},
	{"a line that may be backordered is not oversold", ledger.Level{OnHand: 2}, []wire.Event{ledgertest.Late(ledgertest.Reserved(3)), ledgertest.Late(ledgertest.Confirmed(2, 3))},
		"on hand 2 held 0 committed 3 (3) | ord confirmed v2"},
	{"it takes nothing away from a plain line", ledger.Level{OnHand: 2, BackorderLimit: 1}, []wire.Event{ledgertest.By("b", ledgertest.Reserved(3)),
		ledgertest.Late(ledgertest.Reserved(3)), ledgertest.Late(ledgertest.Confirmed(2, 3)), ledgertest.By("b", ledgertest.Confirmed(2, 3))},
		"on hand 2 held 0 committed 6 (3) | b confirmed v2 ord confirmed v2"},
	{"a plain line is oversold beside it", ledger.Level{OnHand: 2, BackorderLimit: 1}, []wire.Event{ledgertest.Late(ledgertest.Reserved(3)), ledgertest.Late(ledgertest.Confirmed(2, 3)),
		ledgertest.By("b", ledgertest.Reserved(4)), ledgertest.By("b", ledgertest.Confirmed(2, 4))},
		"on hand 2 held 4 committed 3 (3) | b held v1 ord confirmed v2 | refused confirm of b v2: oversold"},
	{"it leaves when its units are there", ledger.Level{OnHand: 4}, []wire.Event{ledgertest.By("b", ledgertest.Reserved(2)), ledgertest.By("b", ledgertest.Confirmed(2, 2)),
		ledgertest.Late(ledgertest.Reserved(3)), ledgertest.Late(ledgertest.Confirmed(2, 3)),
		ledgertest.Late(ledgertest.Event(cache.VerbFulfill, "confirmed", ledgertest.RecordOf("confirmed", 3, 3, 2)))},
		"on hand 2 held 0 committed 3 (1) | b confirmed v2 ord confirmed v3"},
	{"it does not leave with the units of a plain line", ledger.Level{OnHand: 4}, []wire.Event{ledgertest.By("b", ledgertest.Reserved(2)), ledgertest.By("b", ledgertest.Confirmed(2, 2)),
		ledgertest.Late(ledgertest.Reserved(3)), ledgertest.Late(ledgertest.Confirmed(2, 3)),
		ledgertest.Late(ledgertest.Event(cache.VerbFulfill, "confirmed", ledgertest.RecordOf("fulfilled", 3, 3, 3)))},
		"on hand 4 held 0 committed 5 (3) | b confirmed v2 ord confirmed v2 | refused fulfill of ord v3: oversold"},
	{"a plain line leaves beside it", ledger.Level{OnHand: 4}, []wire.Event{ledgertest.By("b", ledgertest.Reserved(4)), ledgertest.By("b", ledgertest.Confirmed(2, 4)),
		ledgertest.Late(ledgertest.Reserved(3)), ledgertest.Late(ledgertest.Confirmed(2, 3)),
		ledgertest.By("b", ledgertest.Event(cache.VerbFulfill, "confirmed", ledgertest.RecordOf("fulfilled", 3, 4, 4)))},
		"on hand 0 held 0 committed 3 (3) | b fulfilled v3 ord confirmed v2"},
	{"it is released", ledger.Level{OnHand: 1}, []wire.Event{ledgertest.Late(ledgertest.Reserved(3)), ledgertest.Late(ledgertest.Confirmed(2, 3)),
		ledgertest.Late(ledgertest.Event(cache.VerbRelease, "confirmed", ledgertest.RecordOf("confirmed", 3, 1, 0)))},
		"on hand 1 held 0 committed 1 (1) | ord confirmed v3"},
	{"in order: confirm, fulfill, confirm", ledger.Level{OnHand: 5}, []wire.Event{
		ledgertest.By("a", ledgertest.Reserved(5)), ledgertest.By("b", ledgertest.Reserved(5)), ledgertest.By("a", ledgertest.Confirmed(2, 5)),
		ledgertest.By("a", ledgertest.Event(cache.VerbFulfill, "confirmed", ledgertest.RecordOf("fulfilled", 3, 5, 5))), ledgertest.By("b", ledgertest.Confirmed(2, 5))},
		"on hand 0 held 5 committed 0 | a fulfilled v3 b held v1 | refused confirm of b v2: oversold"},
	{"a step after a refused one is refused", ledger.Level{OnHand: 2}, []wire.Event{ledgertest.Reserved(3), ledgertest.Confirmed(2, 3),
		ledgertest.Event(cache.VerbFulfill, "confirmed", ledgertest.RecordOf("fulfilled", 3, 3, 3))},
		"on hand 2 held 3 committed 0 | ord held v1 | refused confirm of ord v2: oversold | refused fulfill of ord v3: version"},
	{"an id belongs to one reservation", ledger.Level{OnHand: 5}, []wire.Event{ledgertest.Reserved(1), ledgertest.Reserved(2)},
		"on hand 5 held 1 committed 0 | ord held v1 | refused reserve of ord v1: id_known"},
	{"another creation nonce", ledger.Level{OnHand: 5}, []wire.Event{ledgertest.Reserved(1), func() wire.Event {
		e := ledgertest.Confirmed(2, 1)
		e.Record.CreationNonce = "another"
		return e
	}()}, "on hand 5 held 1 committed 0 | ord held v1 | refused confirm of ord v2: id_known"},
	{"an unknown reservation", ledger.Level{OnHand: 5}, []wire.Event{ledgertest.Confirmed(2, 1)},
		"on hand 5 held 0 committed 0 |  | refused confirm of ord v2: version"},
	{"a fulfill that takes on hand below zero", ledger.Level{OnHand: 1, BackorderLimit: 4}, []wire.Event{ledgertest.Reserved(3), ledgertest.Confirmed(2, 3),
		ledgertest.Event(cache.VerbFulfill, "confirmed", ledgertest.RecordOf("fulfilled", 3, 3, 3))},
		"on hand 1 held 0 committed 3 | ord confirmed v2 | refused fulfill of ord v3: negative"},
	{"an unknown level", ledger.Level{}, []wire.Event{func() wire.Event {
		e := ledgertest.Reserved(1)
		e.Record.Lines[0].SKU = "MUG"
		return e
	}()}, "on hand 0 held 0 committed 0 |  | refused reserve of ord v1: unknown_level"},
	{"a count", ledger.Level{OnHand: 5}, []wire.Event{counted("op", 5, 9)}, "on hand 9 held 0 committed 0 | "},
	{"a count changes the level by the difference in Redis", ledger.Level{OnHand: 7}, []wire.Event{counted("op", 5, 9)}, "on hand 11 held 0 committed 0 | "},
	{"the same operation twice", ledger.Level{OnHand: 5}, []wire.Event{counted("op", 5, 9), counted("op", 9, 1)},
		"on hand 9 held 0 committed 0 |  | refused adjust of op v1: id_known"},
	{"an operation that takes on hand below zero", ledger.Level{OnHand: 5}, []wire.Event{counted("op", 9, 1)},
		"on hand 5 held 0 committed 0 |  | refused adjust of op v1: negative"},
}

// TestWorkingSet decides events in order, and checks the level, the reservations and the refusals.
func TestWorkingSet(t *testing.T) {
	for _, c := range workingSetCases {
		t.Run(c.name, func(t *testing.T) {
			b := ledgertest.LedgerOf(c.given)
			b.Apply(ledger.EventRefs([]ledger.Entry{{ID: ledger.EntryID{Epoch: 1, Sequence: 1}, Nonce: "birth", Events: c.events}}))
			if got := describe(b); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
			replayed := c.given
			for _, m := range b.Movements {
				replayed.Add(m.Delta)
			}
			if replayed != *b.Levels[ledgertest.At] {
				t.Errorf("its movements add up to %+v, want %+v", replayed, *b.Levels[ledgertest.At])
			}
		})
	}
}

// counted returns the adjustment that counts the level At.
func counted(id string, before, after int64) wire.Event {
	return wire.Event{Verb: cache.VerbAdjust, ID: id, Levels: []wire.LevelEvent{
		{SKU: ledgertest.At.SKU, Location: ledgertest.At.Location, OnHandBefore: before, OnHandAfter: after},
	}}
}

// describe returns the level At, the reservations and the refusals.
func describe(b *ledger.WorkingSet) string {
	l := b.Levels[ledgertest.At]
	var known []string
	for _, id := range slices.Sorted(maps.Keys(b.Reservations)) {
		r := b.Reservations[id].Record
		known = append(known, fmt.Sprintf("%s %s v%d", id, r.State, r.Version))
	}
	level := fmt.Sprintf("on hand %d held %d committed %d", l.OnHand, l.Held, l.Committed)
	if l.CommittedBackorder != 0 {
		level += fmt.Sprintf(" (%d)", l.CommittedBackorder)
	}
	parts := []string{level, strings.Join(known, " ")}
	for _, r := range b.Refusals {
		parts = append(parts, fmt.Sprintf("refused %s of %s v%d: %s", r.Verb, r.Step.ID, r.Step.Version, r.Reason))
	}
	return strings.Join(parts, " | ")
}

// TestEntryID parses entry ids.
func TestEntryID(t *testing.T) {
	id, err := ledger.ParseEntryID("7-18446744073709551615")
	if err != nil || id != (ledger.EntryID{Epoch: 7, Sequence: 18446744073709551615}) || id.String() != "7-18446744073709551615" {
		t.Errorf("%v, %v", id, err)
	}
	for _, text := range []string{"", "7", "7-", "-1-2", "a-b", "7-1x"} {
		if _, err := ledger.ParseEntryID(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}
