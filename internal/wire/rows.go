package wire

import "github.com/holdfast/holdfast/location"

// Level has the counts of a level in the ledger, in units; or a change of them, with signs.
type Level struct {
	OnHand, Held, Committed, SafetyStock, BackorderLimit int64

	CommittedBackorder int64 // units of Committed whose lines may be backordered
}

// CommittedPlain returns the units of Committed whose lines may not be backordered.
func (l *Level) CommittedPlain() int64 { return l.Committed - l.CommittedBackorder }

// Add adds a change to a level.
func (l *Level) Add(d Level) {
	l.OnHand += d.OnHand
	l.Held += d.Held
	l.Committed += d.Committed
	l.SafetyStock += d.SafetyStock
	l.BackorderLimit += d.BackorderLimit
	l.CommittedBackorder += d.CommittedBackorder
}

// LevelRow is a level of the ledger and its name. A rebuild loads the rows in this file into Redis.
type LevelRow struct {
	LevelName
	Level
}

// ReservationRow is a reservation of the ledger.
type ReservationRow struct {
	ID       string
	Record   Record
	Metadata map[string]string // nil if the reader does not need it; else not nil
	Destination
	Lines map[string]Destination // of the lines that have one of their own, by line
}

// Destination is where units go: an address or a store, or neither if nobody said.
type Destination struct {
	ShipTo *location.Address `json:"ship_to,omitempty"`
	Pickup location.ID       `json:"pickup,omitempty"`
}

// OperationRow is an operation of the ledger.
type OperationRow struct {
	ID            string
	CreationNonce string
	Fingerprint   string
	At            int64 // Unix ms
}

// LimitRow is a counter of a purchase limit in the ledger.
type LimitRow struct {
	LimitKey
	Units int64
}

// Details is how a reservation is routed: what its reserve asked for, and Redis does not keep.
type Details struct {
	CreationNonce string
	Destination
	Split location.Split
	Lines map[string]Destination // of the lines that have one of their own, by line
}
