package ledger

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
)

// PositionRow is the position of a shard and the other columns of its row.
type PositionRow struct {
	cache.Position
	Rebuild     bool  // an operator has asked for a rebuild
	ForgottenTo int64 // Redis has forgotten what was resolved before this moment, Unix ms
}

// AsOf is the place in the stream at which rows of the ledger were read. It is read with them.
type AsOf struct {
	cache.Position
	There   bool // false if nothing was ever applied
	Refused bool // a refused step is not undone in Redis yet, so a difference may be expected
}

// SamePosition reports whether two positions are the same entry.
func SamePosition(a, b cache.Position) bool {
	return a.Epoch == b.Epoch && a.Sequence == b.Sequence && a.Nonce == b.Nonce
}

// IsAfter reports whether an entry comes after a position in the stream.
func IsAfter(id EntryID, p cache.Position) bool {
	return id.Epoch > p.Epoch || id.Epoch == p.Epoch && id.Sequence > p.Sequence
}

// OlderThanRedis returns why a ledger at position at lacks entries that Redis has already dropped,
// or "" if it lacks none. first holds the first entry that is still in the stream. A gate that was
// stopped for this reason stays stopped until the right ledger is back: then its last applied entry
// is in the stream, and so is everything after it.
func OlderThanRedis(
	ctx context.Context, shard *cache.Shard, seen *cache.Identity, first []redis.XMessage, at cache.Position,
) (why string, err error) {
	if seen.Epoch > at.Epoch {
		return fmt.Sprintf("it is at epoch %d, Redis is at epoch %d", at.Epoch, seen.Epoch), nil
	}
	if len(first) == 1 && seen.Epoch == at.Epoch {
		id, err := ParseEntryID(first[0].ID)
		if err == nil && id.Epoch == at.Epoch && id.Sequence > at.Sequence {
			return fmt.Sprintf("it has applied entries up to %s, and Redis no longer has those between there and %s", at.EntryID(), id), nil
		}
	}
	if !seen.Stopped() {
		return "", nil
	}
	applied, err := shard.LastApplied(ctx, at)
	if err == nil && !applied {
		why = "an earlier check found it older than Redis"
	}
	return why, err
}
