package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
)

// at is the one level most cases are about.
var at = levelKey{"TEE", "berlin"}

// ledgerOf is a book with that level.
func ledgerOf(l level) *book {
	b := newBook()
	b.levels[at] = &l
	return b
}

// rec is a reservation of some units of it.
func rec(state cache.State, version, units, fulfilled int64) cache.Record {
	return cache.Record{State: state, Version: version, Birth: "birth", Lines: []cache.RecordLine{{
		Line: "1", SKU: at.sku, Requested: units,
		From: []cache.RecordAllocation{{Location: at.at, Quantity: units, Fulfilled: fulfilled}},
	}}}
}

// event is the transition from before to after.
func event(verb cache.Verb, before cache.State, after cache.Record) cache.Event {
	return cache.Event{Verb: verb, ID: "ord", StateBefore: before, VersionBefore: after.Version - 1, Record: after}
}

func reserved(units int64) cache.Event {
	return event(cache.VerbReserve, "", rec(cache.StateHeld, 1, units, 0))
}

func confirmed(version, units int64) cache.Event {
	return event(cache.VerbConfirm, cache.StateHeld, rec(cache.StateConfirmed, version, units, 0))
}

// of gives an event to another reservation.
func of(id string, e cache.Event) cache.Event {
	e.ID = id
	return e
}

// TestBook has events decided in order: what they leave of the level and the reservations, and which
// are refused.
func TestBook(t *testing.T) {
	for _, c := range []struct {
		name   string
		given  level
		events []cache.Event
		want   string
	}{
		{"held", level{onHand: 5}, []cache.Event{reserved(3)}, "on hand 5 held 3 committed 0 | ord held v1"},
		{"confirmed", level{onHand: 5}, []cache.Event{reserved(3), confirmed(2, 3)}, "on hand 5 held 0 committed 3 | ord confirmed v2"},
		{"released", level{onHand: 5}, []cache.Event{reserved(3), event(cache.VerbRelease, "held", rec("released", 2, 3, 0))},
			"on hand 5 held 0 committed 0 | ord released v2"},
		{"partly released", level{onHand: 5}, []cache.Event{reserved(3), event(cache.VerbRelease, "held", rec("held", 2, 1, 0))},
			"on hand 5 held 1 committed 0 | ord held v2"},
		{"expired, and confirmed again", level{onHand: 5}, []cache.Event{reserved(3), event(cache.VerbExpire, "held", rec("expired", 2, 3, 0)),
			event(cache.VerbConfirm, "expired", rec("confirmed", 3, 3, 0))}, "on hand 5 held 0 committed 3 | ord confirmed v3"},
		{"partly fulfilled, then cancelled", level{onHand: 5}, []cache.Event{reserved(3), confirmed(2, 3),
			event(cache.VerbFulfill, "confirmed", rec("confirmed", 3, 3, 1)), event(cache.VerbRelease, "confirmed", rec("released", 4, 3, 1))},
			"on hand 4 held 0 committed 0 | ord released v4"},
		{"an oversold confirm is refused and moves nothing", level{onHand: 2}, []cache.Event{reserved(3), confirmed(2, 3)},
			"on hand 2 held 3 committed 0 | ord held v1 | refused confirm of ord v2: oversold"},
		{"a backorder is not oversold", level{onHand: 2, backorderLimit: 1}, []cache.Event{reserved(3), confirmed(2, 3)},
			"on hand 2 held 0 committed 3 | ord confirmed v2"},
		{"in order: confirm, fulfill, confirm", level{onHand: 5}, []cache.Event{
			of("a", reserved(5)), of("b", reserved(5)), of("a", confirmed(2, 5)),
			of("a", event(cache.VerbFulfill, "confirmed", rec("fulfilled", 3, 5, 5))), of("b", confirmed(2, 5))},
			"on hand 0 held 5 committed 0 | a fulfilled v3 b held v1 | refused confirm of b v2: oversold"},
		{"nothing follows what was refused", level{onHand: 2}, []cache.Event{reserved(3), confirmed(2, 3),
			event(cache.VerbFulfill, "confirmed", rec("fulfilled", 3, 3, 3))},
			"on hand 2 held 3 committed 0 | ord held v1 | refused confirm of ord v2: oversold | refused fulfill of ord v3: version"},
		{"an id belongs to one reservation", level{onHand: 5}, []cache.Event{reserved(1), reserved(2)},
			"on hand 5 held 1 committed 0 | ord held v1 | refused reserve of ord v1: id_known"},
		{"another birth", level{onHand: 5}, []cache.Event{reserved(1), func() cache.Event {
			e := confirmed(2, 1)
			e.Record.Birth = "another"
			return e
		}()}, "on hand 5 held 1 committed 0 | ord held v1 | refused confirm of ord v2: id_known"},
		{"a reservation nobody made", level{onHand: 5}, []cache.Event{confirmed(2, 1)},
			"on hand 5 held 0 committed 0 |  | refused confirm of ord v2: version"},
		{"on hand is not taken below zero", level{onHand: 1, backorderLimit: 4}, []cache.Event{reserved(3), confirmed(2, 3),
			event(cache.VerbFulfill, "confirmed", rec("fulfilled", 3, 3, 3))},
			"on hand 1 held 0 committed 3 | ord confirmed v2 | refused fulfill of ord v3: negative"},
		{"a level the ledger does not have", level{}, []cache.Event{func() cache.Event {
			e := reserved(1)
			e.Record.Lines[0].SKU = "MUG"
			return e
		}()}, "on hand 0 held 0 committed 0 |  | refused reserve of ord v1: unknown_level"},
		{"a count", level{onHand: 5}, []cache.Event{counted("op", 5, 9)}, "on hand 9 held 0 committed 0 | "},
		{"a count is a change", level{onHand: 7}, []cache.Event{counted("op", 5, 9)}, "on hand 11 held 0 committed 0 | "},
		{"an operation happens once", level{onHand: 5}, []cache.Event{counted("op", 5, 9), counted("op", 9, 1)},
			"on hand 9 held 0 committed 0 |  | refused adjust of op v1: id_known"},
		{"an operation below zero", level{onHand: 5}, []cache.Event{counted("op", 9, 1)},
			"on hand 5 held 0 committed 0 |  | refused adjust of op v1: negative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := ledgerOf(c.given)
			b.apply(refs([]entry{{id: entryID{1, 1}, nonce: "birth", events: c.events}}))
			if got := b.describe(); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
			replayed := c.given
			for _, m := range b.movements {
				replayed.add(m.delta)
			}
			if replayed != *b.levels[at] {
				t.Errorf("its movements make %+v of the level, not %+v", replayed, *b.levels[at])
			}
		})
	}
}

