package cache

import (
	"context"
	"fmt"
	"hash/maphash"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/location"
)

// soldOut remembers for Options.SoldOutCache which lines reserve has refused. A call for such a
// line first sends a probe, which costs Redis less than half of a reserve. The probe reads whether
// the id is known, whether the gate is open, and how many units are available.
//
// Before reserve refuses, it has reclaimed all overdue units, of every SKU. So a probe need not
// reclaim any for a moment, and two lines may share a slot.
//
// A probe reads the ids because a repeated call must return its reservation, and only Redis knows
// all ids: another process may have made the reservation, or this one before a restart. It reads
// the levels in the same command at almost no cost, so no process has to announce units that come
// back.
type soldOut struct {
	ttl   time.Duration
	clock func() time.Duration // since a moment before the first call; tests set it
	seed  maphash.Seed
	slots [soldOutSlots]soldOutSlot // by hash of a line's first level
}

// soldOutSlots bounds the memory. Two lines in one slot may cost a needless probe.
const soldOutSlots = 1 << 12

// soldOutSlot is a refused line. A race between its writer and a reader costs a needless probe, or
// saves none.
type soldOutSlot struct {
	sentAt    atomic.Int64 // ns of the clock, read before reserve was sent; 0: empty
	available atomic.Int64 // what the line could have had: a request for more is likely to be refused
}

func newSoldOut(ttl time.Duration) *soldOut {
	start := time.Now().Add(-time.Nanosecond)
	return &soldOut{ttl: ttl, clock: func() time.Duration { return time.Since(start) }, seed: maphash.MakeSeed()}
}

// checkSoldOut refuses a call that was refused a moment ago and would be again, with the error that
// reserve would return. nil means: ask reserve.
func (s *Store) checkSoldOut(ctx context.Context, c *reserveCall, known *locations) error {
	if s.soldOut == nil || !c.probeable() {
		return nil
	}
	refusedAt := s.soldOut.refusedAt(c)
	if refusedAt == 0 {
		return nil
	}
	started := time.Now()
	err := s.probe(ctx, c, known, refusedAt)
	s.observe(VerbProbe, started, false, err)
	return err
}

// probeLevelsMax bounds the levels that one call may read in a probe. A call with more is not
// probed.
const probeLevelsMax = 64

// probeable reports whether available units alone decide if the call is refused, and with which
// shortages. They do if no two lines compete for a SKU and no line depends on where another one is
// served. A line that may be backordered is not refused for lack of units. A call that could not be
// routed has no levels.
func (c *reserveCall) probeable() bool {
	if len(c.lines) > simpleLinesMax || len(c.lines) > 1 && c.split() == location.SplitNever || c.request.backorders() {
		return false
	}
	levels := 0
	for i := range c.lines {
		l := &c.lines[i]
		levels += len(l.levels)
		if l.kit != nil || len(l.levels) == 0 || levels > probeLevelsMax {
			return false
		}
		for j := range i {
			if c.request.Lines[j].SKU == c.request.Lines[i].SKU {
				return false
			}
		}
	}
	return true
}

// refusedAt returns when the last refused reserve for these lines was sent, or 0 if none is
// remembered.
func (m *soldOut) refusedAt(c *reserveCall) (sentAt int64) {
	oldest := m.now() - int64(m.ttl)
	for i := range c.lines {
		slot := m.slot(&c.lines[i])
		at := slot.sentAt.Load()
		if at > oldest && c.request.Lines[i].Quantity > slot.available.Load() {
			sentAt = max(sentAt, at)
		}
	}
	return sentAt
}

// slot returns the slot of a line. Lines of one SKU with another first level have another slot: one
// channel may have units that another lacks.
func (m *soldOut) slot(l *reserveLine) *soldOutSlot {
	return &m.slots[maphash.String(m.seed, l.levels[0])%soldOutSlots]
}

