package cache

import (
	"time"

	"github.com/holdfast/holdfast/location"
)

// ReserveRequest asks for units to be taken out of sale until a deadline.
type ReserveRequest struct {
	ID       string            // the caller's id and idempotency key; required
	Channel  location.Channel  // sales channel; "" is the default one
	Customer string            // optional; searchable
	Order    string            // optional; searchable
	ShipTo   *location.Address // optional; never together with Pickup
	Pickup   location.ID       // optional: the store the customer collects from
	TTL      time.Duration     // until the deadline, whole seconds; 0 is Options.TTL
	Split    location.Split    // "" is the channel's
	Lines    []LineRequest     // 1 to LinesMax, unique by Line
	Metadata map[string]string // optional; written to the event, not kept in Redis
}

// LineRequest is one line of a ReserveRequest.
type LineRequest struct {
	Line     string       // the order's line id; required, unique in the reservation
	SKU      location.SKU // required
	Quantity int64        // units, 1 to QuantityMax
	Location location.ID  // an optional pin: from here or not at all
}

// TransitionRequest names a reservation to confirm, release or fulfill.
type TransitionRequest struct {
	ID      string
	Version int64          // the version it must have now; 0 does not ask. Required with Lines
	Lines   []LineQuantity // release and fulfill: these units only; empty means all. Not for confirm
}

// LineQuantity is a number of units of one line.
type LineQuantity struct {
	Line     string
	Quantity int64 // units, 1 to QuantityMax
}

// ExtendRequest moves the deadline of a held reservation to now + TTL.
type ExtendRequest struct {
	ID      string
	TTL     time.Duration // whole seconds; 0 is Options.TTL
	Version int64         // the version it must have now; 0 does not ask
}

// AdjustRequest is one operation on levels: a count, an adjustment, or a change of policy. All its
// changes are applied in one atomic step, or none.
type AdjustRequest struct {
	ID      string    // the operation's id and idempotency key; required
	AsOf    time.Time // when the counts were made, to the millisecond; zero is now
	Reason  string    // optional, kept with the event
	Actor   string    // optional: who did it
	Changes []Change
}

// Change is what an operation does to one level. Fields left nil stay as they are; on a level that
// does not exist yet they are 0.
type Change struct {
	SKU            location.SKU
	Location       location.ID
	OnHand         *int64 // a count: the units that are there now, 0 to QuantityMax
	Delta          *int64 // a signed change of on hand; never together with OnHand
	IfOnHand       *int64 // refuse unless on hand is this now
	SafetyStock    *int64 // units kept back from sale, 0 to QuantityMax
	BackorderLimit *int64 // units that may be sold beyond what is there, 0 to QuantityMax
}

// LevelFilter selects levels, in order of SKU and location.
type LevelFilter struct {
	Location  location.ID // only this location; "" is all
	SKUPrefix string      // only SKUs that begin so; "" is all
	Limit     int         // 1 to LevelPageMax; 0 is LevelPageDefault
	Cursor    string      // LevelPage.Next of the page before; "" is the first page
}

// ReservationFilter selects reservations, the newest first. What is "" selects all.
type ReservationFilter struct {
	State    State // an overdue hold is expired
	Order    string
	Customer string
	Line     string       // has a line of this id
	SKU      location.SKU // has a line of this SKU; with Line and Location the same line
	Location location.ID  // has a line that this location serves
	Limit    int          // 1 to ReservationPageMax; 0 is ReservationPageDefault
	Cursor   string       // ReservationPage.Next of the page before; "" is the first page
}
