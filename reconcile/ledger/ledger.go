package ledger

import (
	"context"
	"errors"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/directory"
)

// Ledger is the durable record of what was sold. postgres.Ledger is for production, and
// memory.Ledger is the embedded default. One contract suite, in ledgertest, runs against both.
type Ledger interface {
	cache.Ledger
	directory.Directories
	Audits

	// Lock takes the lock of the shard and returns the session that holds it. Errors: ErrLocked.
	Lock(ctx context.Context) (Session, error)
	// Healthy reports whether the ledger answered the last call.
	Healthy() bool
	// Decided answers the calls in this process that wait for the decisions of a batch.
	Decided(entries []Entry, refusals []Refusal)
	// Suspicions returns the channel that Suspect sends to.
	Suspicions() <-chan struct{}
}

// Errors of Lock and of a Session.
var (
	ErrLocked = errors.New("another process holds the lock of this shard")
	ErrMoved  = errors.New("the position has moved: another process has applied entries")
)

// Session is the access to the ledger of the one process that applies. The lock only saves work.
// Safety comes from Begin and Apply, which compare the position before they write. After an error
// other than ErrMoved the session can't be used any more, and the outcome of the call is unknown.
type Session interface {
	// Position returns the last applied entry of the shard; ok is false before the first one.
	Position(ctx context.Context) (p PositionRow, ok bool, err error)

	// Begin starts an epoch: it moves the position from from (nil: there is none yet) to to. It
	// settles the open refusals of reservations in the ledger, as their compensation would. A hold
	// whose deadline had not passed at from.SeenAt, when Redis was last seen, is extended by the
	// outage: to.SeenAt - from.SeenAt. It clears an operator's request for a rebuild. Errors:
	// ErrMoved.
	Begin(ctx context.Context, from *cache.Position, to cache.Position) error

	// Apply decides the events of entries in order and moves the position from from to to, in one
	// transaction. It returns the refusals. An entry with a fault goes into quarantine. An event
	// that a constraint refuses goes into quarantine and is also a refusal. Errors: ErrMoved.
	Apply(ctx context.Context, from, to cache.Position, entries []Entry) ([]Refusal, error)

	// Note keeps the session alive. It stores p.SeenAt, p.RunID and p.ReplicationID if the position
	// is still p.
	Note(ctx context.Context, p cache.Position) error

	// KeepFrom notes that movements before a moment, Unix ms, may be missing.
	KeepFrom(ctx context.Context, moment int64) error

	// Open lists the refusals that are not undone yet, the oldest first.
	Open(ctx context.Context, limit int) ([]Refusal, error)
	// Settle marks refusals that need no undoing any more.
	Settle(ctx context.Context, steps []cache.Step) error
	// Records reads reservations. It omits those that the ledger does not know.
	Records(ctx context.Context, ids []string) (map[string]cache.Record, error)

	// SetAside puts entries of a forked stream, which are never applied, into quarantine.
	SetAside(ctx context.Context, entries []Entry, reason string) error

	// Levels, Live, Rested, Operations and Limits read what a rebuild loads, page by page. Each
	// starts after the last row of the page before, which is nil or zero for the first page.
	//
	// Live reads unresolved reservations. Rested reads those that were resolved at from, Unix ms,
	// or later; next is where the next page starts, or 0 after the last one. Operations reads what
	// was applied since a moment. Limits reads the counts of purchase limits that are not 0.
	Levels(ctx context.Context, after *cache.LevelRow, limit int) ([]cache.LevelRow, error)
	Live(ctx context.Context, after *cache.ReservationRow, limit int) ([]cache.ReservationRow, error)
	Rested(ctx context.Context, from int64, limit int) (rows []cache.ReservationRow, next int64, err error)
	Operations(ctx context.Context, since int64, after string, limit int) ([]cache.OperationRow, error)
	Limits(ctx context.Context, after cache.LimitKey, limit int) ([]cache.LimitRow, error)

	// Forgettable lists what Redis no longer needs: what was resolved or applied from from to
	// before to, both Unix ms, the oldest first. The next call starts at upTo.
	Forgettable(ctx context.Context, from, to int64, limit int) (f cache.Forgettable, upTo int64, err error)
	// Forgotten notes that Redis has forgotten what is older than upTo, Unix ms.
	Forgotten(ctx context.Context, upTo int64) error

	// Close ends the session and releases the lock.
	Close()
}

// Signal sends on a channel with a buffer of one, unless a signal is already waiting there.
func Signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}
