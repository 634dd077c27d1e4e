package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

const (
	ttl        = time.Second            // of every hold
	clockSlack = 50 * time.Millisecond  // by which a hold may end early: Redis's clock is another
	unknownGap = 100 * time.Millisecond // before a call whose outcome is unknown is repeated
	silenceMax = 10 * time.Second       // without an answer: then the sale can't be held to its end
)

// buyer is one customer: its plan, where it stands, and its page of the books.
type buyer struct {
	plan
	next  func(context.Context, *sale) (wait time.Duration, more bool)
	skus  []location.SKU
	tried int
	asked time.Time // when the call was first sent that has no clear answer yet; zero: there is none

	order Order
	holds bool      // was ever given units: order counts
	sent  time.Time // no later than when the hold was made
	acked time.Time // the hold was acknowledged
	odd   []string
}

func newBuyer(p plan) *buyer {
	b := &buyer{plan: p, order: Order{ID: p.request.ID, Outcome: Lapsed}}
	for _, line := range p.request.Lines {
		b.skus = append(b.skus, line.SKU)
	}
	b.next = b.reserve
	return b
}

// act does the buyer's next thing and says after which wait there is more to do.
func (b *buyer) act(ctx context.Context, s *sale) (wait time.Duration, more bool) {
	if ctx.Err() != nil {
		return 0, false
	}
	return b.next(ctx, s)
}

// call sends a call and its copies. It is settled where the outcome is known; if not, it is to be
// sent again after wait, as long as more says so.
func (b *buyer) call(ctx context.Context, s *sale, do func() (cache.Result, error)) (v verdict, settled bool) {
	if b.asked.IsZero() {
		b.asked = time.Now()
	}
	v = s.volley(b.copies, b.skus, do)
	if v.odd != nil {
		b.note("%v", v.odd)
	}
	if v.served != nil || v.unknown == nil {
		return v, true
	}
	if ctx.Err() == nil && time.Since(b.asked) > s.silence {
		s.fail(fmt.Errorf("no answer for %s: %w", s.silence, v.unknown))
	}
	return v, false
}

func (b *buyer) note(format string, args ...any) {
	b.odd = append(b.odd, b.order.ID+": "+fmt.Sprintf(format, args...))
}

// reserve tries to be given units. A buyer that was sold out tries again with the same id.
func (b *buyer) reserve(ctx context.Context, s *sale) (time.Duration, bool) {
	if b.asked.IsZero() && s.closed() {
		return 0, false
	}
	v, settled := b.call(ctx, s, func() (cache.Result, error) {
		result, err := s.store.Reserve(ctx, b.request)
		if short := (*cache.InsufficientError)(nil); errors.As(err, &short) {
			s.tally.refused.add(shortOf(short))
		}
		return result, err
	})
	switch {
	case !settled:
		return unknownGap, true
	case v.served != nil:
		return b.won(s, v)
	case v.state != "":
		b.note("reserve: the reservation is %s", v.state)
	}
	b.asked = time.Time{}
	b.tried++
	return b.pause, b.tried < b.tries
}

// shortOf is the SKUs that a request was refused for.
func shortOf(e *cache.InsufficientError) []location.SKU {
	var skus []location.SKU
	for _, shortage := range e.Shortages {
		if !slices.Contains(skus, shortage.SKU) {
			skus = append(skus, shortage.SKU)
		}
	}
	return skus
}

func (b *buyer) won(s *sale, v verdict) (time.Duration, bool) {
	b.sent, b.acked, b.asked = b.asked, v.served.at, time.Time{}
	b.holds = true
	b.order.Granted += v.granted
	b.order.Taken = taken(&v.served.result.Reservation)
	for _, line := range b.request.Lines {
		if got := b.order.of(line.SKU); got != line.Quantity {
			b.note("asked for %d %s and was given %d", line.Quantity, line.SKU, got)
		}
		s.tally.granted.Add(line.Quantity)
	}
	switch b.choice {
	case abandons:
		b.had(b.acked, b.surelyUntil())
		return 0, false
	case releases:
		b.next = b.release
	default:
		b.next = b.confirm
	}
	return b.think, true
}

// surelyUntil is the moment until which a hold can't have lapsed, whatever Redis's clock says.
func (b *buyer) surelyUntil() time.Time { return b.sent.Add(ttl - clockSlack) }

// had notes a time in which the order surely had its units. A zero end is for ever.
func (b *buyer) had(from, until time.Time) {
	if until.IsZero() || from.Before(until) {
		b.order.Spans = append(b.order.Spans, Span{from, until})
	}
}

// confirm pays.
func (b *buyer) confirm(ctx context.Context, s *sale) (time.Duration, bool) {
	v, settled := b.call(ctx, s, func() (cache.Result, error) {
		return s.store.Confirm(ctx, cache.TransitionRequest{ID: b.order.ID})
	})
	if !settled {
		return unknownGap, true
	}
	overdue := b.asked.After(b.acked.Add(ttl))
	b.asked = time.Time{}
	switch {
	case v.served != nil:
		b.bought(s, v, overdue)
		b.next = b.collect
		return 0, b.collects
	case v.refused:
		s.tally.lateMissed.Add(1)
	case v.odd == nil:
		b.note("confirm: the reservation is %s", v.state)
	}
	b.had(b.acked, b.surelyUntil())
	return 0, false
}

func (b *buyer) bought(s *sale, v verdict, overdue bool) {
	if overdue {
		s.tally.lateSold.Add(1)
	}
	if now := taken(&v.served.result.Reservation); !slices.Equal(now, b.order.Taken) {
		b.note("was given %v and sold %v", b.order.Taken, now)
		b.order.Taken = now
	}
	b.order.Outcome = Sold
	if v.served.at.Before(b.surelyUntil()) {
		b.had(b.acked, time.Time{})
	} else {
		b.had(b.acked, b.surelyUntil())
		b.had(v.served.at, time.Time{})
	}
}

// collect takes what was bought away.
func (b *buyer) collect(ctx context.Context, s *sale) (time.Duration, bool) {
	v, settled := b.call(ctx, s, func() (cache.Result, error) {
		return s.store.Fulfill(ctx, cache.TransitionRequest{ID: b.order.ID})
	})
	switch {
	case !settled:
		return unknownGap, true
	case v.served != nil:
		b.order.Outcome = Fulfilled
	case v.odd == nil:
		b.note("fulfill: refused, the reservation is %s", v.state)
	}
	return 0, false
}

// release gives the units back. Who is too late for that has lost them already.
func (b *buyer) release(ctx context.Context, s *sale) (time.Duration, bool) {
	v, settled := b.call(ctx, s, func() (cache.Result, error) {
		return s.store.Release(ctx, cache.TransitionRequest{ID: b.order.ID})
	})
	if !settled {
		return unknownGap, true
	}
	until := b.surelyUntil()
	if b.asked.Before(until) {
		until = b.asked
	}
	b.had(b.acked, until)
	switch {
	case v.served != nil:
		b.order.Outcome = Released
	case v.state != cache.StateExpired && v.odd == nil:
		b.note("release: the reservation is %s", v.state)
	}
	return 0, false
}
