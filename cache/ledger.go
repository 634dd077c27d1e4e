package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// Ledger makes sales durable, and records which Redis holds the stock. The packages under
// reconcile/ledger implement it; a checkout only passes one to New. Its methods are safe for
// concurrent use. Each method returns ErrNotDurable if the ledger does not answer.
type Ledger interface {
	// Loading calls check with the shard's position while it holds the script-loading lock, so that
	// no other process loads scripts meanwhile. It returns check's error. Before a reconciler has
	// written a position it returns ErrRebuilding and does not call check.
	Loading(ctx context.Context, check func(context.Context, wire.Position) error) error

	// Epoch returns the shard's epoch, 0 before a reconciler has begun one. A Store asks every 250 ms: when
	// another epoch has begun, it stops using the scripts of the one before.
	Epoch(ctx context.Context) (uint64, error)

	// Suspect tells the reconciler in this process, if there is one, that Redis may not be the one
	// in the position. It does not block.
	Suspect()

	// Await waits until the ledger has decided a step, and returns nil if it applied the step.
	// Refusals: *InsufficientError and ErrIDConflict. It returns ErrNotDurable if ctx ends first,
	// at once if the ledger is known to be down, and if the step is lost or undone so that the call
	// can be repeated.
	Await(ctx context.Context, a wire.Awaited) error

	// Durable reports whether the ledger survives a restart.
	Durable() bool

	// Reservation reads a reservation with its metadata. Refusals: ErrNotFound, which is ErrArchived if
	// only its id is left.
	Reservation(ctx context.Context, id string) (wire.ReservationRow, error)

	// ResolvedIDs reads a page of the ids of resolved reservations, archived ones too, and where the
	// next page begins. It may name an id twice. The first pages, until next.ID is "", have all that
	// were resolved by then; the last page has less than limit.
	ResolvedIDs(ctx context.Context, after ResolvedCursor, limit int) (ids []string, next ResolvedCursor, err error)

	// Details reads how a reservation is routed. Refusals: ErrNotFound.
	Details(ctx context.Context, id string) (wire.Details, error)

	// Operation reads an operation. Refusals: ErrNotFound.
	Operation(ctx context.Context, id string) (Operation, error)

	// Since reads the units on hand of levels, those that moved after a moment, Unix ms, and the counts
	// in force. Refusals: ErrRebuilding before a reconciler has written a position.
	Since(ctx context.Context, moment int64, levels []wire.LevelName) (Since, error)

	// Short returns one list for each level: its newest confirmed reservations, as many as it takes
	// to add up to the missing units, at most limit.
	Short(ctx context.Context, levels []LevelShort, limit int) ([][]ShortReservation, error)

	// Levels reads the levels of a SKU, in order of location, without Available.
	Levels(ctx context.Context, sku location.SKU) ([]Level, error)

	// Search reads one page of reservations with their metadata, the newest first, and the cursor of
	// the next page, "" on the last one. A hold is overdue if its deadline is not after now, Unix ms.
	Search(ctx context.Context, filter ReservationFilter, now int64) (rows []wire.ReservationRow, next string, err error)

	// LevelPage reads one page of levels, in order of SKU and location, without Available, and the
	// position of the ledger at that moment.
	LevelPage(ctx context.Context, filter LevelFilter) (LevelPage, error)
}

// ErrArchived is an ErrNotFound for a reservation of which the ledger keeps only the id.
var ErrArchived = fmt.Errorf("%w: it was archived", ErrNotFound)

// ResolvedCursor is a place in the list of resolved reservations. The zero value is its beginning.
type ResolvedCursor struct {
	ID string // read all in the order of their ids, behind this one
	At int64  // then, or with ID "", read what was resolved from this moment on, Unix ms
}

// Operation is an operation that a Ledger has applied.
type Operation struct {
	Fingerprint string // of the request
	At          time.Time
}

// LevelShort is a level with fewer units than are sold from it.
type LevelShort struct {
	wire.LevelName
	Units int64 // missing
}

// Since is the ledger's view of some levels, and of their movements after a moment.
type Since struct {
	Epoch, Sequence uint64 // id of the last applied entry
	KeptFrom        int64  // Unix ms; movements before this may be missing
	Levels          []LevelSince
}

// LevelSince is a level now, and its movements after a moment.
type LevelSince struct {
	OnHand int64 // now, units
	Moved  int64 // units that came minus units that left, without counts and write-offs
	Count  Count // in force
}

// Count is the operation that last said how many units of a level there are: a count, or a removal.
// The zero value is none.
type Count struct {
	Operation string    // its id
	At        time.Time // the moment that it was made for
}
