package ledger

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/cache"
)

// Touched names the rows that some events read or change.
type Touched struct {
	Ids        map[string]bool // of reservations
	Operations map[string]bool
	Levels     map[LevelKey]bool
	Limits     map[cache.LimitKey]bool // what purchase limits count
	Compared   map[string]bool         // reservations that an audit compares, or has repaired; no event changes them
	Marks      bool                    // an audit compares something
	Ranges     [][2]LevelKey           // of levels that it compares, the first and the last
}

func Touch(list []EventRef) *Touched {
	t := &Touched{Ids: map[string]bool{}, Operations: map[string]bool{}, Levels: map[LevelKey]bool{}, Limits: map[cache.LimitKey]bool{}, Compared: map[string]bool{}}
	for _, r := range list {
		e := r.Event()
		switch e.Verb {
		case cache.VerbAdjust, cache.VerbRemove, cache.VerbTransfer, cache.VerbRevert:
			t.Operations[e.ID] = true
		case cache.VerbAudit:
			t.mark(e.Mark)
		case cache.VerbRepair:
			t.repaired(e.Repaired)
		default:
			t.Ids[e.ID] = true
			t.Add(&e.Record)
			if e.Operation != "" {
				t.Operations[e.Operation] = true
			}
		}
		for _, l := range e.Levels {
			t.Levels[LevelKey{l.SKU, l.Location}] = true
		}
	}
	return t
}

// Add adds the levels that a record draws on, and the limits that count it.
func (t *Touched) Add(r *cache.Record) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			t.Levels[LevelKey{line.SKU, a.Location}] = true
		}
	}
	for key := range r.LimitCounts() {
		t.Limits[key] = true
	}
}

// Without takes away the levels and limits that others name already.
func (t *Touched) Without(others *Touched) {
	maps.DeleteFunc(t.Levels, func(key LevelKey, _ bool) bool { return others.Levels[key] })
	maps.DeleteFunc(t.Limits, func(key cache.LimitKey, _ bool) bool { return others.Limits[key] })
}

// LimitKeys is the limits, in order.
func (t *Touched) LimitKeys() []cache.LimitKey {
	return slices.SortedFunc(maps.Keys(t.Limits), CompareLimits)
}

func CompareLimits(a, b cache.LimitKey) int {
	return cmp.Or(strings.Compare(a.Limit, b.Limit), strings.Compare(a.Customer, b.Customer))
}

// LevelKeys is the levels, in the order in which they are locked.
func (t *Touched) LevelKeys() []LevelKey {
	return slices.SortedFunc(maps.Keys(t.Levels), CompareLevels)
}

func CompareLevels(a, b LevelKey) int {
	if c := strings.Compare(string(a.SKU), string(b.SKU)); c != 0 {
		return c
	}
	return strings.Compare(string(a.Location), string(b.Location))
}

// undo is the reservation that a refused step goes back to: the ledger's, under a version higher than
// the refused one. A confirm that was refused leaves nothing held: its units may be another's by now,
// and a later confirm takes them again if it can. Nil where the ledger has none of that birth: then
// there is nothing to go back to.
func UndoTarget(r *Refusal, known *cache.Record) *cache.Record {
	if known == nil || known.Birth != r.Step.Birth {
		return nil
	}
	target := r.before(known)
	if r.Verb == cache.VerbConfirm && (target.State == cache.StateHeld || target.State == cache.StateExpired) {
		target.State = cache.StateExpired
	}
	target.Version = r.Step.Version + 1
	return &target
}

// before is the ledger's record of what a step was refused of. Where that has archived it, its lines are those
// that Redis has, and nothing follows any more: callers are told what the ledger says.
func (r *Refusal) before(known *cache.Record) cache.Record {
	if !Archived(known) {
		return *known
	}
	record, err := cache.DecodeRecord(r.Detail.Record)
	if err != nil {
		return *known
	}
	record.State, record.Transition = known.State, transitionConflict
	return record
}

// Archived says whether only the id of a reservation is left, and how it came to rest.
func Archived(known *cache.Record) bool { return len(known.Lines) == 0 }

// wasConfirmed says that a reservation is or was a sale.
func wasConfirmed(r *cache.Record) bool {
	return r.State == cache.StateConfirmed || r.State == cache.StateFulfilled ||
		r.State == cache.StateReleased && strings.HasSuffix(r.Transition, "+")
}

// settling is the entry that settles open refusals in the ledger, as their compensation would: the
// first entry of an epoch stands for it. A step of a reservation is undone once, at its highest refused
// version.
func SettlingEntry(first cache.Position, open []Refusal, records map[string]cache.Record) Entry {
	e := Entry{
		Text: first.EntryID(), ID: EntryID{first.Epoch, first.Sequence}, Nonce: first.Nonce, At: first.SeenAt,
	}
	highest := map[string]*Refusal{}
	for i := range open {
		r := &open[i]
		if h := highest[r.Step.ID]; !r.Step.Operation && (h == nil || h.Step.Version < r.Step.Version) {
			highest[r.Step.ID] = r
		}
	}
	for _, id := range slices.Sorted(maps.Keys(highest)) {
		if known, there := records[id]; there {
			if target := UndoTarget(highest[id], &known); target != nil {
				e.Events = append(e.Events, cache.Event{Verb: cache.VerbCompensate, ID: id, Record: *target})
				e.Raw = append(e.Raw, "")
			}
		}
	}
	return e
}
