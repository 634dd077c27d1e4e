package cache

import (
	"context"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// plainLines is how many lines a script decides without looking further than their first candidate.
const plainLines = 8

// elsewhere remembers for a moment which SKUs their first location does not serve. Whatever has the whole of
// a reservation at its first candidate is served from there, so that naming only that one gives the same
// answer for less; where it does not serve, all are named, in a second call or, for a while, at once.
type elsewhere struct {
	seed  maphash.Seed
	until [1 << 12]atomic.Int64 // by hash of the SKU: Unix ms; two SKUs of one hash cost a longer call
}

// elsewhereFor is how long all candidates are named at once.
const elsewhereFor = time.Second

func (e *elsewhere) slot(sku location.SKU) *atomic.Int64 {
	return &e.until[maphash.String(e.seed, string(sku))%uint64(len(e.until))]
}

// served says whether the first candidates of a call may serve it.
func (e *elsewhere) served(c *reserveCall, now int64) bool {
	for i := range c.request.Lines {
		if e.slot(c.request.Lines[i].SKU).Load() > now {
			return false
		}
	}
	return true
}

func (e *elsewhere) note(c *reserveCall, now int64) {
	for i := range c.request.Lines {
		e.slot(c.request.Lines[i].SKU).Store(now + elsewhereFor.Milliseconds())
	}
}

// sendFirst sends a reserve with its first candidate alone, if that can be the whole answer, and with all
// where that is not.
func (s *Store) sendFirst(ctx context.Context, c *reserveCall) shard.Answer {
	if c.first = false; !c.mayBeFirst() { // most have one candidate: they need no clock
		return s.send(ctx, VerbReserve, c)
	}
	now := time.Now().UnixMilli()
	c.first = s.elsewhere.served(c, now)
	a := s.send(ctx, VerbReserve, c)
	if a.Err == nil && a.Status == wire.StatusElsewhere {
		s.elsewhere.note(c, now)
		c.first = false
		a = s.send(ctx, VerbReserve, c)
	}
	return a
}

// mayBeFirst says whether the first candidate, if it serves every line whole, is what would be chosen among
// all: the lines have the same candidates, and nothing but their order ranks the first.
func (c *reserveCall) mayBeFirst() bool {
	if len(c.lines) > plainLines {
		return false
	}
	for i := range c.lines {
		l := &c.lines[i]
		first := len(l.candidates.Groups) == 0 || l.candidates.Groups[0] == 1
		if l.kit != nil || len(l.levels) < 2 || c.request.Lines[i].Location != "" || !first {
			return false
		}
	}
	return true
}
