package ledger

import (
	"context"
	"errors"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/directory"
)

// Ledger is the durable record of one shard. Package postgres keeps it in a database, package
// memory in this process. One suite of tests runs against both; read package memory to learn what
// each method does.
type Ledger interface {
	cache.Ledger // the calls of a Store
	directory.Directories
	Reader
	Audits
	Changes

	// Lock opens the session of the one process that applies. Refusals: ErrLocked.
	Lock(ctx context.Context) (Session, error)
	// Claim tells the process that holds the lock which server is the primary, by its run id. A new epoch ends
	// the claim.
	Claim(ctx context.Context, runID string) error
	// Failure returns why the ledger decides nothing: it does not answer, or it is not being written.
	// It returns nil if all is well.
	Failure() error
	// Decided tells the calls that wait in this process how the events of a batch were decided.
	Decided(entries []Entry, refusals []Refusal)
	// Suspicions returns the channel that Suspect sends to.
	Suspicions() <-chan struct{}
}

// Reader has the reads that a ledger and its session share.
type Reader interface {
	// Position returns the position of the shard; ok is false if nothing was ever applied.
	Position(ctx context.Context) (p PositionRow, ok bool, err error)
	// Limits reads a page of the purchase limits that count something, in order, behind after.
	Limits(ctx context.Context, after wire.LimitKey, limit int) ([]wire.LimitRow, error)
}

// The refusals of Lock, Begin, Adopt, Apply and Note.
var (
	ErrLocked = errors.New("another process holds the lock of this shard")
	ErrMoved  = errors.New("another process has moved the position")
)

// ErrUnwritable says that the database answers, but the ledger cannot be written: its disk is full,
// it is read-only, a privilege or a table is missing. The text gives the reason. Lock and every
// method of a Session may return it.
var ErrUnwritable = errors.New("the ledger cannot be written")

// ErrBusy says that all connections to the database are in use. The ledger is not down.
var ErrBusy = errors.New("all connections to the ledger are in use")

// Session applies the stream to the ledger. One process has it at a time. The lock only saves work.
// Begin, Adopt and Apply compare the position, so two processes cannot apply the same entry. After an error
// other than ErrMoved the session is unusable, and the outcome of the call is unknown.
//
// A session reads on its own connection. Postgres ends a session that is idle for seconds, so a
// rebuild must not read its pages through the ledger instead.
type Session interface {
	Reader

	// Begin starts an epoch: it moves the position from from, nil if there is none yet, to to. It
	// settles the open refusals of reservations, as their compensation would. It extends holds
	// whose deadline had not passed when Redis was last seen, from.SeenAt, by the time that Redis
	// was away: to.SeenAt - from.SeenAt. It clears an operator's request for a rebuild. Refusals:
	// ErrMoved.
	Begin(ctx context.Context, from *wire.Position, to wire.Position) error

	// Adopt starts an epoch on a Redis that has everything the ledger has applied, and nothing more: it
	// moves the position from from to to. Open refusals and deadlines stay as they are. Refusals: ErrMoved.
	Adopt(ctx context.Context, from, to wire.Position) error

	// Apply decides the events of entries in order and moves the position from from to to, all in
	// one transaction. It returns the refusals. It quarantines entries that have a fault, and
	// events that a constraint refuses; the latter are refusals too. Refusals: ErrMoved.
	Apply(ctx context.Context, from, to wire.Position, entries []Entry) ([]Refusal, error)

	// Note keeps the session alive, and writes p.SeenAt, p.RunID and p.ReplicationID. Refusals:
	// ErrMoved if the position is not p.
	Note(ctx context.Context, p wire.Position) error

	// KeepFrom records that movements before a moment, Unix ms, may be missing.
	KeepFrom(ctx context.Context, moment int64) error

	// Open lists refusals that are not undone yet, the oldest first.
	Open(ctx context.Context, limit int) ([]Refusal, error)
	// Settle marks refusals that need no undoing any more.
	Settle(ctx context.Context, steps []wire.Step) error
	// Records reads reservations, and leaves out those that the ledger does not know.
	Records(ctx context.Context, ids []string) (map[string]wire.Record, error)

	// SetAside keeps entries that are never applied, such as those of a forked history, for a
	// person to see.
	SetAside(ctx context.Context, entries []Entry, reason string) error

	// Levels, Live, Rested and Operations read what a rebuild loads, page by page, behind the last
	// row of the page before. Live reads unresolved reservations. Rested reads those
	// resolved from from on, Unix ms, and returns where the next page begins, 0 at the end.
	// Operations reads those applied since a moment, Unix ms.
	Levels(ctx context.Context, after LevelKey, limit int) ([]LevelRow, error)
	Live(ctx context.Context, after LiveKey, limit int) ([]wire.ReservationRow, error)
	Rested(ctx context.Context, from int64, limit int) (rows []wire.ReservationRow, next int64, err error)
	Operations(ctx context.Context, since int64, after string, limit int) ([]wire.OperationRow, error)

	// Forgettable lists what Redis need no longer keep: what was resolved or applied from from to
	// before to, both Unix ms, the oldest first. upTo is where the next page begins.
	Forgettable(ctx context.Context, from, to int64, limit int) (f wire.Forgettable, upTo int64, err error)
	// Forgotten records that Redis was told to forget everything before upTo.
	Forgotten(ctx context.Context, upTo int64) error

	// Close releases the lock.
	Close()
}

// Signal sends to a channel unless a signal is waiting there already.
func Signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}
