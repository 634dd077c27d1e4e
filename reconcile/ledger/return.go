package ledger

import (
	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
)

// takeBack applies a return or an unfulfill, or returns why not. Both are a transition of a
// reservation and an operation on levels in one. They create a level that gets units and does not
// exist.
func (w *WorkingSet) takeBack(entry *Entry, i int, e *wire.Event) (RefusalReason, RefusalDetail) {
	before, reason := w.follows(e)
	if reason != "" {
		return reason, UndoDetail(entry, e)
	}
	deltas := changes(before, e.Record)
	for _, d := range e.Carried {
		deltas = addOnHand(deltas, LevelKey{SKU: d.SKU, Location: d.Location}, d.OnHand)
	}
	if e.Verb == cache.VerbReturn {
		deltas, reason = addReturned(deltas, before, e)
	}
	if reason == "" {
		deltas, reason = w.allowed(deltas, true)
	}
	if reason != "" {
		return reason, UndoDetail(entry, e)
	}
	for _, d := range deltas {
		if w.Levels[d.key] == nil {
			w.Levels[d.key] = &Level{}
		}
	}
	w.record(entry, i, e, deltas)
	return "", RefusalDetail{}
}

// addReturned adds the returned units of each line to deltas, which name each level once.
func addReturned(deltas []delta, before wire.Record, e *wire.Event) ([]delta, RefusalReason) {
	if len(before.Lines) != len(e.Record.Lines) || len(e.Levels) == 0 {
		return nil, ReasonVersion
	}
	to := e.Levels[0].Location
	for i, line := range e.Record.Lines {
		units := line.Returned - before.Lines[i].Returned
		if units < 0 || line.SKU != before.Lines[i].SKU {
			return nil, ReasonVersion
		}
		if units > 0 {
			deltas = addOnHand(deltas, LevelKey{SKU: line.SKU, Location: to}, units)
		}
	}
	return deltas, ""
}

// addOnHand adds units on hand of a level to deltas.
func addOnHand(deltas []delta, key LevelKey, units int64) []delta {
	for i := range deltas {
		if deltas[i].key == key {
			deltas[i].OnHand += units
			return deltas
		}
	}
	return append(deltas, delta{key, Level{OnHand: units}})
}
