// Package ledgertest runs one contract suite against both ledgers, in memory and in Postgres, and
// has the events and the Bench that other tests of ledgers share.
package ledgertest

import (
	"fmt"
	"slices"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// There returns a value that Redis has.
func There(text string) wire.Text { return wire.Text{There: true, Text: text} }

// TeeAt returns the level At as a checkpoint holds it.
func TeeAt(available, onHand, committed int64) wire.CheckpointLevel {
	return wire.CheckpointLevel{
		Name: "TEE\x1fberlin", Available: There(fmt.Sprint(available)), Counts: There(fmt.Sprintf("%d\x1f%d\x1f0\x1f0", onHand, committed)),
	}
}

// CheckpointOf returns the reservation of an event as a checkpoint holds it.
func CheckpointOf(e wire.Event) wire.CheckpointReservation {
	return wire.CheckpointReservation{ID: e.ID, Record: There(e.Record.Encode()), Watched: There("1")}
}

// CheckpointEvent returns the event of a checkpoint of the audit a-1.
func CheckpointEvent(m wire.Checkpoint) wire.Event {
	m.Audit = "a-1"
	return wire.Event{Verb: wire.VerbAudit, ID: "a-1", Checkpoint: &m}
}

// At is the level that most cases are about.
var At = ledger.LevelKey{SKU: "TEE", Location: "berlin"}

// LedgerOf returns a working set with the level At.
func LedgerOf(l ledger.Level) *ledger.WorkingSet {
	b := ledger.NewWorkingSet()
	b.Levels[At] = &l
	return b
}

// RecordOf returns the record of a reservation of units at At.
func RecordOf(state cache.State, version, units, fulfilled int64) wire.Record {
	return wire.Record{State: state, Version: version, CreationNonce: "birth", Lines: []wire.RecordLine{{
		Line: "1", SKU: At.SKU, Requested: units,
		From: []wire.RecordAllocation{{Location: At.Location, Quantity: units, Fulfilled: fulfilled}},
	}}}
}

// Event returns the transition of reservation ord from before to after.
func Event(verb cache.Verb, before cache.State, after wire.Record) wire.Event {
	return wire.Event{Verb: verb, ID: "ord", StateBefore: before, VersionBefore: after.Version - 1, Record: after}
}

// Reserved returns the event that holds units.
func Reserved(units int64) wire.Event {
	return Event(cache.VerbReserve, "", RecordOf(cache.StateHeld, 1, units, 0))
}

// Confirmed returns the event that confirms held units.
func Confirmed(version, units int64) wire.Event {
	return Event(cache.VerbConfirm, cache.StateHeld, RecordOf(cache.StateConfirmed, version, units, 0))
}

// Late returns the event with lines that may be backordered.
func Late(e wire.Event) wire.Event {
	e.Record.Lines = slices.Clone(e.Record.Lines)
	for i := range e.Record.Lines {
		e.Record.Lines[i].Backorder = true
	}
	return e
}

// By returns the event for another reservation.
func By(id string, e wire.Event) wire.Event {
	e.ID = id
	return e
}

// Warehouses returns a directory with one channel, which sells from places in that order.
func Warehouses(places ...location.ID) location.Directory {
	d := location.Directory{Channels: []location.SalesChannel{{ID: "web", Default: true, Locations: places}}}
	for _, id := range places {
		d.Locations = append(d.Locations, location.Location{ID: id})
	}
	return d
}

// Recount returns the adjustment that sets on hand of the level At.
func Recount(id string, from, to int64) wire.Event {
	return wire.Event{Verb: cache.VerbAdjust, ID: id, Fingerprint: "f-" + id, Reason: "count", Actor: "tester", Levels: []wire.LevelEvent{
		{SKU: At.SKU, Location: At.Location, OnHandBefore: from, OnHandAfter: to},
	}}
}

// Born returns the event for another reservation, with its creation nonce.
func Born(id string, e wire.Event, nonce string) wire.Event {
	e.ID = id
	e.Record.CreationNonce = nonce
	e.Record.Created, e.Record.Expires, e.Record.Fingerprint = SeenAt, SeenAt+600_000, "f-"+id
	return e
}
