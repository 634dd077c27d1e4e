package reconcile

import (
	"fmt"

	"github.com/holdfast/holdfast/cache"
)

// remove applies the removal of a level, or says why not. Whatever the ledger has on hand there goes with
// it: its movement takes the level to nothing, so that movements still add up.
func (b *book) remove(entry *entry, i int, e *cache.Event) (refusalReason, refusalDetail) {
	detail := refusalDetail{Levels: e.Deltas()}
	if b.operations[e.ID] {
		return reasonKnown, detail
	}
	for _, d := range detail.Levels {
		switch l := b.levels[levelKey{d.SKU, d.Location}]; {
		case l == nil:
			return reasonUnknown, detail
		case l.held != 0 || l.committed != 0:
			detail.Held, detail.Committed = l.held, l.committed
			return reasonInUse, detail
		}
	}
	for _, d := range detail.Levels {
		key := levelKey{d.SKU, d.Location}
		l := b.levels[key]
		b.moved(entry, i, e, e.Verb, key, level{onHand: -l.onHand, safetyStock: -l.safetyStock, backorderLimit: -l.backorderLimit})
		delete(b.levels, key)
	}
	b.operate(entry, e, e.ID)
	return "", refusalDetail{}
}

// moved notes what an operation has changed of a level.
func (b *book) moved(entry *entry, i int, e *cache.Event, verb cache.Verb, key levelKey, delta level) {
	b.movements = append(b.movements, movement{
		entry: entry.id, event: i, at: entry.at, key: key, delta: delta, verb: verb,
		operation: e.ID, reason: e.Reason, actor: e.Actor,
	})
}

// operate notes that an operation was applied.
func (b *book) operate(entry *entry, e *cache.Event, id string) {
	b.operations[id] = true
	b.made = append(b.made, operation{
		id: id, birth: entry.nonce, fingerprint: e.Fingerprint, at: entry.at, reason: e.Reason, actor: e.Actor,
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
