package ledger

import "github.com/holdfast/holdfast/cache"

// transfer applies a transfer, or says why not. Beside what holds of every operation, units that are sold
// where they are must stay there.
func (b *WorkingSet) transfer(entry *Entry, i int, e *cache.Event) (RefusalReason, refusalDetail) {
	deltas := e.Deltas()
	for _, d := range deltas {
		l := b.Levels[LevelKey{d.SKU, d.Location}]
		if l == nil || d.OnHand >= 0 || b.Operations[e.ID] {
			continue
		}
		if there := max(0, l.OnHand+l.BackorderLimit-l.Committed); there < -d.OnHand && l.OnHand >= -d.OnHand {
			short := cache.Shortage{SKU: d.SKU, Requested: -d.OnHand, Available: there}
			return ReasonOversold, refusalDetail{Levels: deltas, Shortages: []cache.Shortage{short}}
		}
	}
	return b.adjust(entry, i, e)
}
