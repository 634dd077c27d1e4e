package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// ErrNotTogether says that Redis lacks the last entry that the ledger applied. One of them belongs to
// another deployment, or Redis has lost data. In either case a reconciler would rebuild Redis.
var ErrNotTogether = errors.New("redis and the ledger do not belong together, or redis has lost data")

// CheckTogether returns ErrNotTogether unless Redis has the last entry that the ledger applied, or
// both are empty. While Redis is being rebuilt, the error is also cache.ErrRebuilding.
func CheckTogether(ctx context.Context, client redis.UniversalClient, prefix string, l ledger.Ledger) error {
	shard, seen, err := open(ctx, client, prefix)
	if err != nil {
		return err
	}
	defer shard.Close()
	for {
		at, there, err := l.Position(ctx)
		switch {
		case err != nil:
			return err
		case !there && seen.Epoch == 0:
			return nil
		case !there:
			return fmt.Errorf("%w: the ledger is empty, redis is at epoch %d", ErrNotTogether, seen.Epoch)
		}
		has, err := shard.LastApplied(ctx, at.Position)
		if err != nil || has {
			return err
		}
		now, _, err := l.Position(ctx)
		switch {
		case err != nil:
			return err
		case !ledger.SamePosition(now.Position, at.Position): // the entry may have been trimmed meanwhile
		case seen.Closed() && !seen.Stopped():
			return fmt.Errorf("%w: %w", ErrNotTogether, cache.ErrRebuilding)
		default:
			return fmt.Errorf("%w: redis lacks entry %s, which the ledger applied last", ErrNotTogether, at.EntryID())
		}
	}
}
