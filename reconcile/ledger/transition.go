package ledger

import (
	"slices"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
)

// transition applies one transition of a reservation, or returns why not. It applies only if the
// ledger's record has the same creation nonce, and the version and state that the transition starts
// from, and if the transition's operation is new.
func (w *WorkingSet) transition(entry *Entry, i int, e *wire.Event) (RefusalReason, RefusalDetail) {
	before, reason := w.follows(e)
	if reason != "" {
		return reason, UndoDetail(entry, e)
	}
	deltas, reason := w.deltas(before, e.Record)
	if reason != "" {
		detail := UndoDetail(entry, e)
		detail.Shortages = w.shortages(e.Verb, before, e.Record)
		return reason, detail
	}
	w.record(entry, i, e, deltas)
	return "", RefusalDetail{}
}

// follows returns the record that a transition starts from, or why it does not follow from the
// ledger's record, or has an operation that the ledger knows.
func (w *WorkingSet) follows(e *wire.Event) (before wire.Record, reason RefusalReason) {
	known := w.Reservations[e.ID]
	switch {
	case e.Operation != "" && w.Operations[e.Operation]:
		return before, ReasonKnown
	case e.Verb == cache.VerbReserve && known != nil:
		return before, ReasonKnown
	case e.Verb != cache.VerbReserve && known == nil:
		return before, ReasonVersion
	case known != nil && known.Record.CreationNonce != e.Record.CreationNonce:
		return before, ReasonKnown
	case known != nil && Archived(&known.Record):
		return before, ReasonVersion
	case known != nil:
		before = known.Record
	}
	if before.Version != e.VersionBefore || before.State != e.StateBefore || e.Record.Version != before.Version+1 {
		return before, ReasonVersion
	}
	return before, ""
}

// record moves the levels, and stores the record and the operation of a transition.
func (w *WorkingSet) record(entry *Entry, i int, e *wire.Event, deltas []delta) {
	for _, d := range deltas {
		w.Levels[d.key].Add(d.Level)
		w.Movements = append(w.Movements, Movement{
			Entry: entry.ID, Event: i, At: entry.At, Key: d.key, Delta: d.Level, Verb: e.Verb,
			Reservation: e.ID, Operation: e.Operation,
		})
	}
	known := w.Reservations[e.ID]
	if known == nil {
		known = &Reservation{Extra: e.Extra, Created: true}
		w.Reservations[e.ID] = known
	}
	known.Described = known.Described || !isForSame(&known.Record, &e.Record)
	if e.Verb == cache.VerbDescribe && e.Extra != "" {
		known.describe(e.Extra)
	}
	w.countLimits(known.Record.LimitCounts(), -1)
	w.countLimits(e.Record.LimitCounts(), +1)
	known.Rearranged = known.Rearranged || !sameLines(known.Record.Lines, e.Record.Lines)
	known.Relined = known.Relined || !sameNames(known.Record.Lines, e.Record.Lines)
	known.Record, known.Changed, known.At = e.Record, true, entry.At
	if e.Operation != "" {
		w.operate(entry, e, e.Operation)
	}
}

// countLimits adds sign times counts to the counts of purchase limits.
func (w *WorkingSet) countLimits(counts map[wire.LimitKey]int64, sign int64) {
	for key, units := range counts {
		w.Limits[key] += sign * units
		w.ChangedLimits[key] = true
	}
}

// sameLines reports whether two lists have the same lines and allocations.
func sameLines(a, b []wire.RecordLine) bool {
	return slices.EqualFunc(a, b, func(a, b wire.RecordLine) bool {
		return a.Line == b.Line && a.SKU == b.SKU && a.Requested == b.Requested && a.Returned == b.Returned &&
			slices.Equal(a.From, b.From)
	})
}

// isForSame reports whether two records are for the same customer and order, and whether the same
// purchase limits count them.
func isForSame(a, b *wire.Record) bool {
	return a.Customer == b.Customer && a.Order == b.Order && slices.EqualFunc(a.Lines, b.Lines, func(a, b wire.RecordLine) bool {
		return slices.Equal(a.Limits, b.Limits)
	})
}

// sameNames reports whether two lists have the same lines, with the same kits and purchase limits.
func sameNames(a, b []wire.RecordLine) bool {
	return slices.EqualFunc(a, b, func(a, b wire.RecordLine) bool { return a.SKU == b.SKU && a.Name() == b.Name() })
}

// delta is the change of one level.
type delta struct {
	key LevelKey
	Level
}

