package memory

import (
	"context"
	"slices"

	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Changes reads a page of changes, the newest first.
func (m *Ledger) Changes(_ context.Context, after ledger.Change, limit int) ([]ledger.Change, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []ledger.Change
	for _, c := range m.changes {
		if after.At.IsZero() || ledger.CompareChanges(c, after) < 0 {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b ledger.Change) int { return ledger.CompareChanges(b, a) })
	return list[:min(limit, len(list))], nil
}
