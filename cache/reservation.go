package cache

import (
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// Reservation is what a caller sees of a record at now, Unix ms: an overdue hold reads expired, and the
// components of a kit are one line.
func ReservationOf(r wire.Record, id string, now int64) Reservation {
	res := Reservation{
		ID: id, State: r.State, Version: r.Version,
		CreatedAt: time.UnixMilli(r.Created).UTC(), ExpiresAt: time.UnixMilli(r.Expires).UTC(),
		Channel: r.Channel, Customer: r.Customer, Order: r.Order,
		Lines: make([]Line, 0, len(r.Lines)),
	}
	if r.State == wire.StateHeld && r.Expires <= now {
		res.State = wire.StateExpired
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

// line is what a caller sees of a line; of a kit's first component, that line in kits.
func line(l *wire.RecordLine) Line {
	each, sku := int64(1), l.SKU
	var components []Component
	if l.Kit != nil {
		each, sku, components = l.Kit.Each, l.Kit.SKU, []Component{component(l)}
	}
	line := Line{
		Line: l.Line, SKU: sku, Requested: l.Requested / each, Returned: l.Returned / each,
		From: make([]Allocation, len(l.From)), Components: components,
	}
	for i, a := range l.From {
		line.Quantity += a.Quantity / each
		line.Fulfilled += a.Fulfilled / each
		line.From[i] = Allocation{Location: a.Location, Quantity: a.Quantity / each}
	}
	return line
}

// component is what a caller sees of a component of a kit.
func component(l *wire.RecordLine) Component {
	c := Component{SKU: l.SKU, From: make([]Allocation, len(l.From))}
	for i, a := range l.From {
		c.Quantity += a.Quantity
		c.From[i] = Allocation{Location: a.Location, Quantity: a.Quantity}
	}
	return c
}

// State is where a reservation stands.
type State = wire.State

// The states of a reservation.
const (
	StateHeld      = wire.StateHeld
	StateConfirmed = wire.StateConfirmed
	StateFulfilled = wire.StateFulfilled
	StateReleased  = wire.StateReleased
	StateExpired   = wire.StateExpired
)

// Reservation is units taken for one order, and where they stand.
type Reservation struct {
	ID        string
	State     State // an overdue hold reads expired, swept or not
	Version   int64 // 1 at first, one more with each transition
	CreatedAt time.Time
	ExpiresAt time.Time // the deadline, to the millisecond; without meaning once confirmed
	Channel   location.Channel
	Customer  string
	Order     string
	Lines     []Line
}

// Line is one line of a Reservation.
type Line struct {
	Line      string
	SKU       location.SKU
	Requested int64 // units first asked for
	Quantity  int64 // units in the reservation; a partial release lowers it
	Fulfilled int64 // units of Quantity that have left
	Returned  int64 // units of Fulfilled that came back to stock
	From      []Allocation

	// Components are what the units of a kit consist of; nil where SKU is no kit. Then all quantities
	// of the line are kits.
	Components []Component
}

// Component is one of the SKUs that a kit consists of.
type Component struct {
	SKU      location.SKU
	Quantity int64 // units, of all kits of the line
	From     []Allocation
}

// Allocation is the part of a line that one location serves.
type Allocation struct {
	Location location.ID
	Quantity int64 // units
}

// Result is a Reservation as a verb answers it.
type Result struct {
	Reservation
	Replay  bool // the same request was answered before; nothing was changed
	Durable bool // the ledger has it; false where there is no ledger, and for what needs none

	// DurableCall says that this call is one of those that are answered once the ledger has them:
	// confirm, fulfill, return, and the release of a confirmed reservation.
	DurableCall bool

	awaited wire.Awaited // the step that led to it
}

// Level is a SKU at a location. Available = OnHand - Held - Committed - SafetyStock +
// BackorderLimit; all in units.
type Level struct {
	SKU            location.SKU
	Location       location.ID
	OnHand         int64
	Held           int64
	Committed      int64
	SafetyStock    int64
	BackorderLimit int64
	Available      int64 // may be below 0 after an adjustment
}

// Shortfall is the units that are sold and are neither there nor allowed to be missing.
func (l *Level) Shortfall() int64 { return max(0, l.Committed-l.OnHand-l.BackorderLimit) }

// ReservationPage is one page of reservations. Next is "" on the last page.
type ReservationPage struct {
	Reservations []Reservation
	Next         string
}

// LevelPage is one page of levels. Next is "" on the last page.
type LevelPage struct {
	Levels []Level
	Next   string
}

// AdjustResult is what an operation left behind, one level for each of its changes, in their order.
type AdjustResult struct {
	Levels  []AdjustedLevel
	At      time.Time // when the operation was applied, by Redis's clock
	Replay  bool      // the id was used before for the same request; nothing was changed
	Durable bool      // the ledger has it; false where there is no ledger

	birth string // nonce of the entry that made it
}

// AdjustedLevel is a level as it is now, and whether this operation made it.
type AdjustedLevel struct {
	Level
	Created bool // never true in a replay

	// Short is, where the level has a shortfall, the confirmed reservations that no longer fit: the newest
	// first, at most ShortReservationsMax. Nil where there is no ledger, or it does not answer in time.
	Short []ShortReservation
}

// ShortReservation is a confirmed reservation for which a level has too few units.
type ShortReservation struct {
	ID       string
	Order    string
	Customer string
	Quantity int64 // units of it that are committed at the level
}
