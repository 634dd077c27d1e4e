package reconcile

import "github.com/holdfast/holdfast/cache"

// transfer applies a transfer, or says why not. Beside what holds of every operation, units that are sold
// where they are must stay there.
func (b *book) transfer(entry *entry, i int, e *cache.Event) (refusalReason, refusalDetail) {
	deltas := e.Deltas()
	for _, d := range deltas {
		l := b.levels[levelKey{d.SKU, d.Location}]
		if l == nil || d.OnHand >= 0 || b.operations[e.ID] {
			continue
		}
		if there := max(0, l.onHand+l.backorderLimit-l.committed); there < -d.OnHand && l.onHand >= -d.OnHand {
			short := cache.Shortage{SKU: d.SKU, Requested: -d.OnHand, Available: there}
			return reasonOversold, refusalDetail{Levels: deltas, Shortages: []cache.Shortage{short}}
		}
	}
	return b.adjust(entry, i, e)
}
