package ledgertest

import (
	"fmt"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// There is a text that Redis has.
func There(text string) cache.Text { return cache.Text{There: true, Text: text} }

// TeeAt is the level of the cases as a mark tells it.
func TeeAt(available, onHand, committed int64) cache.MarkedLevel {
	return cache.MarkedLevel{
		Name: "TEE\x1fberlin", Available: There(fmt.Sprint(available)), Counts: There(fmt.Sprintf("%d\x1f%d\x1f0\x1f0", onHand, committed)),
	}
}

// MarkedOf is what Redis has of an event's reservation.
func MarkedOf(e cache.Event) cache.MarkedReservation {
	return cache.MarkedReservation{ID: e.ID, Record: There(e.Record.Encode()), Watched: There("1")}
}

func Marking(m cache.Mark) cache.Event {
	m.Audit = "a-1"
	return cache.Event{Verb: cache.VerbAudit, ID: "a-1", Mark: &m}
}

// At is the one level most cases are about.
var At = ledger.LevelKey{SKU: "TEE", Location: "berlin"}

// LedgerOf is a book with that level.
func LedgerOf(l ledger.Level) *ledger.WorkingSet {
	b := ledger.NewWorkingSet()
	b.Levels[At] = &l
	return b
}

// rec is a reservation of some units of it.
func RecordOf(state cache.State, version, units, fulfilled int64) cache.Record {
	return cache.Record{State: state, Version: version, Birth: "birth", Lines: []cache.RecordLine{{
		Line: "1", SKU: At.SKU, Requested: units,
		From: []cache.RecordAllocation{{Location: At.Location, Quantity: units, Fulfilled: fulfilled}},
	}}}
}

// Event is the transition from before to after.
func Event(verb cache.Verb, before cache.State, after cache.Record) cache.Event {
	return cache.Event{Verb: verb, ID: "ord", StateBefore: before, VersionBefore: after.Version - 1, Record: after}
}

func Reserved(units int64) cache.Event {
	return Event(cache.VerbReserve, "", RecordOf(cache.StateHeld, 1, units, 0))
}

func Confirmed(version, units int64) cache.Event {
	return Event(cache.VerbConfirm, cache.StateHeld, RecordOf(cache.StateConfirmed, version, units, 0))
}

// of gives an event to another reservation.
func By(id string, e cache.Event) cache.Event {
	e.ID = id
	return e
}

// Warehouses is a directory whose one channel sells from places, in that order.
func Warehouses(places ...location.ID) location.Directory {
	d := location.Directory{Channels: []location.SalesChannel{{ID: "web", Default: true, Locations: places}}}
	for _, id := range places {
		d.Locations = append(d.Locations, location.Location{ID: id})
	}
	return d
}

// counted is an operation that sets on hand of the one level, from what it was.
func Recount(id string, from, to int64) cache.Event {
	return cache.Event{Verb: cache.VerbAdjust, ID: id, Fingerprint: "f-" + id, Reason: "count", Actor: "tester", Levels: []cache.LevelEvent{
		{SKU: At.SKU, Location: At.Location, OnHandBefore: from, OnHandAfter: to},
	}}
}

func Born(id string, e cache.Event, birth string) cache.Event {
	e.ID = id
	e.Record.Birth = birth
	e.Record.Created, e.Record.Expires, e.Record.Fingerprint = SeenAt, SeenAt+600_000, "f-"+id
	return e
}