// drawn returns what an allocation of a line takes of its level in a state, times sign.
func drawn(state cache.State, line *wire.RecordLine, a wire.RecordAllocation, sign int64) (d Level) {
	left := sign * (a.Quantity - a.Fulfilled)
	switch {
	case state == cache.StateHeld:
		d.Held = sign * a.Quantity
	case state == cache.StateConfirmed && line.Backorder:
		d.Committed, d.CommittedBackorder = left, left
	case state == cache.StateConfirmed:
		d.Committed = left
	}
	d.OnHand = -sign * a.Fulfilled
	return d
}

// deltas returns how each level changes when a reservation goes from before to after, in the order
// of its lines; or why it may not.
func (w *WorkingSet) deltas(before, after wire.Record) ([]delta, RefusalReason) {
	return w.allowed(changes(before, after), false)
}

// changes returns what a reservation adds to each level when it goes from before to after, in the
// order of its lines.
func changes(before, after wire.Record) []delta {
	var list []delta
	index := map[LevelKey]int{}
	add := func(r wire.Record, sign int64) {
		for _, line := range r.Lines {
			for _, a := range line.From {
				key := LevelKey{SKU: line.SKU, Location: a.Location}
				at, seen := index[key]
				if !seen {
					at = len(list)
					index[key] = at
					list = append(list, delta{key: key})
				}
				list[at].Add(drawn(r.State, &line, a, sign))
			}
		}
	}
	add(before, -1)
	add(after, +1)
	return list
}

// allowed returns the levels of a list that change, or why they may not. Plain lines never have more
// units committed than there are: no step may commit more for them than it brings, or let units of
// other lines leave that are theirs. creates is for a step that creates a level which gets units and
// does not exist.
func (w *WorkingSet) allowed(list []delta, creates bool) ([]delta, RefusalReason) {
	moved := list[:0]
	for _, d := range list {
		if d.Level == (Level{}) {
			continue
		}
		var next Level
		if l := w.Levels[d.key]; l != nil {
			next = *l
		} else if !creates || d.OnHand <= 0 {
			return nil, ReasonUnknown
		}
		next.Add(d.Level)
		switch {
		case next.OnHand < 0 || next.Held < 0 || next.CommittedPlain() < 0 || next.CommittedBackorder < 0:
			return nil, ReasonNegative
		case d.CommittedPlain() > d.OnHand && next.CommittedPlain() > next.OnHand+next.BackorderLimit:
			return nil, ReasonOversold
		}
		moved = append(moved, d)
	}
	return moved, ""
}

// shortages lists the lines for which the ledger lacks units to commit or to ship. Earlier lines
// take their units first. The units that a reservation has committed already do not count against it.
func (w *WorkingSet) shortages(verb cache.Verb, before, after wire.Record) []cache.Shortage {
	var short []cache.Shortage
	taken, late := map[LevelKey]int64{}, map[LevelKey]int64{}
	if verb == cache.VerbAmend && before.State == cache.StateConfirmed {
		taken = committed(before)
	}
	for i, line := range after.Lines {
		var asked, lacking int64
		for j, a := range line.From {
			key := LevelKey{SKU: line.SKU, Location: a.Location}
			units, there := a.Quantity-a.Fulfilled, int64(0)
			l := w.Levels[key]
			switch {
			case l == nil:
			case before.State == cache.StateConfirmed && verb != cache.VerbAmend: // units leave
				units = a.Fulfilled - fulfilledBefore(before, i, j)
				there = l.OnHand - taken[key]
				if line.Backorder { // those of plain lines stay
					there = min(there, l.OnHand+l.BackorderLimit-l.CommittedPlain()-late[key])
					late[key] += units
				}
			case line.Backorder:
				continue
			default:
				there = l.OnHand + l.BackorderLimit - l.CommittedPlain() - taken[key]
			}
			taken[key] += units
			asked += units
			lacking += max(0, units-max(0, there))
		}
		if lacking > 0 {
			short = append(short, cache.Shortage{Line: line.Line, SKU: line.SKU, Requested: asked, Available: asked - lacking})
		}
	}
	return short
}

// committed returns the units that plain lines of a confirmed reservation have committed at each
// level, as negative numbers.
func committed(r wire.Record) map[LevelKey]int64 {
	units := map[LevelKey]int64{}
	for _, line := range r.Lines {
		if line.Backorder {
			continue
		}
		for _, a := range line.From {
			units[LevelKey{SKU: line.SKU, Location: a.Location}] -= a.Quantity - a.Fulfilled
		}
	}
	return units
}

// fulfilledBefore returns the units that an allocation had fulfilled before.
func fulfilledBefore(before wire.Record, line, allocation int) int64 {
	if line < len(before.Lines) && allocation < len(before.Lines[line].From) {
		return before.Lines[line].From[allocation].Fulfilled
	}
	return 0
}
