package ledger

import "github.com/holdfast/holdfast/cache"

// adjust applies one operation, or says why not.
func (b *WorkingSet) adjust(entry *Entry, i int, e *cache.Event) (RefusalReason, refusalDetail) {
	deltas := e.Deltas()
	if b.Operations[e.ID] {
		return ReasonKnown, refusalDetail{Levels: deltas}
	}
	after := map[LevelKey]int64{}
	for _, d := range deltas {
		key := LevelKey{d.SKU, d.Location}
		units, seen := after[key]
		if l := b.Levels[key]; l != nil && !seen {
			units = l.OnHand
		}
		after[key] = units + d.OnHand
		if after[key] < 0 {
			short := cache.Shortage{SKU: d.SKU, Requested: -d.OnHand, Available: units}
			return ReasonNegative, refusalDetail{Levels: deltas, Shortages: []cache.Shortage{short}}
		}
	}
	for n, d := range deltas {
		key, verb := LevelKey{d.SKU, d.Location}, e.Verb
		if e.Levels[n].Counted {
			verb = VerbCount
		}
		l := b.Levels[key]
		if l == nil {
			l = &Level{}
			b.Levels[key] = l
		}
		change := Level{OnHand: d.OnHand, SafetyStock: d.SafetyStock, BackorderLimit: d.BackorderLimit}
		l.Add(change)
		b.moved(entry, i, e, verb, key, change)
	}
	b.operate(entry, e, e.ID)
	return "", refusalDetail{}
}
