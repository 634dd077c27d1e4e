package reconcile

import (
	"slices"

	"github.com/holdfast/holdfast/cache"
)

// transition applies one transition of a reservation, or says why not. It applies only where the
// ledger's record has the same birth and the version and state it starts from.
func (b *book) transition(entry *entry, i int, e *cache.Event) (refusalReason, refusalDetail) {
	before, reason := b.follows(e)
	if reason != "" {
		return reason, refusalDetail{}
	}
	deltas, reason := b.deltas(before, e.Record)
	if reason != "" {
		return reason, refusalDetail{Shortages: b.shortages(before, e.Record)}
	}
	b.record(entry, i, e, deltas)
	return "", refusalDetail{}
}

// follows is the record that a transition starts from, or why it does not start from the ledger's.
func (b *book) follows(e *cache.Event) (before cache.Record, reason refusalReason) {
	known := b.reservations[e.ID]
	switch {
	case e.Verb == cache.VerbReserve && known != nil:
		return before, reasonKnown
	case e.Verb != cache.VerbReserve && known == nil:
		return before, reasonVersion
	case known != nil && known.record.Birth != e.Record.Birth:
		return before, reasonKnown
	case known != nil && archived(&known.record):
		return before, reasonVersion
	case known != nil:
		before = known.record
	}
	if before.Version != e.VersionBefore || before.State != e.StateBefore || e.Record.Version != before.Version+1 {
		return before, reasonVersion
	}
	return before, ""
}

// record writes what a transition leaves behind.
func (b *book) record(entry *entry, i int, e *cache.Event, deltas []delta) {
	for _, d := range deltas {
		b.levels[d.key].add(d.level)
		b.movements = append(b.movements, movement{
			entry: entry.id, event: i, at: entry.at, key: d.key, delta: d.level, verb: e.Verb,
			reservation: e.ID, operation: e.Operation,
		})
	}
	known := b.reservations[e.ID]
	if known == nil {
		known = &reservation{extra: e.Extra, created: true}
		b.reservations[e.ID] = known
	}
	b.count(known.record.LimitCounts(), -1)
	b.count(e.Record.LimitCounts(), +1)
	known.rearranged = known.rearranged || !sameLines(known.record.Lines, e.Record.Lines)
	known.record, known.changed, known.at = e.Record, true, entry.at
}

// count adds to what purchase limits count.
func (b *book) count(counts map[cache.LimitKey]int64, sign int64) {
	for key, units := range counts {
		b.limits[key] += sign * units
		b.counted[key] = true
	}
}

// sameLines says whether units come from where they came from before.
func sameLines(a, b []cache.RecordLine) bool {
	return slices.EqualFunc(a, b, func(a, b cache.RecordLine) bool {
		return a.Line == b.Line && a.SKU == b.SKU && a.Requested == b.Requested && a.Returned == b.Returned &&
			slices.Equal(a.From, b.From)
	})
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

// shortages lists the lines for which the ledger lacks units to commit or to let go, as far as the
// lines before them left any.
func (b *book) shortages(before, after cache.Record) []cache.Shortage {
	var short []cache.Shortage
	taken := map[levelKey]int64{}
	for i, line := range after.Lines {
		var asked, lacking int64
		for j, a := range line.From {
			key := levelKey{line.SKU, a.Location}
			units, there := a.Quantity-a.Fulfilled, int64(0)
			l := b.levels[key]
			switch {
			case l == nil:
			case before.State == cache.StateConfirmed: // units leave
				units = a.Fulfilled - fulfilledBefore(before, i, j)
				there = l.onHand
			default:
				there = l.onHand + l.backorderLimit - l.committed
			}
			there = max(0, there-taken[key])
			taken[key] += units
			asked += units
			lacking += max(0, units-there)
		}
		if lacking > 0 {
			short = append(short, cache.Shortage{Line: line.Line, SKU: line.SKU, Requested: asked, Available: asked - lacking})
		}
	}
	return short
}

func fulfilledBefore(before cache.Record, line, allocation int) int64 {
	if line < len(before.Lines) && allocation < len(before.Lines[line].From) {
		return before.Lines[line].From[allocation].Fulfilled
	}
	return 0
}
