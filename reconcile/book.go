package reconcile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// levelKey names a level.
type levelKey struct {
	sku location.SKU
	at  location.ID
}

// level is a level as the ledger counts it, units.
type level struct {
	onHand, held, committed, safetyStock, backorderLimit int64
}

// book is the rows of the ledger that some entries touch, as a working copy: events are decided on it
// one by one, in the order of the stream, and each row is written once in the end.
type book struct {
	levels       map[levelKey]*level
	reservations map[string]*reservation
	operations   map[string]bool // ids that are known
	movements    []movement
	refusals     []refusal
	made         []operation
}

// reservation is a reservation as the ledger keeps it.
type reservation struct {
	record  cache.Record
	extra   string // JSON of what Redis does not keep, "" where there is nothing
	created bool   // by this batch
	changed bool   // by this batch
}

// operation is an adjustment or count that was applied.
type operation struct {
	id          string
	fingerprint string
	at          int64 // Unix ms
	reason      string
	actor       string
}

// movement is what one event changed of one level. Movements are never changed: all of them,
// replayed, give the levels.
type movement struct {
	entry       entryID
	event       int // index in the entry
	at          int64
	key         levelKey
	delta       level // signed
	verb        cache.Verb
	reservation string // or operation
	operation   string
	reason      string
	actor       string
}

// refusalKey names the transition that was refused: the version it made in Redis.
type refusalKey struct {
	id      string
	birth   string
	version int64
}

// refusal is an event that the ledger did not apply: the answer to who waits for it, and what is to be
// undone in Redis.
type refusal struct {
	refusalKey
	entry  entryID
	event  int
	at     int64
	verb   cache.Verb
	reason refusalReason
}

// refusalReason says why an event was refused.
type refusalReason string

const (
	reasonOversold refusalReason = "oversold"      // more would be committed than there is
	reasonKnown    refusalReason = "id_known"      // the id belongs to another reservation or operation
	reasonVersion  refusalReason = "version"       // it does not follow from what the ledger has
	reasonUnknown  refusalReason = "unknown_level" // it draws on a level the ledger does not have
	reasonNegative refusalReason = "negative"      // a count would fall below zero
)

func newBook() *book {
	return &book{
		levels: map[levelKey]*level{}, reservations: map[string]*reservation{},
		operations: map[string]bool{},
	}
}

// apply decides the events of an entry in order.
func (b *book) apply(id entryID, entry cache.Entry) {
	for i := range entry.Events {
		e := &entry.Events[i]
		var reason refusalReason
		switch e.Verb {
		case cache.VerbAdjust:
			reason = b.adjust(id, i, entry.At, e)
		default:
			reason = b.transition(id, i, entry.At, e)
		}
		if reason != "" {
			b.refusals = append(b.refusals, refusal{
				refusalKey: refusalKey{id: e.ID, birth: e.Record.Birth, version: e.Record.Version},
				entry:      id, event: i, at: entry.At, verb: e.Verb, reason: reason,
			})
		}
	}
}

// transition applies one transition of a reservation, or says why not. It applies only where the
// ledger's record has the same birth and the version and state it starts from.
func (b *book) transition(id entryID, i int, at int64, e *cache.Event) refusalReason {
	known := b.reservations[e.ID]
	before := cache.Record{}
	switch {
	case e.Verb == cache.VerbReserve && known != nil:
		return reasonKnown
	case e.Verb != cache.VerbReserve && known == nil:
		return reasonVersion
	case known != nil:
		before = known.record
	}
	if before.Version != e.VersionBefore || before.State != e.StateBefore || e.Record.Version != before.Version+1 ||
		known != nil && before.Birth != e.Record.Birth {
		return reasonVersion
	}
	deltas, reason := b.deltas(before, e.Record)
	if reason != "" {
		return reason
	}
	for _, d := range deltas {
		b.levels[d.key].add(d.level)
		b.movements = append(b.movements, movement{
			entry: id, event: i, at: at, key: d.key, delta: d.level, verb: e.Verb, reservation: e.ID,
		})
	}
	if known == nil {
		known = &reservation{extra: e.Extra, created: true}
		b.reservations[e.ID] = known
	}
	known.record, known.changed = e.Record, true
	return ""
}

