package wire

import "github.com/holdfast/holdfast/location"

// Step identifies one change that the ledger decides: a version of a reservation, or an operation.
// The creation nonce tells it from a step of the same id and version in another history.
type Step struct {
	Operation     bool // false: a step of a reservation
	ID            string
	CreationNonce string // nonce of the entry that made the reservation or operation
	Version       int64  // after the step; 1 for an operation, 2 for its revert
}

// Awaited is a step that a call waits for. State and Epoch tell it from another step that took its
// place after Redis lost its latest writes.
type Awaited struct {
	Step
	State State  // of the reservation after the step; "" for an operation
	Epoch uint64 // of the script that made it
}

// LevelName identifies a level.
type LevelName struct {
	SKU      location.SKU
	Location location.ID
}

// LevelDelta is what an operation adds to a level, in units.
type LevelDelta struct {
	SKU            location.SKU `json:"sku"`
	Location       location.ID  `json:"location"`
	OnHand         int64        `json:"on_hand"`
	SafetyStock    int64        `json:"safety_stock"`
	BackorderLimit int64        `json:"backorder_limit"`
	Removed        bool         `json:"removed,omitempty"` // the operation removed the level
}

// Forgettable lists the reservations and operations that Redis may forget, as the ledger has them.
// Redis keeps those that have changed since.
type Forgettable struct {
	Reservations []Step
	Operations   []Step
}
