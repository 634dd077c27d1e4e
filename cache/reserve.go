package cache

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/location"
)

// reroutesMax bounds how often one call is routed. It is routed again if the list of locations
// changed.
const reroutesMax = 5

// Reserve takes units out of sale until a deadline: all lines or none.
//
// It is safe to repeat. The same id with the same request returns the reservation as it is now and
// takes nothing again, even after the reservation was confirmed, released or has expired, and even
// if the directory has changed.
//
// Refusals, the first that applies:
//   - *InvalidError: the request by itself
//   - ErrRebuilding or ErrBacklogFull
//   - ErrIDConflict: the id belongs to another request
//   - *InvalidError: what only the directory rules out, such as an unknown channel, or no customer
//     although a purchase limit counts
//   - *UnknownStockError
//   - *NoLocationError
//   - *PurchaseLimitError
//   - *InsufficientError
//
// After ErrUnavailable or an ended context the outcome is unknown: repeat with the same id.
//
// It costs one round trip, shared with the other calls of its batch. It costs one more for the
// first call in a second that the first of several locations does not serve. A refusal costs one
// more each time that overdue holds, or a stale list of locations, may be the reason.
// *UnknownStockError and *NoLocationError cost at least two more. With Options.SoldOutCache a call
// costs one more if units came back after a refusal.
func (s *Store) Reserve(ctx context.Context, r ReserveRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(VerbReserve, started, result.Replay, err) }()
	if err := r.validate(s.options.TTLMax); err != nil {
		return Result{}, err
	}
	call := &reserveCall{request: &r}
	for range reroutesMax {
		known, err := s.locations(ctx)
		if err != nil {
			return Result{}, err
		}
		unrouted := call.route(known.rules, s.options.TTL)
		if err := s.checkSoldOut(ctx, call, known); err != nil {
			return Result{}, err
		}
		sentAt := s.soldOut.now()
		a := s.sendReserve(ctx, call) // even if unrouted: its id may be known
		if a.Err != nil {
			return Result{}, fmt.Errorf("reserve %q: %w", r.ID, a.Err)
		}
		if unrouted != nil && a.Status != "replay" && a.Status != "conflict" {
			return Result{}, unrouted
		}
		switch a.Status {
		case "held":
			return call.decodeHeld(a)
		case "replay":
			return s.replayed(ctx, &r, a)
		case "insufficient":
			if !known.stale(a.Locations) {
				err := call.decodeInsufficient(a.Payload)
				s.soldOut.note(call, err, sentAt)
				return Result{}, err
			}
			s.catalog.current.CompareAndSwap(known, nil)
		case "no_location":
			if err := s.explain(ctx, call); err != nil {
				return Result{}, err
			}
		case "purchase_limit":
			return Result{}, call.decodePurchaseLimit(a.Payload)
		default:
			return Result{}, refusal(VerbReserve, r.ID, a)
		}
	}
	return Result{}, fmt.Errorf("reserve %q: %w: the locations keep changing", r.ID, ErrUnavailable)
}

// sendReserve sends a reserve. If its first candidate alone can be the whole answer, it names only
// that one, and sends all candidates only if the first cannot serve the request.
func (s *Store) sendReserve(ctx context.Context, c *reserveCall) shard.Answer {
	if c.firstOnly = false; !c.firstMaySuffice() { // most calls have one candidate: they need no clock
		return s.send(ctx, VerbReserve, c)
	}
	now := time.Now().UnixMilli()
	c.firstOnly = !s.firstMisses.recent(c, now)
	a := s.send(ctx, VerbReserve, c)
	if a.Err == nil && a.Status == "elsewhere" {
		s.firstMisses.note(c, now)
		c.firstOnly = false
		a = s.send(ctx, VerbReserve, c)
	}
	return a
}

// send queues a request until its answer is final. As long as overdue reservations are being given
// back for it, it is sent again.
func (s *Store) send(ctx context.Context, verb Verb, r shard.Request) shard.Answer {
	for {
		a := s.shard.Do(ctx, verb, r)
		if a.Err != nil {
			return a
		}
		s.catalog.noteVersion(a.Locations)
		if a.Status != "more_due" {
			return a
		}
	}
}

// simpleLinesMax bounds the lines of a request that names only its first candidate, and of one that
// may be probed. The reserve script decides as many lines without building tables.
const simpleLinesMax = 8

// firstMaySuffice reports whether the first candidate is the answer if it serves every line whole.
// It is if the lines have the same candidates and only their order ranks the first.
func (c *reserveCall) firstMaySuffice() bool {
	if len(c.lines) > simpleLinesMax {
		return false
	}
	for i := range c.lines {
		l := &c.lines[i]
		ranked := len(l.candidates.Groups) == 0 || l.candidates.Groups[0] == 1
		if l.kit != nil || len(l.levels) < 2 || c.request.Lines[i].Location != "" || !ranked {
			return false
		}
	}
	return true
}

// firstMisses remembers for a second which SKUs their first candidate did not serve. Calls for them
// name all candidates at once, which saves the second round trip.
type firstMisses struct {
	seed  maphash.Seed
	until [1 << 12]atomic.Int64 // by hash of the SKU: Unix ms; a collision costs a longer call
}

// firstMissFor is how long a miss is remembered.
const firstMissFor = time.Second

// recent reports whether the first candidate of a line was missed not long ago.
func (m *firstMisses) recent(c *reserveCall, now int64) bool {
	for i := range c.request.Lines {
		if m.slot(c.request.Lines[i].SKU).Load() > now {
			return true
		}
	}
	return false
}

func (m *firstMisses) note(c *reserveCall, now int64) {
	for i := range c.request.Lines {
		m.slot(c.request.Lines[i].SKU).Store(now + firstMissFor.Milliseconds())
	}
}

func (m *firstMisses) slot(sku location.SKU) *atomic.Int64 {
	return &m.until[maphash.String(m.seed, string(sku))%uint64(len(m.until))]
}
