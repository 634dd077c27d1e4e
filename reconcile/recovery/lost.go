// Package recovery keeps the reservations that a rebuild gives up for an older ledger, and takes them
// up again.
package recovery

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Lost is a reservation that Redis has, and that the ledger lacks or has in an earlier state. Its JSON is
// a line of the file of an operator, and the body of a row of the quarantine.
type Lost struct {
	ID       string      `json:"id"`
	Order    string      `json:"order,omitempty"`
	Customer string      `json:"customer,omitempty"`
	State    cache.State `json:"state,omitempty"`
	Version  int64       `json:"version,omitempty"`
	// LedgerVersion is the version that the ledger has, 0 if it lacks the reservation.
	LedgerVersion int64        `json:"ledger_version"`
	Record        *wire.Record `json:"record,omitempty"` // nil if it cannot be read
	Text          []byte       `json:"text,omitempty"`   // what Redis has, if it cannot be read
}

// Entry returns the row of the quarantine.
func (l *Lost) Entry() (ledger.Entry, error) {
	if l.Record == nil {
		return ledger.Entry{Text: fmt.Sprintf("reservation %s v0 ", l.ID), Raw: []string{string(l.Text)}}, nil
	}
	body, err := json.Marshal(l)
	return ledger.Entry{
		Text: fmt.Sprintf("reservation %s v%d %s", l.ID, l.Version, l.Record.CreationNonce), Raw: []string{string(body)},
	}, err
}

// Tally counts lost reservations, and the units that they have.
type Tally struct {
	Sales     int   `json:"sales"`
	SaleUnits int64 `json:"sale_units"`
	Holds     int   `json:"holds"`
	HoldUnits int64 `json:"hold_units"`
	Over      int   `json:"over"`       // released or expired
	Broken    int   `json:"unreadable"` // their records
}

// Reservations returns how many there are.
func (t *Tally) Reservations() int { return t.Sales + t.Holds + t.Over + t.Broken }

func (t *Tally) add(l *Lost) {
	switch {
	case l.Record == nil:
		t.Broken++
	case isSale(l.State):
		t.Sales++
		t.SaleUnits += unitsOf(l.Record)
	case l.State == cache.StateHeld:
		t.Holds++
		t.HoldUnits += unitsOf(l.Record)
	default:
		t.Over++
	}
}

func isSale(s cache.State) bool { return s == cache.StateConfirmed || s == cache.StateFulfilled }

// unitsOf returns the units of a record, of a kit those of its components.
func unitsOf(r *wire.Record) (units int64) {
	for i := range r.Lines {
		for _, from := range r.Lines[i].From {
			units += from.Quantity
		}
	}
	return units
}

// scannedPerCall is about how many reservations of Redis are compared with the ledger at once.
const scannedPerCall = 100

// Scan compares every reservation of Redis with the ledger, and calls keep with those that are lost.
// records reads from the ledger, and leaves out what it does not know. The gate must be closed, so that
// Redis does not change meanwhile. Two round trips for scannedPerCall reservations.
func Scan(
	ctx context.Context, c *shard.Conn, records func(context.Context, []string) (map[string]wire.Record, error),
	keep func([]Lost) error,
) (t Tally, err error) {
	seen := map[string]bool{} // Redis may list a field twice
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		list, next, err := c.Scan(ctx, shard.PartReservations, cursor, scannedPerCall)
		if err != nil {
			return t, err
		}
		lost, err := lostOf(ctx, list, records)
		if err != nil {
			return t, err
		}
		lost = slices.DeleteFunc(lost, func(l Lost) bool { return seen[l.ID] })
		for i := range lost {
			seen[lost[i].ID] = true
			t.add(&lost[i])
		}
		if len(lost) > 0 {
			if err := keep(lost); err != nil {
				return t, err
			}
		}
		cursor = next
	}
	return t, nil
}

// lostOf returns those reservations of Redis that are lost.
func lostOf(
	ctx context.Context, list []shard.Field, records func(context.Context, []string) (map[string]wire.Record, error),
) (lost []Lost, err error) {
	texts := map[string]string{}
	for _, f := range list {
		texts[f.Name] = f.Value
	}
	ids := slices.Sorted(maps.Keys(texts))
	known, err := records(ctx, ledger.Identifiers(ids)) // the ledger has no other ids
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		record, err := wire.DecodeRecord(texts[id])
		if err != nil {
			lost = append(lost, Lost{ID: id, Text: []byte(texts[id])})
			continue
		}
		has, there := known[id]
		same := there && has.CreationNonce == record.CreationNonce
		if same && has.Version >= record.Version {
			continue
		}
		l := Lost{ID: id, Order: record.Order, Customer: record.Customer, State: record.State, Version: record.Version, Record: &record}
		if same {
			l.LedgerVersion = has.Version
		}
		lost = append(lost, l)
	}
	return lost, nil
}
