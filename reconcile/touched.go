package reconcile

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/cache"
)

// touched names the rows that some events read or change.
type touched struct {
	ids        map[string]bool // of reservations
	operations map[string]bool
	levels     map[levelKey]bool
	limits     map[cache.LimitKey]bool // what purchase limits count
	compared   map[string]bool         // reservations that an audit compares, or has repaired; no event changes them
	marks      bool                    // an audit compares something
	ranges     [][2]levelKey           // of levels that it compares, the first and the last
}

func touch(list []ref) *touched {
	t := &touched{ids: map[string]bool{}, operations: map[string]bool{}, levels: map[levelKey]bool{}, limits: map[cache.LimitKey]bool{}, compared: map[string]bool{}}
	for _, r := range list {
		e := r.event()
		switch e.Verb {
		case cache.VerbAdjust, cache.VerbRemove, cache.VerbTransfer, cache.VerbRevert:
			t.operations[e.ID] = true
		case cache.VerbAudit:
			t.mark(e.Mark)
		case cache.VerbRepair:
			t.repaired(e.Repaired)
		default:
			t.ids[e.ID] = true
			t.add(&e.Record)
			if e.Operation != "" {
				t.operations[e.Operation] = true
			}
		}
		for _, l := range e.Levels {
			t.levels[levelKey{l.SKU, l.Location}] = true
		}
	}
	return t
}

// add adds the levels that a record draws on, and the limits that count it.
func (t *touched) add(r *cache.Record) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			t.levels[levelKey{line.SKU, a.Location}] = true
		}
	}
	for key := range r.LimitCounts() {
		t.limits[key] = true
	}
}

// without takes away the levels and limits that others name already.
func (t *touched) without(others *touched) {
	maps.DeleteFunc(t.levels, func(key levelKey, _ bool) bool { return others.levels[key] })
	maps.DeleteFunc(t.limits, func(key cache.LimitKey, _ bool) bool { return others.limits[key] })
}

// limitKeys is the limits, in order.
func (t *touched) limitKeys() []cache.LimitKey {
	return slices.SortedFunc(maps.Keys(t.limits), compareLimits)
}

func compareLimits(a, b cache.LimitKey) int {
	return cmp.Or(strings.Compare(a.Limit, b.Limit), strings.Compare(a.Customer, b.Customer))
}

// levelKeys is the levels, in the order in which they are locked.
func (t *touched) levelKeys() []levelKey {
	return slices.SortedFunc(maps.Keys(t.levels), compareLevels)
}

func compareLevels(a, b levelKey) int {
	if c := strings.Compare(string(a.sku), string(b.sku)); c != 0 {
		return c
	}
	return strings.Compare(string(a.at), string(b.at))
}

// undo is the reservation that a refused step goes back to: the ledger's, under a version higher than
// the refused one. A confirm that was refused leaves nothing held: its units may be another's by now,
// and a later confirm takes them again if it can. Nil where the ledger has none of that birth: then
// there is nothing to go back to.
func undo(r *refusal, known *cache.Record) *cache.Record {
	if known == nil || known.Birth != r.step.Birth {
		return nil
	}
	target := r.before(known)
	if r.verb == cache.VerbConfirm && (target.State == cache.StateHeld || target.State == cache.StateExpired) {
		target.State = cache.StateExpired
	}
	target.Version = r.step.Version + 1
	return &target
}

// before is the ledger's record of what a step was refused of. Where that has archived it, its lines are those
// that Redis has, and nothing follows any more: callers are told what the ledger says.
func (r *refusal) before(known *cache.Record) cache.Record {
	if !archived(known) {
		return *known
	}
	record, err := cache.DecodeRecord(r.detail.Record)
	if err != nil {
		return *known
	}
	record.State, record.Transition = known.State, transitionConflict
	return record
}

// archived says whether only the id of a reservation is left, and how it came to rest.
func archived(known *cache.Record) bool { return len(known.Lines) == 0 }

// wasConfirmed says that a reservation is or was a sale.
func wasConfirmed(r *cache.Record) bool {
	return r.State == cache.StateConfirmed || r.State == cache.StateFulfilled ||
		r.State == cache.StateReleased && strings.HasSuffix(r.Transition, "+")
}

// settling is the entry that settles open refusals in the ledger, as their compensation would: the
// first entry of an epoch stands for it. A step of a reservation is undone once, at its highest refused
// version.
func settling(first cache.Position, open []refusal, records map[string]cache.Record) entry {
	e := entry{
		text: first.EntryID(), id: entryID{first.Epoch, first.Sequence}, nonce: first.Nonce, at: first.SeenAt,
	}
	highest := map[string]*refusal{}
	for i := range open {
		r := &open[i]
		if h := highest[r.step.ID]; !r.step.Operation && (h == nil || h.step.Version < r.step.Version) {
			highest[r.step.ID] = r
		}
	}
	for _, id := range slices.Sorted(maps.Keys(highest)) {
		if known, there := records[id]; there {
			if target := undo(highest[id], &known); target != nil {
				e.events = append(e.events, cache.Event{Verb: cache.VerbCompensate, ID: id, Record: *target})
				e.raw = append(e.raw, "")
			}
		}
	}
	return e
}