// probe decides a call by what Redis has now. nil means: ask reserve.
func (s *Store) probe(ctx context.Context, c *reserveCall, known *locations, refusedAt int64) error {
	a := s.sendUntil(ctx, c.until, VerbProbe, probeCall{c})
	if a.Err != nil {
		return fmt.Errorf("reserve %q: %w", c.request.ID, a.Err)
	}
	if a.Status == shard.ProbeKnown || known.stale(a.Locations) {
		return nil
	}
	shortages, ok := c.shortages(a.Seen)
	if ok && len(shortages) == 0 {
		s.soldOut.forget(c)
	}
	late := s.soldOut.now()-refusedAt >= int64(s.options.SoldOutCache)
	if !ok || late || len(shortages) == 0 {
		return nil
	}
	return &InsufficientError{Shortages: shortages}
}

// shortages lists the lines of a probeable call that are short. ok is false if the probe does not
// decide the call, because of a campaign, a line without a level or a broken value: ask reserve.
func (c *reserveCall) shortages(seen *shard.Seen) (shortages []Shortage, ok bool) {
	if len(c.timed) > 0 && !c.isOn(time.UnixMilli(seen.Now)) {
		return nil, false
	}
	for i := range c.limits {
		use := &c.limits[i]
		taken := seen.Taken[batchNumber(use.counter)-1]
		if taken == shard.UnitsNone {
			taken = 0
		}
		if taken == shard.UnitsBroken || taken+use.units > use.most {
			return nil, false
		}
	}
	for i := range c.lines {
		asked := &c.request.Lines[i]
		available, ok := c.lines[i].available(seen.Levels, c.split())
		if !ok {
			return nil, false
		}
		if available < asked.Quantity {
			shortages = append(shortages, Shortage{Line: asked.Line, SKU: asked.SKU, Requested: asked.Quantity, Available: available})
		}
	}
	return shortages, true
}

// available returns the most that a line can have of its candidates: the sum if it may be split,
// else the largest. ok is false if no candidate has a level, or a value is broken.
func (l *reserveLine) available(levels []int64, split location.Split) (available int64, ok bool) {
	for _, name := range l.names {
		switch units := levels[batchNumber(name)-1]; {
		case units == shard.UnitsBroken:
			return 0, false
		case units == shard.UnitsNone: // no level: reserve passes over it, too
		case split == location.SplitUnits:
			available, ok = available+max(0, units), true
		default:
			available, ok = max(available, units), true
		}
	}
	return available, ok
}

// batchNumber reads the number that a batch gave to a level or a counter, from 1.
func batchNumber(name string) int {
	n, err := strconv.Atoi(name)
	if err != nil {
		panic("cache: number of a level in a batch: " + err.Error())
	}
	return n
}

// forget empties the slots of a call's lines.
func (m *soldOut) forget(c *reserveCall) {
	for i := range c.lines {
		m.slot(&c.lines[i]).sentAt.Store(0)
	}
}

// now returns the time for note. Read it before the reserve is sent.
func (m *soldOut) now() int64 {
	if m == nil {
		return 0
	}
	return int64(m.clock())
}

// note remembers the refusal of a call that was sent at sentAt or later.
func (m *soldOut) note(c *reserveCall, refusal error, sentAt int64) {
	short, ok := refusal.(*InsufficientError) // decodeInsufficient does not wrap it; errors.As would allocate
	if m == nil || !ok || !c.probeable() {
		return
	}
	for i := range c.lines {
		for _, s := range short.Shortages {
			if s.Line == c.request.Lines[i].Line {
				slot := m.slot(&c.lines[i])
				slot.available.Store(s.Available)
				slot.sentAt.Store(sentAt)
			}
		}
	}
}

// probeCall is the probe of a reserveCall: it names the call's levels and counters.
type probeCall struct{ *reserveCall }

func (c probeCall) Weight() int {
	n := len(c.limits)
	for i := range c.lines {
		n += len(c.lines[i].levels)
	}
	return n
}

func (c probeCall) Arguments(b *shard.Batch) {
	for i := range c.lines {
		c.lines[i].number(b, false)
	}
	for i := range c.limits {
		c.limits[i].counter = b.Counter(c.limits[i].Name())
	}
	if len(c.timed) > 0 {
		b.NeedTime()
	}
}
