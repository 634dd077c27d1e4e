package ledger

import (
	"maps"
	"slices"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
)

// UndoTarget returns the record that Redis gets back when a refused step is undone: the ledger's
// record, under a version higher than the refused one. A refused confirm leaves nothing held,
// because another reservation may have the units by now; a later confirm takes them again if it
// can. UndoTarget returns nil if the ledger has no record with that creation nonce.
func UndoTarget(r *Refusal, known *wire.Record) *wire.Record {
	if known == nil || known.CreationNonce != r.Step.CreationNonce {
		return nil
	}
	target := r.before(known)
	if r.Verb == cache.VerbConfirm && (target.State == cache.StateHeld || target.State == cache.StateExpired) {
		target.State = cache.StateExpired
	}
	target.Version = r.Step.Version + 1
	return &target
}

// before returns the ledger's record that a refused step started from. If the ledger has archived
// it, its lines are Redis's, and no step follows: callers get the ledger's state.
func (r *Refusal) before(known *wire.Record) wire.Record {
	if !Archived(known) {
		return *known
	}
	record, err := wire.DecodeRecord(r.Detail.Record)
	if err != nil {
		return *known
	}
	record.State, record.Transition = known.State, wire.TransitionConflict
	return record
}

// SettlingEntry returns an entry that settles open refusals in the ledger as their compensation
// would. It has the id of the first entry of the epoch. A reservation is undone once, at its
// highest refused version.
func SettlingEntry(first wire.Position, open []Refusal, records map[string]wire.Record) Entry {
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
				e.Events = append(e.Events, wire.Event{Verb: wire.VerbCompensate, ID: id, Record: *target})
				e.Raw = append(e.Raw, "")
			}
		}
	}
	return e
}

// Settlement says that refusals are undone: those of a reservation below the version of Step, or
// those of an operation.
type Settlement struct {
	Step wire.Step
	At   int64 // Unix ms
}

// Settles reports whether a refused step is undone.
func (s Settlement) Settles(step wire.Step) bool {
	return s.Step.Operation == step.Operation && s.Step.ID == step.ID && s.Step.CreationNonce == step.CreationNonce &&
		step.Version < s.Step.Version
}

// compensate applies the event that undid a refused step in Redis. Its reservation is again as the
// ledger has it, or is given back, under a higher version. If the ledger has no reservation with
// that creation nonce, or has archived it, there is nothing to move: only the refusal is settled.
func (w *WorkingSet) compensate(entry *Entry, i int, e *wire.Event) RefusalReason {
	known := w.Reservations[e.ID]
	if known != nil && known.Record.CreationNonce == e.Record.CreationNonce && !Archived(&known.Record) {
		if e.Record.Version <= known.Record.Version {
			return ReasonVersion
		}
		deltas, reason := w.deltas(known.Record, e.Record)
		if reason != "" {
			return reason
		}
		w.record(entry, i, e, deltas)
	}
	w.settle(Settlement{Step: e.Step(entry.Nonce), At: entry.At})
	return ""
}

// settle notes that refusals are undone: those of this batch so far, and older ones.
func (w *WorkingSet) settle(s Settlement) {
	for i := range w.Refusals {
		if r := &w.Refusals[i]; r.SettledAt == 0 && s.Settles(r.Step) {
			r.SettledAt = s.At
		}
	}
	w.Settled = append(w.Settled, s)
}

// openNow lists the refusals that are open at this place of the batch.
func (w *WorkingSet) openNow() []*Refusal {
	var open []*Refusal
	for i := range w.Open {
		r := &w.Open[i]
		if !slices.ContainsFunc(w.Settled, func(s Settlement) bool { return s.Settles(r.Step) }) {
			open = append(open, r)
		}
	}
	for i := range w.Refusals {
		if r := &w.Refusals[i]; r.SettledAt == 0 {
			open = append(open, r)
		}
	}
	return open
}
