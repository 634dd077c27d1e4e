package cache

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
)

// soldOut remembers for a moment what reserve has refused. While it does, a call that would be refused again is
// not sent as a reserve: a probe, which costs Redis less than half, asks whether its id is known, whether the gate
// is open, and whether units are there again. What is remembered is that at a moment not long ago reserve had given
// back all that was due, so that this need not be tried again; it is true of every SKU, also of two that share a
// slot.
//
// Why the ids are asked for: a caller names the id, and whoever repeats a call must get the reservation that
// it has, also one that another instance has made, or this one before it was started. No process knows all
// ids; Redis does. The levels come with them for next to nothing, so that nobody need be told whose units
// came back.
type soldOut struct {
	keep  time.Duration
	clock func() time.Duration // since some moment before the first call; tests set it
	seed  maphash.Seed
	slots [soldOutSlots]soldOutSlot // by hash of a line's first level
}

// soldOutSlots bounds what is remembered; two lines of one slot cost a probe too many.
const soldOutSlots = 1 << 12

// soldOutSlot is a refusal. What is read while it is written is a probe too many, or too few.
type soldOutSlot struct {
	asked atomic.Int64 // when, ns of the clock, before it was sent; 0: nothing is remembered
	units atomic.Int64 // what the line could have had: who asks for more is likely to be refused, too
}

func newSoldOut(keep time.Duration) *soldOut {
	begun := time.Now().Add(-time.Nanosecond)
	return &soldOut{keep: keep, clock: func() time.Duration { return time.Since(begun) }, seed: maphash.MakeSeed()}
}

// now is the time that note wants, read before a call is sent.
func (m *soldOut) now() int64 {
	if m == nil {
		return 0
	}
	return int64(m.clock())
}

// slot is where a line's refusal is remembered. Lines of one SKU that begin elsewhere have others: one channel
// may have what another lacks.
func (m *soldOut) slot(l *reserveLine) *soldOutSlot {
	return &m.slots[maphash.String(m.seed, l.levels[0])%soldOutSlots]
}

// note remembers a refusal of a call that was sent at asked or later.
func (m *soldOut) note(c *reserveCall, refusal error, asked int64) {
	short, ok := refusal.(*InsufficientError) // as it comes from insufficient: errors.As would allocate
	if m == nil || !ok || !c.plain() {
		return
	}
	for i := range c.lines {
		for _, s := range short.Shortages {
			if s.Line == c.request.Lines[i].Line {
				slot := m.slot(&c.lines[i])
				slot.units.Store(s.Available)
				slot.asked.Store(asked)
			}
		}
	}
}

// refusedAt is when reserve refused what a call asks for; 0 is that this is not remembered.
func (m *soldOut) refusedAt(c *reserveCall) (asked int64) {
	oldest := m.now() - int64(m.keep)
	for i := range c.lines {
		slot := m.slot(&c.lines[i])
		at := slot.asked.Load()
		if at > oldest && c.request.Lines[i].Quantity > slot.units.Load() {
			asked = max(asked, at)
		}
	}
	return asked
}

// forget ends what is remembered of a call's lines.
func (m *soldOut) forget(c *reserveCall) {
	for i := range c.lines {
		m.slot(&c.lines[i]).asked.Store(0)
	}
}

// stillSoldOut refuses a call that was refused a moment ago and would be again: its error is what reserve would
// answer. nil is that reserve is to be asked.
func (s *Store) stillSoldOut(ctx context.Context, c *reserveCall, known *locations) error {
	m := s.soldOut
	if m == nil || !c.plain() {
		return nil
	}
	asked := m.refusedAt(c)
	if asked == 0 {
		return nil
	}
	started := time.Now()
	err := s.probe(ctx, c, known, asked)
	s.observe(VerbProbe, started, false, err)
	return err
}

// probe decides a call by what Redis has at this moment.
func (s *Store) probe(ctx context.Context, c *reserveCall, known *locations, asked int64) error {
	a := s.send(ctx, VerbProbe, probeCall{c})
	if a.Err != nil {
		return fmt.Errorf("reserve %q: %w", c.request.ID, a.Err)
	}
	if a.Status == shard.ProbeKnown || known.stale(a.Locations) {
		return nil
	}
	shortages, sure := c.short(a.Seen)
	if sure && len(shortages) == 0 {
		s.soldOut.forget(c)
	}
	late := s.soldOut.now()-asked >= int64(s.options.SoldOutCache)
	if !sure || late || len(shortages) == 0 {
		return nil
	}
	return &InsufficientError{Shortages: shortages}
}