// counted is a count of the level.
func counted(id string, before, after int64) cache.Event {
	return cache.Event{Verb: cache.VerbAdjust, ID: id, Levels: []cache.LevelEvent{
		{SKU: at.sku, Location: at.at, OnHandBefore: before, OnHandAfter: after},
	}}
}

func (b *book) describe() string {
	l := b.levels[at]
	var known []string
	for _, id := range slices.Sorted(maps.Keys(b.reservations)) {
		r := b.reservations[id].record
		known = append(known, fmt.Sprintf("%s %s v%d", id, r.State, r.Version))
	}
	parts := []string{fmt.Sprintf("on hand %d held %d committed %d", l.onHand, l.held, l.committed), strings.Join(known, " ")}
	for _, r := range b.refusals {
		parts = append(parts, fmt.Sprintf("refused %s of %s v%d: %s", r.verb, r.step.ID, r.step.Version, r.reason))
	}
	return strings.Join(parts, " | ")
}

func TestEntryID(t *testing.T) {
	id, err := parseEntryID("7-18446744073709551615")
	if err != nil || id != (entryID{7, 18446744073709551615}) || id.String() != "7-18446744073709551615" {
		t.Errorf("%v, %v", id, err)
	}
	for _, text := range []string{"", "7", "7-", "-1-2", "a-b", "7-1x"} {
		if _, err := parseEntryID(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
