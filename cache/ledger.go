package cache

import (
	"context"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// Ledger is what a Store needs of the ledger: where sales are durable, and where it is written whose
// data Redis must have. Package reconcile implements it.
type Ledger interface {
	// Loading hands check the position of the shard, while no other process loads scripts. Its error
	// is check's, or ErrNotDurable where the ledger does not answer; ErrRebuilding where there is no
	// position yet.
	Loading(ctx context.Context, check func(context.Context, wire.Position) error) error

	// Suspect tells the reconciler, if there is one in this process, that Redis may not be what the
	// position says. It does not block.
	Suspect()

	// Await returns once the ledger has decided what is awaited: nil where it has applied it.
	// Refusals: *InsufficientError, ErrIDConflict; ErrNotDurable where it does not answer before ctx
	// ends, or at once where it is known to be down, or where the step is lost or undone and the call
	// can be repeated.
	Await(ctx context.Context, a wire.Awaited) error

	// Durable says whether what the ledger has survives.
	Durable() bool

	// Reservation reads one that Redis has forgotten. Refusals: ErrNotFound, ErrNotDurable.
	Reservation(ctx context.Context, id string) (wire.Record, error)

	// Operation reads an operation. Refusals: ErrNotFound, ErrNotDurable.
	Operation(ctx context.Context, id string) (Operation, error)

	// Since reads what is on hand of levels, and what came and left since a moment, Unix ms. Refusals:
	// ErrNotDurable; ErrRebuilding where nothing was begun yet.
	Since(ctx context.Context, moment int64, levels []wire.LevelName) (Since, error)

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

// Operation is an operation as the ledger keeps it.
type Operation struct {
	Fingerprint string // of what the caller sent
	At          time.Time
}

// LevelShort is a level, and the units that are sold from it and not there.
type LevelShort struct {
	wire.LevelName
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
