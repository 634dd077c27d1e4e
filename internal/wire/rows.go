package wire

import "github.com/holdfast/holdfast/location"

// LevelRow is a level of the ledger. A rebuild loads the rows in this file into Redis.
type LevelRow struct {
	SKU                                                  location.SKU
	Location                                             location.ID
	OnHand, Held, Committed, SafetyStock, BackorderLimit int64 // units
}

// ReservationRow is a reservation of the ledger.
type ReservationRow struct {
	ID     string
	Record Record
}

// OperationRow is an operation of the ledger.
type OperationRow struct {
	ID            string
	CreationNonce string
	Fingerprint   string
	At            int64 // Unix ms
}

// LimitRow is what a purchase limit counts for one customer in the ledger.
type LimitRow struct {
	LimitKey
	Units int64
}
