package ledger

import (
	"context"
	"errors"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/directory"
)

// Ledger keeps what happened: *Postgres for real, *Memory for the embedded default. One contract
// suite runs against both, and Memory is how to read what they do.
type Ledger interface {
	cache.Ledger
	directory.Directories
	Audits

	// lock makes a session where nobody else has one; errHeld where somebody has.
	Lock(ctx context.Context) (Session, error)
	// healthy says whether the ledger answered when it was last asked.
	Healthy() bool
	// decided tells whoever waits in this process what a batch has decided.
	Decided(entries []Entry, refusals []Refusal)
	// suspicions is what Suspect writes to.
	Suspicions() <-chan struct{}
}

// What a session can answer with.
var (
	ErrLocked = errors.New("another process has the lock of this shard")
	ErrMoved  = errors.New("the position is another: somebody else has applied")
)

// Session is the ledger in the hands of the one process that applies. The lock saves work, it proves
// nothing: what keeps two from applying the same is that begin and apply compare the position. After
// an error other than errMoved the session is of no more use, and what became of the call is unknown.
type Session interface {
	// position is how far the shard was applied; ok is false where nothing ever was.
	Position(ctx context.Context) (p PositionRow, ok bool, err error)

	// begin starts an epoch: it moves the position from from (nil: there is none yet) to to. Open
	// refusals of reservations are settled in the ledger, as their compensation would. Holds whose
	// deadline had not passed when Redis was last seen, from.SeenAt, get as much longer as it was
	// away: to.SeenAt - from.SeenAt. It clears what an operator asked for.
	Begin(ctx context.Context, from *cache.Position, to cache.Position) error

	// apply decides the events of entries in order and moves the position from from to to, all in one
	// transaction; it returns the refusals. Entries that have a fault, and events that a constraint
	// refuses, are put into quarantine, the latter also as refusals.
	Apply(ctx context.Context, from, to cache.Position, entries []Entry) ([]Refusal, error)

	// note keeps the session, and p.SeenAt, p.RunID and p.ReplicationID, where the position is still p.
	Note(ctx context.Context, p cache.Position) error

	// keepFrom notes that what came and left before a moment, Unix ms, may not be known.
	KeepFrom(ctx context.Context, moment int64) error

	// open lists refusals that wait for their undoing, the oldest first.
	Open(ctx context.Context, limit int) ([]Refusal, error)
	// settle marks refusals that have nothing to be undone any more.
	Settle(ctx context.Context, steps []cache.Step) error
	// records reads reservations; those the ledger does not know are missing.
	Records(ctx context.Context, ids []string) (map[string]cache.Record, error)

	// setAside keeps entries that are never applied, those of a forked tail, for a person to see.
	SetAside(ctx context.Context, entries []Entry, reason string) error

	// What a rebuild loads, page by page, after the last of the page before, nil at first: levels;
	// reservations that are unresolved; those resolved from from on, Unix ms, with where to go on, 0 at
	// the end; and operations that were applied since.
	Levels(ctx context.Context, after *cache.LevelRow, limit int) ([]cache.LevelRow, error)
	Live(ctx context.Context, after *cache.ReservationRow, limit int) ([]cache.ReservationRow, error)
	Rested(ctx context.Context, from int64, limit int) (rows []cache.ReservationRow, next int64, err error)
	Operations(ctx context.Context, since int64, after string, limit int) ([]cache.OperationRow, error)
	// limits is what purchase limits count, where that is not 0, behind a key, in order.
	Limits(ctx context.Context, after cache.LimitKey, limit int) ([]cache.LimitRow, error)

	// forgettable lists what Redis need no longer keep: resolved or applied from from to before to,
	// both Unix ms, the oldest first. upTo is where to go on.
	Forgettable(ctx context.Context, from, to int64, limit int) (f cache.Forgettable, upTo int64, err error)
	// forgotten notes that it was told so.
	Forgotten(ctx context.Context, upTo int64) error

	Close()
}

// position is a cache.Position and what else its row says.
type PositionRow struct {
	cache.Position
	Rebuild     bool  // an operator asks for a rebuild
	ForgottenTo int64 // Unix ms
}

// Signal sends where nothing was sent yet.
func Signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// SamePosition says whether two positions are the same entry.
func SamePosition(a, b cache.Position) bool {
	return a.Epoch == b.Epoch && a.Sequence == b.Sequence && a.Nonce == b.Nonce
}
