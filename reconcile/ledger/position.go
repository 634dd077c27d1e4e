package ledger

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
)

// after says whether an entry stands behind a position.
func IsAfter(id EntryID, p cache.Position) bool {
	return id.Epoch > p.Epoch || id.Epoch == p.Epoch && id.Sequence > p.Sequence
}

// older says why a ledger that has applied up to at lacks what Redis has, given the first entry that is there; ""
// where it does not. A gate that was stopped for that stays so, unless the ledger is the right one again: then its last
// applied entry is there, and all that follows it.
func OlderThanRedis(ctx context.Context, shard *cache.Shard, seen *cache.Identity, first []redis.XMessage, at cache.Position) (why string, err error) {
	if seen.Epoch > at.Epoch {
		return fmt.Sprintf("it is at epoch %d, Redis at %d", at.Epoch, seen.Epoch), nil
	}
	if len(first) == 1 && seen.Epoch == at.Epoch {
		id, err := ParseEntryID(first[0].ID)
		if err == nil && id.Epoch == at.Epoch && id.Sequence > at.Sequence {
			return fmt.Sprintf("it has applied up to %s, and what follows up to %s is in Redis no more", at.EntryID(), id), nil
		}
	}
	if !seen.Stopped() {
		return "", nil
	}
	applied, err := shard.LastApplied(ctx, at)
	if err == nil && !applied {
		why = "it was found so before"
	}
	return why, err
}
