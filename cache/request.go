package cache

import (
	"time"

	"github.com/holdfast/holdfast/location"
)

// ReserveRequest asks to take units out of sale until a deadline.
type ReserveRequest struct {
	ID       string            // the caller's id and idempotency key; required
	Channel  location.Channel  // sales channel; "" is the default one
	Customer string            // optional; searchable, and counted by purchase limits
	Order    string            // optional; searchable
	ShipTo   *location.Address // optional; not together with Pickup
	Pickup   location.ID       // optional: the location that the customer collects from
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
	Location location.ID  // optional: the only location that may serve the line
}

// TransitionRequest asks to confirm, release or fulfill a reservation.
type TransitionRequest struct {
	ID      string
	Version int64          // the version that the reservation must have; 0 allows any. Required with Lines
	Lines   []LineQuantity // release and fulfill only these units; empty means all. Not for Confirm
}

// LineQuantity is a number of units of one line, or of kits.
type LineQuantity struct {
	Line     string
	Quantity int64 // 1 to QuantityMax
}

// ExtendRequest asks to move the deadline of a held reservation to now + TTL.
type ExtendRequest struct {
	ID      string
	TTL     time.Duration // whole seconds; 0 is Options.TTL
	Version int64         // the version that the reservation must have; 0 allows any
}

// AdjustRequest is one operation on levels: counts, signed changes of on hand, or changes of
// policy.
type AdjustRequest struct {
	ID      string    // id of the operation, and idempotency key; required
	AsOf    time.Time // when the counts were made, to the millisecond; zero is now
	Reason  string    // optional, kept with the event
	Actor   string    // optional: who did it
	Changes []Change  // 1 to ChangesMax, each of another level
}

// Change is what an operation does to one level. A nil field stays as it is, and is 0 on a new
// level.
type Change struct {
	SKU            location.SKU
	Location       location.ID
	OnHand         *int64 // a count: the units that are there, 0 to QuantityMax
	Delta          *int64 // added to on hand, not 0; not together with OnHand or AsOf
	IfOnHand       *int64 // refuse the operation unless on hand is this
	SafetyStock    *int64 // units kept back from sale, 0 to QuantityMax
	BackorderLimit *int64 // units that may be sold beyond on hand, 0 to QuantityMax
}

// LevelFilter selects levels, in order of SKU and location.
type LevelFilter struct {
	Location  location.ID // only this location; "" is all
	SKUPrefix string      // only SKUs that begin with this; "" is all
	Limit     int         // 1 to LevelPageMax; 0 is LevelPageDefault
	Cursor    string      // LevelPage.Next of the page before; "" is the first page
}

// ReservationFilter selects reservations, the newest first. An empty field selects all.
type ReservationFilter struct {
	State    State // an overdue hold counts as expired
	Order    string
	Customer string
	Line     string       // has a line with this id
	SKU      location.SKU // has a line of this SKU; Line, SKU and Location must hold for the same line
	Location location.ID  // has a line that this location serves
	Limit    int          // 1 to ReservationPageMax; 0 is ReservationPageDefault
	Cursor   string       // ReservationPage.Next of the page before; "" is the first page
}
