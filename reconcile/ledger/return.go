package ledger

import "github.com/holdfast/holdfast/cache"

// takeBack applies a return, or says why not: a transition of a reservation and an operation on levels in
// one. A level that gets units is made where there is none.
func (b *WorkingSet) takeBack(entry *Entry, i int, e *cache.Event) (RefusalReason, refusalDetail) {
	if b.Operations[e.Operation] {
		return ReasonKnown, DetailOf(entry, e)
	}
	before, reason := b.follows(e)
	if reason != "" {
		return reason, DetailOf(entry, e)
	}
	deltas, reason := b.deltas(before, e.Record)
	if reason == "" {
		deltas, reason = b.back(before, e, deltas)
	}
	if reason != "" {
		return reason, DetailOf(entry, e)
	}
	for _, d := range deltas {
		if b.Levels[d.key] == nil {
			b.Levels[d.key] = &Level{}
		}
	}
	b.record(entry, i, e, deltas)
	b.operate(entry, e, e.Operation)
	return "", refusalDetail{}
}

// back adds to deltas what has come back, line by line, each level once.
func (b *WorkingSet) back(before cache.Record, e *cache.Event, deltas []delta) ([]delta, RefusalReason) {
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
			deltas = added(deltas, LevelKey{line.SKU, to}, units)
		}
	}
	return deltas, ""
}

// added is deltas with units more on hand of a level.
func added(deltas []delta, key LevelKey, units int64) []delta {
	for i := range deltas {
		if deltas[i].key == key {
			deltas[i].OnHand += units
			return deltas
		}
	}
	return append(deltas, delta{key, Level{OnHand: units}})
}

// DetailOf is what the undoing of an event needs of it.
func DetailOf(entry *Entry, e *cache.Event) refusalDetail {
	detail := refusalDetail{Levels: e.Deltas()}
	if e.Operation != "" {
		detail.Operation, detail.Nonce = e.Operation, entry.Nonce
	}
	return detail
}

// Returned is the operation of a return that was refused; zero where it was none.
func (d *refusalDetail) Returned() cache.Step {
	if d.Operation == "" {
		return cache.Step{}
	}
	return cache.Step{Operation: true, ID: d.Operation, Birth: d.Nonce, Version: 1}
}
