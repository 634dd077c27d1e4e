package postgres

import (
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

const (
	// levelsKnown and holdBytesKnown bound what a session remembers: at least so much of the latest,
	// at most twice as much.
	levelsKnown    = 50_000
	holdBytesKnown = 16 << 20 // ids and encoded records
)

// known is what a session remembers of the rows it has written: levels, and holds, which the next
// confirm or release needs. Every change of these rows moves the position in the same transaction.
// So a row is as remembered while the position is still at, the last one that this session wrote. A
// transaction that relies on known compares the position, and also each row that it writes, so that
// it never overwrites a row that was edited by hand. Texts are copies: a substring of an entry's
// text would keep the whole text in memory.
type known struct {
	at     wire.Position
	levels recent[ledger.LevelKey, ledger.Level]
	holds  recent[string, string] // id -> record, encoded: some 200 bytes
}

func newKnown() *known {
	return &known{
		levels: newRecent(levelsKnown, func(ledger.LevelKey, ledger.Level) int { return 1 }),
		holds:  newRecent(holdBytesKnown, func(id, record string) int { return len(id) + len(record) }),
	}
}

// fill puts the rows that events touch into a working set. It returns false if the session does not
// remember all of them. It serves transitions of reservations only. Their first event is either a
// reserve, whose insert fails if the id exists, or a step of a remembered hold.
func (k *known) fill(set *ledger.WorkingSet, t *ledger.RowKeys, list []ledger.EventRef) bool {
	if len(t.Operations)+len(t.Limits) > 0 { // limit counts are not remembered
		return false
	}
	created := map[string]bool{}
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
			created[e.ID] = true
		case !created[e.ID]:
			return false
		}
	}
	if len(t.Limits) > 0 { // a remembered hold may have other limits than its event
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

// hold returns a remembered hold, nil if there is none.
func (k *known) hold(id string) *ledger.Reservation {
	text, there := k.holds.find(id)
	if !there {
		return nil
	}
	record, err := wire.DecodeRecord(text)
	if err != nil { // impossible: learn has encoded it
		return nil
	}
	hold := ledger.Reservation{Record: record}
	hold = hold.AsWritten()
	return &hold
}

// learn remembers the rows that a working set has changed, and the position they are of. It skips
// rows that were only read: an audit reads the whole ledger, and the next event rarely needs those.
func (k *known) learn(set *ledger.WorkingSet, at wire.Position) {
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

// recent is a map of the latest entries put into it. When it is full, it drops the older half.
type recent[K comparable, V any] struct {
	most         int            // the size of a half
	size         func(K, V) int // of an entry
	used         int            // the size of newer
	newer, older map[K]V
}

func newRecent[K comparable, V any](most int, size func(K, V) int) recent[K, V] {
	return recent[K, V]{most: most, size: size, newer: map[K]V{}, older: map[K]V{}}
}

func (r *recent[K, V]) find(key K) (value V, ok bool) {
	if value, ok = r.newer[key]; !ok {
		value, ok = r.older[key]
	}
	return value, ok
}

func (r *recent[K, V]) put(key K, value V) {
	if r.used >= r.most {
		r.newer, r.older, r.used = map[K]V{}, r.newer, 0
	}
	r.dropNewer(key)
	r.newer[key] = value
	r.used += r.size(key, value)
}

func (r *recent[K, V]) drop(key K) {
	r.dropNewer(key)
	delete(r.older, key)
}

func (r *recent[K, V]) dropNewer(key K) {
	if value, there := r.newer[key]; there {
		r.used -= r.size(key, value)
		delete(r.newer, key)
	}
}
