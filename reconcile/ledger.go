package reconcile

import (
	"context"
	"errors"

	"github.com/holdfast/holdfast/cache"
)

// Ledger keeps what happened: *Postgres for real, *Memory for the embedded default. One contract
// suite runs against both, and Memory is how to read what they do.
type Ledger interface {
	cache.Ledger
	Directories
	Audits

	// lock makes a session where nobody else has one; errHeld where somebody has.
	lock(ctx context.Context) (session, error)
	// healthy says whether the ledger answered when it was last asked.
	Healthy() bool
	// decided tells whoever waits in this process what a batch has decided.
	decided(entries []entry, refusals []refusal)
	// suspicions is what Suspect writes to.
	suspicions() <-chan struct{}
}

// What a session can answer with.
var (
	errHeld  = errors.New("another process has the lock of this shard")
	errMoved = errors.New("the position is another: somebody else has applied")
)

// session is the ledger in the hands of the one process that applies. The lock saves work, it proves
// nothing: what keeps two from applying the same is that begin and apply compare the position. After
// an error other than errMoved the session is of no more use, and what became of the call is unknown.
type session interface {
	// position is how far the shard was applied; ok is false where nothing ever was.
	position(ctx context.Context) (p position, ok bool, err error)

	// begin starts an epoch: it moves the position from from (nil: there is none yet) to to. Open
	// refusals of reservations are settled in the ledger, as their compensation would. Holds whose
	// deadline had not passed when Redis was last seen, from.SeenAt, get as much longer as it was
	// away: to.SeenAt - from.SeenAt. It clears what an operator asked for.
	begin(ctx context.Context, from *cache.Position, to cache.Position) error

	// apply decides the events of entries in order and moves the position from from to to, all in one
	// transaction; it returns the refusals. Entries that have a fault, and events that a constraint
	// refuses, are put into quarantine, the latter also as refusals.
	apply(ctx context.Context, from, to cache.Position, entries []entry) ([]refusal, error)

	// note keeps the session, and p.SeenAt, p.RunID and p.ReplicationID, where the position is still p.
	note(ctx context.Context, p cache.Position) error

	// keepFrom notes that what came and left before a moment, Unix ms, may not be known.
	keepFrom(ctx context.Context, moment int64) error

	// open lists refusals that wait for their undoing, the oldest first.
	open(ctx context.Context, limit int) ([]refusal, error)
	// settle marks refusals that have nothing to be undone any more.
	settle(ctx context.Context, steps []cache.Step) error
	// records reads reservations; those the ledger does not know are missing.
	records(ctx context.Context, ids []string) (map[string]cache.Record, error)

	// setAside keeps entries that are never applied, those of a forked tail, for a person to see.
	setAside(ctx context.Context, entries []entry, reason string) error

	// What a rebuild loads, page by page, after the last of the page before, nil at first: levels;
	// reservations that are unresolved; those resolved from from on, Unix ms, with where to go on, 0 at
	// the end; and operations that were applied since.
	levels(ctx context.Context, after *cache.LevelRow, limit int) ([]cache.LevelRow, error)
	live(ctx context.Context, after *cache.ReservationRow, limit int) ([]cache.ReservationRow, error)
	rested(ctx context.Context, from int64, limit int) (rows []cache.ReservationRow, next int64, err error)
	operations(ctx context.Context, since int64, after string, limit int) ([]cache.OperationRow, error)
	// limits is what purchase limits count, where that is not 0, behind a key, in order.
	limits(ctx context.Context, after cache.LimitKey, limit int) ([]cache.LimitRow, error)

	// forgettable lists what Redis need no longer keep: resolved or applied from from to before to,
	// both Unix ms, the oldest first. upTo is where to go on.
	forgettable(ctx context.Context, from, to int64, limit int) (f cache.Forgettable, upTo int64, err error)
	// forgotten notes that it was told so.
	forgotten(ctx context.Context, upTo int64) error

	close()
}

// position is a cache.Position and what else its row says.
type position struct {
	cache.Position
	rebuild     bool  // an operator asks for a rebuild
	forgottenTo int64 // Unix ms
}
