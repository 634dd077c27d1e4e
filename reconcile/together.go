package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Why Redis and a ledger do not belong together. A rebuild would lose data.
var (
	// ErrNotTogether says that Redis lacks the last entry that the ledger applied. It is also one of
	// the next two, or Redis has lost data, or is being rebuilt.
	ErrNotTogether = errors.New("redis and the ledger do not belong together, or redis has lost data")
	// ErrOtherLedger says that Redis was rebuilt from another ledger.
	ErrOtherLedger = errors.New("redis has the stock of another ledger")
	// ErrOlderLedger says that the ledger lacks what Redis has: it may be a restored backup.
	ErrOlderLedger = errors.New("the ledger is older than Redis")
)

// errLost says that Redis has lost data.
var errLost = errors.New("redis lacks what the ledger applied last")

// CheckTogether returns ErrNotTogether unless Redis has the last entry that the ledger applied, or
// both are empty. While Redis is being rebuilt, the error is also cache.ErrRebuilding. It changes
// nothing.
func CheckTogether(ctx context.Context, client redis.UniversalClient, prefix string, l ledger.Ledger) error {
	conn, _, err := open(ctx, client, prefix)
	if err != nil {
		return err
	}
	defer conn.Close()
	for {
		p, known, err := l.Position(ctx)
		if err != nil {
			return err
		}
		seen, err := conn.Inspect(ctx)
		if err != nil {
			return err
		}
		why := relate(ctx, conn, &seen, p.Position, known)
		if why == nil || !errors.Is(why, errLost) && !errors.Is(why, ErrOtherLedger) && !errors.Is(why, ErrOlderLedger) {
			return why
		}
		now, there, err := l.Position(ctx)
		switch {
		case err != nil:
			return err
		case there != known || !ledger.SamePosition(now.Position, p.Position): // the ledger has gone on with Redis meanwhile
		case errors.Is(why, errLost) && seen.Closed():
			return fmt.Errorf("%w: %w", ErrNotTogether, cache.ErrRebuilding)
		default:
			return fmt.Errorf("%w: %w", ErrNotTogether, why)
		}
	}
}

// relate returns nil if Redis has the last entry that a ledger applied, the one at p, or if both are
// empty. Else it returns ErrOtherLedger, ErrOlderLedger or errLost. known says whether the ledger has a
// position. If p was read before, read it again: the ledger may have gone on with Redis. At most two
// round trips.
func relate(ctx context.Context, conn *shard.Conn, seen *shard.Identity, p wire.Position, known bool) error {
	switch {
	case !known && seen.Epoch == 0:
		return nil
	case !known:
		return fmt.Errorf("%w: it is empty, Redis is at epoch %d", ErrOlderLedger, seen.Epoch)
	case seen.OfOther(p):
		return fmt.Errorf("%w, %s; postgres.url leads to ledger %s: set redis.url, redis.prefix and postgres.url to those of one deployment",
			ErrOtherLedger, seen.LedgerID, p.LedgerID)
	case seen.Epoch > p.Epoch:
		return fmt.Errorf("%w: it is at epoch %d, Redis is at epoch %d", ErrOlderLedger, p.Epoch, seen.Epoch)
	}
	first, err := conn.Entries(ctx, "-", 1)
	if err != nil {
		return err
	}
	if len(first) == 1 && seen.Epoch == p.Epoch {
		id, err := ledger.ParseEntryID(first[0].ID)
		if err == nil && id.Epoch == p.Epoch && id.Sequence > p.Sequence {
			return fmt.Errorf("%w: it has applied entries up to %s, and Redis no longer has those between there and %s", ErrOlderLedger, p.EntryID(), id)
		}
	}
	applied, err := conn.LastApplied(ctx, p)
	switch {
	case err != nil || applied:
		return err
	case seen.Stopped(): // it stays stopped until the right ledger is back
		return fmt.Errorf("%w: an earlier check found it older than Redis", ErrOlderLedger)
	default:
		return fmt.Errorf("%w: entry %s", errLost, p.EntryID())
	}
}

// checkLedger returns ErrOtherLedger if Redis was rebuilt from another ledger, and changes nothing. It
// returns ErrOlderLedger if the ledger is older than Redis, and keeps the gate closed. If an operator
// has accepted an older one, it notes instead that movements up to now may be missing. known says
// whether the ledger has a position.
func (a *applier) checkLedger(ctx context.Context, known, acceptOlder bool) error {
	a.givingUp = false
	why := relate(ctx, a.shard, &a.seen, a.at, known)
	switch {
	case errors.Is(why, errLost), errors.Is(why, ErrOtherLedger) && a.AcceptOtherLedger:
		return nil
	case !errors.Is(why, ErrOlderLedger):
		return why
	}
	// A process that was paused after it read the position finds a Redis that has gone on with the
	// ledger.
	p, there, err := a.session.Position(ctx)
	switch {
	case err != nil:
		return err
	case there != known || known && !ledger.SamePosition(p.Position, a.at):
		return ledger.ErrMoved
	case acceptOlder:
		a.givingUp = true
		return a.session.KeepFrom(ctx, a.seen.Now)
	case known:
		if err := a.shard.CloseGate(ctx, true); err != nil {
			return err
		}
	}
	return why
}

// checkOtherLedger is the part of checkLedger that must come before anything in Redis is changed.
func (a *applier) checkOtherLedger(ctx context.Context) error {
	err := a.inspect(ctx)
	switch {
	case errors.Is(err, cache.ErrCorrupt): // prepare drops what it can't read
		return nil
	case err != nil || !a.seen.OfOther(a.at) || a.AcceptOtherLedger:
		return err
	default:
		return relate(ctx, a.shard, &a.seen, a.at, true)
	}
}
