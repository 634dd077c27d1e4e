package postgres

import (
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

const (
	// levelsKnown and holdsKnown bound what a session remembers: the latest, and at most twice as many.
	levelsKnown = 50_000
	holdsKnown  = 50_000
)

// known is what a session remembers of the rows it has written: levels, and holds, which are what is
// confirmed or released next. Whatever changes one of them moves the position in the same transaction: as
// long as the position is at, the session's own last, a row is as it is remembered. A transaction that relies
// on it compares the position, and also each row that it writes: not even a row that was edited by hand is
// overwritten. Texts are copies: a part of an entry's text would keep all of it.
type known struct {
	at     cache.Position
	levels recent[ledger.LevelKey, ledger.Level]
	holds  recent[string, string] // id -> record, encoded: some 200 bytes
}

func newKnown() *known {
	return &known{levels: newRecent[ledger.LevelKey, ledger.Level](levelsKnown), holds: newRecent[string, string](holdsKnown)}
}

// fill fills a book with what events touch, from memory alone; false where that is not all of it. Only
// transitions of reservations are known in advance: the first of one is its reserve, which an insert that
// meets another refuses, or a step of a hold that is remembered.
func (k *known) fill(set *ledger.WorkingSet, t *ledger.Touched, list []ledger.EventRef) bool {
	if len(t.Operations)+len(t.Limits) > 0 { // what limits count is not remembered
		return false
	}
	born := map[string]bool{}
	for _, r := range list {
		e := r.Event()
		switch e.Verb {
		case cache.VerbReserve, cache.VerbConfirm, cache.VerbRelease, cache.VerbExtend, cache.VerbExpire:
		default:
			return false
		}
		if set.Reservations[e.ID] != nil {
			continue
		}
		switch hold := k.hold(e.ID); {
		case hold != nil:
			t.Add(&hold.Record)
			set.Reservations[e.ID] = hold
		case e.Verb == cache.VerbReserve:
			born[e.ID] = true
		case !born[e.ID]:
			return false
		}
	}
	if len(t.Limits) > 0 { // of a hold; its event has others
		return false
	}
	for key := range t.Levels {
		l, there := k.levels.find(key)
		if !there {
			return false
		}
		set.Before[key], set.Levels[key] = l, &l
	}
	return true
}

// hold is a hold that is remembered; nil where it is not.
func (k *known) hold(id string) *ledger.Reservation {
	text, there := k.holds.find(id)
	if !there {
		return nil
	}
	record, err := cache.DecodeRecord(text)
	if err != nil { // never: learn has encoded it
		return nil
	}
	hold := ledger.Reservation{Record: record}
	hold = hold.Kept()
	return &hold
}

// learn remembers what a book has changed, and at which position. What was only read, as an audit reads the
// whole ledger, is not what comes next.
func (k *known) learn(set *ledger.WorkingSet, at cache.Position) {
	k.at = at
	for key := range set.Before {
		if set.Levels[key] == nil {
			k.levels.drop(key)
		}
	}
	for key, l := range set.Levels {
		if before, there := set.Before[key]; there && before == *l {
			continue
		}
		copied := ledger.LevelKey{SKU: location.SKU(strings.Clone(string(key.SKU))), Location: location.ID(strings.Clone(string(key.Location)))}
		k.levels.put(copied, *l)
	}
	for id, r := range set.Reservations {
		switch {
		case r.Record.State != cache.StateHeld:
			k.holds.drop(id)
		case r.Created || r.Changed || r.Rearranged:
			k.holds.put(strings.Clone(id), r.Record.Encode())
		}
	}
}

// recent is a map that holds the latest of what was put into it: when it is full, the older half goes.
type recent[K comparable, V any] struct {
	most          int
	newer, before map[K]V
}

func newRecent[K comparable, V any](most int) recent[K, V] {
	return recent[K, V]{most: most, newer: map[K]V{}, before: map[K]V{}}
}

func (r *recent[K, V]) find(key K) (value V, there bool) {
	if value, there = r.newer[key]; !there {
		value, there = r.before[key]
	}
	return value, there
}

func (r *recent[K, V]) put(key K, value V) {
	if len(r.newer) >= r.most {
		r.newer, r.before = map[K]V{}, r.newer
	}
	r.newer[key] = value
}

func (r *recent[K, V]) drop(key K) {
	delete(r.newer, key)
	delete(r.before, key)
}
