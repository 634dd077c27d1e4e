package cache

import (
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// State is the state of a reservation.
type State = wire.State

// The states of a reservation.
const (
	StateHeld      = wire.StateHeld
	StateConfirmed = wire.StateConfirmed
	StateFulfilled = wire.StateFulfilled
	StateReleased  = wire.StateReleased
	StateExpired   = wire.StateExpired
)

// Reservation is the units taken out of sale for one order.
type Reservation struct {
	ID        string
	State     State // an overdue hold reads expired, swept or not
	Version   int64 // from 1, one more with each transition
	CreatedAt time.Time
	ExpiresAt time.Time // the deadline of a held or expired reservation, to the millisecond; else zero
	Channel   location.Channel
	Customer  string
	Order     string
	Lines     []Line

	// Identities are those that purchase limits count beside the customer; nil if no limit counts the
	// reservation.
	Identities []string

	// ShipTo and Pickup are the destination of the lines without one of their own. Only the ledger keeps
	// them, like Metadata.
	ShipTo *location.Address
	Pickup location.ID

	// Metadata is not nil if the call has read it. Only the ledger keeps it: Reservation and Search
	// read it, Describe answers it, and other calls do not.
	Metadata map[string]string
}

// Line is one line of a Reservation.
type Line struct {
	Line      string
	SKU       location.SKU
	Requested int64 // units last asked for, by the reserve or by an amend of the line
	Quantity  int64 // units in the reservation; a partial release lowers it
	Fulfilled int64 // units of Quantity that have left
	Returned  int64 // units of Fulfilled that came back to stock
	From      []Allocation
	Backorder bool // it takes its units even if they are not available

	// Backordered is the units left that may have to wait for units to arrive: at each location, at
	// most as many as Level.Backordered. Lines of several reservations may wait for the same ones.
	// Only a line with Backorder has it, while its reservation is held or confirmed. Search does not
	// set it.
	Backordered int64

	// ShipTo or Pickup is the line's own destination. Only the ledger keeps it, like Reservation.Metadata.
	ShipTo *location.Address
	Pickup location.ID

	// Components are the parts of a kit, or nil. If SKU is a kit, all quantities of the line count
	// kits.
	Components []Component
}

// Component is one of the SKUs that a kit consists of.
type Component struct {
	SKU      location.SKU
	Quantity int64 // units in all kits of the line
	From     []Allocation
}

// Allocation is the part of a line that one location serves.
type Allocation struct {
	Location location.ID
	Quantity int64 // units
}

// reservationOf returns what a caller sees of a record at now, Unix ms: an overdue hold reads
// expired, and the components of a kit are one line.
func reservationOf(r wire.Record, id string, now int64) Reservation {
	res := Reservation{
		ID: id, State: r.State, Version: r.Version,
		CreatedAt: time.UnixMilli(r.Created).UTC(),
		Channel:   r.Channel, Customer: r.Customer, Order: r.Order, Identities: r.Identities(),
		Lines: make([]Line, 0, len(r.Lines)),
	}
	if r.State == wire.StateHeld && r.Expires <= now {
		res.State = wire.StateExpired
	}
	if res.State == wire.StateHeld || res.State == wire.StateExpired {
		res.ExpiresAt = time.UnixMilli(r.Expires).UTC()
	}
	for i := range r.Lines {
		l := &r.Lines[i]
		last := len(res.Lines) - 1
		if l.Kit != nil && last >= 0 && res.Lines[last].Line == l.Line {
			res.Lines[last].Components = append(res.Lines[last].Components, component(l))
			continue
		}
		res.Lines = append(res.Lines, line(l))
	}
	return res
}

// reservationOfRow is reservationOf with what only the ledger keeps.
func reservationOfRow(row *wire.ReservationRow, now int64) Reservation {
	res := reservationOf(row.Record, row.ID, now)
	res.Metadata, res.ShipTo, res.Pickup = row.Metadata, row.ShipTo, row.Pickup
	for i := range res.Lines {
		own := row.Lines[res.Lines[i].Line]
		res.Lines[i].ShipTo, res.Lines[i].Pickup = own.ShipTo, own.Pickup
	}
	return res
}

// line returns what a caller sees of a line. For the first component of a kit that is the kit's
// line.
func line(l *wire.RecordLine) Line {
	each, sku := int64(1), l.SKU
	var components []Component
	if l.Kit != nil {
		each, sku, components = l.Kit.Each, l.Kit.SKU, []Component{component(l)}
	}
	line := Line{
		Line: l.Line, SKU: sku, Requested: l.Requested / each, Returned: l.Returned / each,
		From: make([]Allocation, len(l.From)), Components: components, Backorder: l.Backorder,
	}
	for i, a := range l.From {
		line.Quantity += a.Quantity / each
		line.Fulfilled += a.Fulfilled / each
		line.From[i] = Allocation{Location: a.Location, Quantity: a.Quantity / each}
	}
	return line
}

// component returns what a caller sees of a component of a kit.
func component(l *wire.RecordLine) Component {
	c := Component{SKU: l.SKU, From: make([]Allocation, len(l.From))}
	for i, a := range l.From {
		c.Quantity += a.Quantity
		c.From[i] = Allocation{Location: a.Location, Quantity: a.Quantity}
	}
	return c
}

// Result is a Reservation, and how a call came to it.
type Result struct {
	Reservation
	Replay  bool // an earlier call made the same request; this one changed nothing
	Durable bool // the ledger has it; false without a ledger, and for a call that does not wait for it

	// DurableCall reports whether the call is one that waits for the ledger: confirm, fulfill,
	// return, unfulfill, and release, move or amend of a confirmed reservation.
	DurableCall bool

	awaited wire.Awaited // the step that led to it
}

// Level is a SKU at a location, in units. Available is OnHand - Held - Committed - SafetyStock +
// BackorderLimit.
type Level struct {
	SKU            location.SKU
	Location       location.ID
	OnHand         int64
	Held           int64
	Committed      int64
	SafetyStock    int64
	BackorderLimit int64
	Available      int64 // below 0 if units are backordered, or after an operation took it there
}

// Backordered returns the units that are promised beyond those that may be sold: what Available is
// below zero.
func (l *Level) Backordered() int64 { return max(0, -l.Available) }

// Shortfall returns the committed units that are neither on hand nor within the backorder limit.
func (l *Level) Shortfall() int64 { return max(0, l.Committed-l.OnHand-l.BackorderLimit) }
