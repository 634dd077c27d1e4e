package ledger

import (
	"cmp"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
)

// adjust applies an adjustment, a count or a transfer, or returns why not.
func (w *WorkingSet) adjust(entry *Entry, i int, e *wire.Event) (RefusalReason, RefusalDetail) {
	deltas := e.Deltas()
	if w.Operations[e.ID] {
		return ReasonKnown, RefusalDetail{Levels: deltas}
	}
	after := map[LevelKey]int64{}
	for _, d := range deltas {
		key := LevelKey{SKU: d.SKU, Location: d.Location}
		units, seen := after[key]
		if l := w.Levels[key]; l != nil && !seen {
			units = l.OnHand
		}
		after[key] = units + d.OnHand
		if after[key] < 0 {
			short := cache.Shortage{SKU: d.SKU, Requested: -d.OnHand, Available: units}
			return ReasonNegative, RefusalDetail{Levels: deltas, Shortages: []cache.Shortage{short}}
		}
	}
	for n, d := range deltas {
		key, verb := LevelKey{SKU: d.SKU, Location: d.Location}, e.Verb
		if e.Levels[n].Counted {
			verb = VerbCount
			w.Counts[key] = cache.Count{Operation: e.ID, At: time.UnixMilli(cmp.Or(e.Levels[n].CountedAt, entry.At)).UTC()}
		}
		l := w.Levels[key]
		if l == nil && e.Levels[n].Kept {
			continue
		}
		if l == nil {
			l = &Level{}
			w.Levels[key] = l
		}
		change := Level{OnHand: d.OnHand, SafetyStock: d.SafetyStock, BackorderLimit: d.BackorderLimit}
		l.Add(change)
		w.move(entry, i, e, verb, key, change)
	}
	w.operate(entry, e, e.ID)
	return "", RefusalDetail{}
}

// transfer applies a transfer, or returns why not. In addition to the rules of adjust, committed
// units must stay at their location.
func (w *WorkingSet) transfer(entry *Entry, i int, e *wire.Event) (RefusalReason, RefusalDetail) {
	deltas := e.Deltas()
	for _, d := range deltas {
		l := w.Levels[LevelKey{SKU: d.SKU, Location: d.Location}]
		if l == nil || d.OnHand >= 0 || w.Operations[e.ID] {
			continue
		}
		if there := max(0, l.OnHand+l.BackorderLimit-l.Committed); there < -d.OnHand && l.OnHand >= -d.OnHand {
			short := cache.Shortage{SKU: d.SKU, Requested: -d.OnHand, Available: there}
			return ReasonOversold, RefusalDetail{Levels: deltas, Shortages: []cache.Shortage{short}}
		}
	}
	return w.adjust(entry, i, e)
}

// remove applies the removal of a level, or returns why not. It removes what the ledger has on
// hand, even if Redis had another number: the movement takes the level to zero, so movements still
// add up.
func (w *WorkingSet) remove(entry *Entry, i int, e *wire.Event) (RefusalReason, RefusalDetail) {
	detail := RefusalDetail{Levels: e.Deltas()}
	if w.Operations[e.ID] {
		return ReasonKnown, detail
	}
	for _, d := range detail.Levels {
		switch l := w.Levels[LevelKey{SKU: d.SKU, Location: d.Location}]; {
		case l == nil:
			return ReasonUnknown, detail
		case l.Held != 0 || l.Committed != 0:
			detail.Held, detail.Committed = l.Held, l.Committed
			return ReasonInUse, detail
		}
	}
	for _, d := range detail.Levels {
		key := LevelKey{SKU: d.SKU, Location: d.Location}
		l := w.Levels[key]
		w.move(entry, i, e, e.Verb, key, Level{OnHand: -l.OnHand, SafetyStock: -l.SafetyStock, BackorderLimit: -l.BackorderLimit})
		delete(w.Levels, key)
		w.Counts[key] = cache.Count{Operation: e.ID, At: time.UnixMilli(entry.At).UTC()}
	}
	w.operate(entry, e, e.ID)
	return "", RefusalDetail{}
}

// move appends the movement of a level by an operation.
func (w *WorkingSet) move(entry *Entry, i int, e *wire.Event, verb cache.Verb, key LevelKey, delta Level) {
	w.Movements = append(w.Movements, Movement{
		Entry: entry.ID, Event: i, At: entry.At, Key: key, Delta: delta, Verb: verb,
		Operation: e.ID, Reason: e.Reason, Actor: e.Actor,
	})
}

// operate notes that an operation was applied.
func (w *WorkingSet) operate(entry *Entry, e *wire.Event, id string) {
	w.Operations[id] = true
	w.NewOperations = append(w.NewOperations, Operation{
		ID: id, CreationNonce: entry.Nonce, Fingerprint: e.Fingerprint, At: entry.At, Verb: e.Verb, Reason: e.Reason, Actor: e.Actor,
		OnBehalfOf: e.OnBehalfOf, RequestID: e.RequestID,
	})
}
