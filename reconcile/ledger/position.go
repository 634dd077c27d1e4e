package ledger

import "github.com/holdfast/holdfast/cache"

// IsAfter reports whether an entry comes after a position.
func IsAfter(id EntryID, p cache.Position) bool {
	return id.Epoch > p.Epoch || id.Epoch == p.Epoch && id.Sequence > p.Sequence
}
