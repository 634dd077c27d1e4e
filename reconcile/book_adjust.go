package reconcile

import "github.com/holdfast/holdfast/cache"

// adjust applies one operation, or says why not.
func (b *book) adjust(entry *entry, i int, e *cache.Event) (refusalReason, refusalDetail) {
	deltas := e.Deltas()
	if b.operations[e.ID] {
		return reasonKnown, refusalDetail{Levels: deltas}
	}
	after := map[levelKey]int64{}
	for _, d := range deltas {
		key := levelKey{d.SKU, d.Location}
		units, seen := after[key]
		if l := b.levels[key]; l != nil && !seen {
			units = l.onHand
		}
		after[key] = units + d.OnHand
		if after[key] < 0 {
			short := cache.Shortage{SKU: d.SKU, Requested: -d.OnHand, Available: units}
			return reasonNegative, refusalDetail{Levels: deltas, Shortages: []cache.Shortage{short}}
		}
	}
	for n, d := range deltas {
		key, verb := levelKey{d.SKU, d.Location}, e.Verb
		if e.Levels[n].Counted {
			verb = verbCount
		}
		l := b.levels[key]
		if l == nil {
			l = &level{}
			b.levels[key] = l
		}
		change := level{onHand: d.OnHand, safetyStock: d.SafetyStock, backorderLimit: d.BackorderLimit}
		l.add(change)
		b.moved(entry, i, e, verb, key, change)
	}
	b.operate(entry, e, e.ID)
	return "", refusalDetail{}
}
