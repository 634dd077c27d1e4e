package ledger

import (
	"fmt"

	"github.com/holdfast/holdfast/cache"
)

// remove applies the removal of a level, or says why not. Whatever the ledger has on hand there goes with
// it: its movement takes the level to nothing, so that movements still add up.
func (b *WorkingSet) remove(entry *Entry, i int, e *cache.Event) (RefusalReason, refusalDetail) {
	detail := refusalDetail{Levels: e.Deltas()}
	if b.Operations[e.ID] {
		return ReasonKnown, detail
	}
	for _, d := range detail.Levels {
		switch l := b.Levels[LevelKey{d.SKU, d.Location}]; {
		case l == nil:
			return ReasonUnknown, detail
		case l.Held != 0 || l.Committed != 0:
			detail.Held, detail.Committed = l.Held, l.Committed
			return ReasonInUse, detail
		}
	}
	for _, d := range detail.Levels {
		key := LevelKey{d.SKU, d.Location}
		l := b.Levels[key]
		b.moved(entry, i, e, e.Verb, key, Level{OnHand: -l.OnHand, SafetyStock: -l.SafetyStock, BackorderLimit: -l.BackorderLimit})
		delete(b.Levels, key)
	}
	b.operate(entry, e, e.ID)
	return "", refusalDetail{}
}

// moved notes what an operation has changed of a level.
func (b *WorkingSet) moved(entry *Entry, i int, e *cache.Event, verb cache.Verb, key LevelKey, delta Level) {
	b.Movements = append(b.Movements, Movement{
		Entry: entry.ID, Event: i, At: entry.At, Key: key, Delta: delta, Verb: verb,
		Operation: e.ID, Reason: e.Reason, Actor: e.Actor,
	})
}

// operate notes that an operation was applied.
func (b *WorkingSet) operate(entry *Entry, e *cache.Event, id string) {
	b.Operations[id] = true
	b.Made = append(b.Made, Operation{
		ID: id, Birth: entry.Nonce, Fingerprint: e.Fingerprint, At: entry.At, Reason: e.Reason, Actor: e.Actor,
	})
}

// used is the refusal to remove a level.
func (d *refusalDetail) used() error {
	used := &cache.InUseError{What: "the level", Held: d.Held, Committed: d.Committed}
	if len(d.Levels) > 0 {
		used.What = fmt.Sprintf("%s at %s", d.Levels[0].SKU, d.Levels[0].Location)
	}
	return used
}
