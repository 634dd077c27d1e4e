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
	clockSlack = 50 * time.Millisecond  // how early a hold may end, because Redis has its own clock
	retryPause = 100 * time.Millisecond // before a call with an unknown outcome is repeated
	silenceMax = 10 * time.Second       // without an answer: then the sale is abandoned
)

// buyer is one customer: its plan, its next step, and its records.
type buyer struct {
	plan
	next  func(context.Context, *sale) (wait time.Duration, more bool)
	skus  []location.SKU
	tried int
	asked time.Time // when the current call was first sent; zero without one

	order Order
	holds bool      // it has got units, so order counts
	sent  time.Time // at or before the time of the hold
	acked time.Time // when the hold was acknowledged

	unexpected []string
}

func newBuyer(p plan) *buyer {
	b := &buyer{plan: p, order: Order{ID: p.request.ID, State: cache.StateExpired}}
	for _, line := range p.request.Lines {
		b.skus = append(b.skus, line.SKU)
	}
	b.next = b.reserve
	return b
}

// act takes the buyer's next step. It returns the pause before the one after it, if there is more
// to do.
func (b *buyer) act(ctx context.Context, s *sale) (wait time.Duration, more bool) {
	if ctx.Err() != nil {
		return 0, false
	}
	return b.next(ctx, s)
}

// call sends all copies of a call. It is settled if the outcome is known. If not, the buyer repeats
// it.
func (b *buyer) call(ctx context.Context, s *sale, do func() (cache.Result, error)) (r reply, settled bool) {
	if b.asked.IsZero() {
		b.asked = time.Now()
	}
	r = s.send(b.copies, b.skus, do)
	if r.unexpected != nil {
		b.note("%v", r.unexpected)
	}
	if r.success != nil || r.unknown == nil {
		return r, true
	}
	if ctx.Err() == nil && time.Since(b.asked) > s.silence {
		s.cancel(fmt.Errorf("no answer from the store for %s: %w", s.silence, r.unknown))
	}
	return r, false
}

// note records an answer that the buyer should not get.
func (b *buyer) note(format string, args ...any) {
	b.unexpected = append(b.unexpected, b.order.ID+": "+fmt.Sprintf(format, args...))
}

// reserve tries to get units. A refused buyer tries again with the same id.
func (b *buyer) reserve(ctx context.Context, s *sale) (time.Duration, bool) {
	if b.asked.IsZero() && s.closed() {
		return 0, false
	}
	r, settled := b.call(ctx, s, func() (cache.Result, error) {
		result, err := s.store.Reserve(ctx, b.request)
		if short := (*cache.InsufficientError)(nil); errors.As(err, &short) {
			s.tally.refused.add(shortOf(short))
		}
		return result, err
	})
	switch {
	case !settled:
		return retryPause, true
	case r.success != nil:
		return b.reserved(s, r)
	case r.state != "":
		b.note("reserve: the reservation is %s", r.state)
	}
	b.asked = time.Time{}
	b.tried++
	return b.pause, b.tried < b.tries
}

// shortOf lists the SKUs that were short.
func shortOf(e *cache.InsufficientError) []location.SKU {
	var skus []location.SKU
	for _, shortage := range e.Shortages {
		if !slices.Contains(skus, shortage.SKU) {
			skus = append(skus, shortage.SKU)
		}
	}
	return skus
}

func (b *buyer) reserved(s *sale, r reply) (time.Duration, bool) {
	b.sent, b.acked, b.asked = b.asked, r.success.at, time.Time{}
	b.holds = true
	b.order.Granted += r.granted
	b.order.Taken = taken(&r.success.result.Reservation)
	for _, line := range b.request.Lines {
		if got := b.order.of(line.SKU); got != line.Quantity {
			b.note("asked for %d %s and got %d", line.Quantity, line.SKU, got)
		}
		s.tally.granted.Add(line.Quantity)
	}
	switch b.choice {
	case abandons:
		b.addSpan(b.acked, b.safeUntil())
		return 0, false
	case releases:
		b.next = b.release
	default:
		b.next = b.confirm
	}
	return b.think, true
}

// safeUntil returns the time until which the hold cannot have expired, even if the clock of Redis
// is ahead.
func (b *buyer) safeUntil() time.Time { return b.sent.Add(ttl - clockSlack) }

// addSpan records a time during which the order certainly had its units. A zero until means
// forever.
func (b *buyer) addSpan(from, until time.Time) {
	if until.IsZero() || from.Before(until) {
		b.order.Spans = append(b.order.Spans, Span{from, until})
	}
}

// confirm pays for the held units.
func (b *buyer) confirm(ctx context.Context, s *sale) (time.Duration, bool) {
	r, settled := b.call(ctx, s, func() (cache.Result, error) {
		return s.store.Confirm(ctx, cache.TransitionRequest{ID: b.order.ID})
	})
	if !settled {
		return retryPause, true
	}
	overdue := b.asked.After(b.acked.Add(ttl))
	b.asked = time.Time{}
	switch {
	case r.success != nil:
		b.confirmed(s, r, overdue)
		b.next = b.collect
		return 0, b.collects
	case r.refused:
		s.tally.lateMissed.Add(1)
	case r.unexpected == nil:
		b.note("confirm: the reservation is %s", r.state)
	}
	b.addSpan(b.acked, b.safeUntil())
	return 0, false
}

func (b *buyer) confirmed(s *sale, r reply, overdue bool) {
	if overdue {
		s.tally.lateSold.Add(1)
	}
	if now := taken(&r.success.result.Reservation); !slices.Equal(now, b.order.Taken) {
		b.note("held %v and was sold %v", b.order.Taken, now)
		b.order.Taken = now
	}
	b.order.State = cache.StateConfirmed
	if r.success.at.Before(b.safeUntil()) {
		b.addSpan(b.acked, time.Time{})
	} else {
		b.addSpan(b.acked, b.safeUntil())
		b.addSpan(r.success.at, time.Time{})
	}
}

// collect takes the sold units away.
func (b *buyer) collect(ctx context.Context, s *sale) (time.Duration, bool) {
	r, settled := b.call(ctx, s, func() (cache.Result, error) {
		return s.store.Fulfill(ctx, cache.TransitionRequest{ID: b.order.ID})
	})
	switch {
	case !settled:
		return retryPause, true
	case r.success != nil:
		b.order.State = cache.StateFulfilled
	case r.unexpected == nil:
		b.note("fulfill: refused, the reservation is %s", r.state)
	}
	return 0, false
}

// release gives the units back, unless they have already expired.
func (b *buyer) release(ctx context.Context, s *sale) (time.Duration, bool) {
	r, settled := b.call(ctx, s, func() (cache.Result, error) {
		return s.store.Release(ctx, cache.TransitionRequest{ID: b.order.ID})
	})
	if !settled {
		return retryPause, true
	}
	until := b.safeUntil()
	if b.asked.Before(until) {
		until = b.asked
	}
	b.addSpan(b.acked, until)
	switch {
	case r.success != nil:
		b.order.State = cache.StateReleased
	case r.state != cache.StateExpired && r.unexpected == nil:
		b.note("release: the reservation is %s", r.state)
	}
	return 0, false
}
