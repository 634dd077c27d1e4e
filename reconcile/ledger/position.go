package ledger

import (
	"time"

	"github.com/holdfast/holdfast/internal/wire"
)

// PositionRow is the position of a shard and the other columns of its row.
type PositionRow struct {
	wire.Position
	Rebuild     bool  // an operator has asked for a rebuild
	ForgottenTo int64 // Redis has forgotten what was resolved before this moment, Unix ms

	// Claim is the run id of the server that another process knows as the primary. It is "" if nobody has
	// claimed the shard for ClaimFor.
	Claim string
}

// ClaimFor is how long a claim counts. The process that made it repeats it sooner.
const ClaimFor = 3 * time.Second

// AsOf is the place in the stream at which rows of the ledger were read. It is read with them.
type AsOf struct {
	wire.Position
	There   bool // false if nothing was ever applied
	Refused bool // a refused step is not undone in Redis yet, so a difference may be expected
}

// SamePosition reports whether two positions are the same entry.
func SamePosition(a, b wire.Position) bool {
	return a.Epoch == b.Epoch && a.Sequence == b.Sequence && a.Nonce == b.Nonce
}

// IsAfter reports whether an entry comes after a position in the stream.
func IsAfter(id EntryID, p wire.Position) bool {
	return id.Epoch > p.Epoch || id.Epoch == p.Epoch && id.Sequence > p.Sequence
}