type delta struct {
	key levelKey
	level
}

// deltas is what it changes of each level that a reservation goes from before to after, in the order
// of its lines; or why it may not.
func (b *book) deltas(before, after cache.Record) ([]delta, refusalReason) {
	var list []delta
	index := map[levelKey]int{}
	add := func(r cache.Record, sign int64) {
		for _, line := range r.Lines {
			for _, a := range line.From {
				key := levelKey{line.SKU, a.Location}
				at, seen := index[key]
				if !seen {
					at = len(list)
					index[key] = at
					list = append(list, delta{key: key})
				}
				switch d := &list[at]; r.State {
				case cache.StateHeld:
					d.held += sign * a.Quantity
				case cache.StateConfirmed:
					d.committed += sign * (a.Quantity - a.Fulfilled)
				}
				list[at].onHand -= sign * a.Fulfilled
			}
		}
	}
	add(before, -1)
	add(after, +1)
	moved := list[:0]
	for _, d := range list {
		if d.level == (level{}) {
			continue
		}
		l := b.levels[d.key]
		if l == nil {
			return nil, reasonUnknown
		}
		next := *l
		next.add(d.level)
		switch {
		case next.onHand < 0 || next.held < 0 || next.committed < 0:
			return nil, reasonNegative
		case d.committed > 0 && next.committed > next.onHand+next.backorderLimit:
			return nil, reasonOversold
		}
		moved = append(moved, d)
	}
	return moved, ""
}

func (l *level) add(d level) {
	l.onHand += d.onHand
	l.held += d.held
	l.committed += d.committed
	l.safetyStock += d.safetyStock
	l.backorderLimit += d.backorderLimit
}

// adjust applies one operation, or says why not.
func (b *book) adjust(id entryID, i int, at int64, e *cache.Event) refusalReason {
	if b.operations[e.ID] {
		return reasonKnown
	}
	for _, c := range e.Levels {
		if l := b.levels[levelKey{c.SKU, c.Location}]; l != nil && l.onHand+c.OnHandAfter-c.OnHandBefore < 0 {
			return reasonNegative
		}
	}
	for _, c := range e.Levels {
		key := levelKey{c.SKU, c.Location}
		l := b.levels[key]
		if l == nil {
			l = &level{}
			b.levels[key] = l
		}
		d := level{
			onHand:         c.OnHandAfter - c.OnHandBefore,
			safetyStock:    c.SafetyStockAfter - c.SafetyStockBefore,
			backorderLimit: c.BackorderLimitAfter - c.BackorderLimitBefore,
		}
		l.add(d)
		b.movements = append(b.movements, movement{
			entry: id, event: i, at: at, key: key, delta: d, verb: e.Verb, operation: e.ID, reason: e.Reason, actor: e.Actor,
		})
	}
	b.operations[e.ID] = true
	b.made = append(b.made, operation{id: e.ID, fingerprint: e.Fingerprint, at: at, reason: e.Reason, actor: e.Actor})
	return ""
}

// entryID is the id of an entry of the stream: epoch and sequence.
type entryID struct{ epoch, sequence uint64 }

func (id entryID) String() string { return fmt.Sprintf("%d-%d", id.epoch, id.sequence) }

// parseEntryID reads "<epoch>-<sequence>".
func parseEntryID(text string) (entryID, error) {
	epoch, sequence, _ := strings.Cut(text, "-")
	e, err1 := strconv.ParseUint(epoch, 10, 64)
	s, err2 := strconv.ParseUint(sequence, 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return entryID{}, fmt.Errorf("entry id %q: %w: %w", text, cache.ErrCorrupt, err)
	}
	return entryID{e, s}, nil
}
