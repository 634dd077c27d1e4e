package wire

import "github.com/holdfast/holdfast/location"

// Step is one durable change, as the ledger knows it again: a version of a reservation of one birth,
// or an operation of one birth.
type Step struct {
	Operation bool // else a reservation
	ID        string
	Birth     string // nonce of the entry that made the reservation or operation
	Version   int64  // that the step led to; of an operation 1
}

// Awaited is a step that a call waits for, and what tells it from another one that took its place
// after Redis had gone back in time.
type Awaited struct {
	Step
	State State  // that a reservation's step led to
	Epoch uint64 // of the script that made it
}

// LevelName names a level.
type LevelName struct {
	SKU      location.SKU
	Location location.ID
}

// LevelDelta is what an operation adds to a level, units.
type LevelDelta struct {
	SKU            location.SKU `json:"sku"`
	Location       location.ID  `json:"location"`
	OnHand         int64        `json:"on_hand"`
	SafetyStock    int64        `json:"safety_stock"`
	BackorderLimit int64        `json:"backorder_limit"`
	Removed        bool         `json:"removed,omitempty"` // it took the level away
}

// LevelRow is a level of the ledger, as a rebuild loads it.
type LevelRow struct {
	SKU                                                  location.SKU
	Location                                             location.ID
	OnHand, Held, Committed, SafetyStock, BackorderLimit int64 // units
}

// ReservationRow is a reservation of the ledger, as a rebuild loads it.
type ReservationRow struct {
	ID     string
	Record Record
}

// OperationRow is an operation of the ledger, as a rebuild loads it.
type OperationRow struct {
	ID          string
	Birth       string
	Fingerprint string
	At          int64 // Unix ms
}

// LimitRow is what a purchase limit counts for one customer, as a rebuild loads it.
type LimitRow struct {
	LimitKey
	Units int64
}

// Forgettable is what Redis may forget: reservations and operations as they are in the ledger. One
// that is another by now is not forgotten.
type Forgettable struct {
	Reservations []Step
	Operations   []Step
}
