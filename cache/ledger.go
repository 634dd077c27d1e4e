package cache

import (
	"context"
	"time"

	"github.com/holdfast/holdfast/location"
)

// Ledger is what a Store needs of the ledger: where sales are durable, and where it is written whose
// data Redis must have. Package reconcile implements it.
type Ledger interface {
	// Loading hands check the position of the shard, while no other process loads scripts. Its error
	// is check's, or ErrNotDurable where the ledger does not answer; ErrRebuilding where there is no
	// position yet.
	Loading(ctx context.Context, check func(context.Context, Position) error) error

	// Suspect tells the reconciler, if there is one in this process, that Redis may not be what the
	// position says. It does not block.
	Suspect()

	// Await returns once the ledger has decided what is awaited: nil where it has applied it.
	// Refusals: *InsufficientError, ErrIDConflict; ErrNotDurable where it does not answer before ctx
	// ends, or at once where it is known to be down, or where the step is lost or undone and the call
	// can be repeated.
	Await(ctx context.Context, a Awaited) error

	// Durable says whether what the ledger has survives.
	Durable() bool

	// Reservation reads one that Redis has forgotten. Refusals: ErrNotFound, ErrNotDurable.
	Reservation(ctx context.Context, id string) (Record, error)

	// Operation reads an operation. Refusals: ErrNotFound, ErrNotDurable.
	Operation(ctx context.Context, id string) (Operation, error)

	// Since reads what is on hand of levels, and what came and left since a moment, Unix ms. Refusals:
	// ErrNotDurable; ErrRebuilding where nothing was begun yet.
	Since(ctx context.Context, moment int64, levels []LevelName) (Since, error)

	// Short names the newest confirmed reservations of levels, one list for each: as many as it takes to add
	// up to what the level is short of, at most limit. Refusals: ErrNotDurable.
	Short(ctx context.Context, levels []LevelShort, limit int) ([][]ShortReservation, error)

	// Levels reads what a SKU has, in order of location, without Available. Refusals: ErrNotDurable.
	Levels(ctx context.Context, sku location.SKU) ([]Level, error)

	// Search reads reservations, the newest first; overdue ones are those of now, Unix ms. Refusals:
	// ErrNotDurable.
	Search(ctx context.Context, filter ReservationFilter, now int64) (ReservationPage, error)

	// LevelPage reads levels in order of SKU and location, without Available. Refusals: ErrNotDurable.
	LevelPage(ctx context.Context, filter LevelFilter) (LevelPage, error)
}

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

// Position is how far the ledger has applied a shard, and whose Redis that was.
type Position struct {
	Epoch         uint64
	Sequence      uint64 // with Epoch the id of the last applied entry
	Nonce         string // of that entry: another one there is another history
	RunID         string // Redis's, when its scripts were loaded
	ReplicationID string
	Shards        int    // how many there are, fixed at initialisation
	Prefix        string // of the keys, likewise
	SeenAt        int64  // Unix ms by Redis's clock: when it last was what this says
}

// Operation is an operation as the ledger keeps it.
type Operation struct {
	Fingerprint string // of what the caller sent
	At          time.Time
}

// LevelName names a level.
type LevelName struct {
	SKU      location.SKU
	Location location.ID
}

// LevelShort is a level, and the units that are sold from it and not there.
type LevelShort struct {
	LevelName
	Units int64
}

// Since is what the ledger knows of a moment.
type Since struct {
	Epoch, Sequence uint64 // id of the entry up to which it has applied
	KeptFrom        int64  // Unix ms: what came and left before, it may not know
	Levels          []LevelSince
}

// LevelSince is a level now, and since a moment.
type LevelSince struct {
	OnHand int64 // now, units
	Moved  int64 // that came since, less those that left; what was counted or written off is neither
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
