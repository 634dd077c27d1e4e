package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/cache"
)

const (
	openMax   = 1000 // refusals undone again in one go
	forgetMax = 1000 // reservations and operations forgotten in one call,
	forgetRun = 4    // and calls in one go: whoever waits for the ledger does not wait for more
)

// keep does what is due beside applying.
func (t *tail) keep(ctx context.Context) error {
	now := time.Now()
	suspected := false
	select {
	case <-t.Ledger.Suspicions():
		suspected = true
	default:
	}
	if suspected || now.Sub(t.inspected) >= inspectEvery {
		t.inspected = now
		if err := t.Check(ctx); err != nil {
			return err
		}
	}
	if now.Sub(t.tended) >= tendEvery {
		t.tended = now
		t.Point("trim")
		_, entries, err := t.tend(ctx, cache.Tending{ExpireUntil: t.expireUntil(), Applied: t.at, BacklogMax: t.BacklogMax})
		if err != nil {
			return err
		}
		t.counters.waiting.Store(entries - 1)
	}
	if t.appliedTo > 0 && now.Sub(t.forgot) >= forgetEvery {
		done, err := t.forget(ctx)
		if done {
			t.forgot = now
		}
		return err
	}
	return nil
}

// expireUntil is until when holds may expire: a while after the ledger last answered. Who was stopped since then knows
// nothing of the time between.
func (t *tail) expireUntil() int64 {
	return min(t.now(), t.seen.Now+2*inspectEvery.Milliseconds()) + expiryLease.Milliseconds()
}

// Check asks whether Redis is still the one of the position, keeps the lock, and has undone again what
// is still to be undone.
func (t *tail) Check(ctx context.Context) error {
	if err := t.inspect(ctx); err != nil {
		return err
	}
	if why := t.seen.Foreign(t.at); why != "" {
		return fmt.Errorf("%w: %s", errRebuild, why)
	}
	t.at.SeenAt = t.seen.Now
	if err := t.session.Note(ctx, t.at); err != nil {
		return err
	}
	p, _, err := t.session.Position(ctx)
	if err != nil {
		return err
	}
	if p.Rebuild {
		return fmt.Errorf("%w: an operator asked for it", errRebuild)
	}
	if err := t.settleGone(ctx); err != nil {
		return err
	}
	open, err := t.session.Open(ctx, openMax)
	if err != nil {
		return err
	}
	return t.undo(ctx, open)
}

// forget has Redis forget what was resolved longer ago than the retention, and was applied: what happened
// long ago may still wait in the stream. done is false where more is to be forgotten: after a while in which
// nobody applied, that may be very much.
func (t *tail) forget(ctx context.Context) (done bool, err error) {
	until := t.appliedTo - t.Retention.Milliseconds()
	for range forgetRun {
		if t.forgottenTo >= until || ctx.Err() != nil {
			break
		}
		found, upTo, err := t.session.Forgettable(ctx, t.forgottenTo, until, forgetMax)
		if err != nil {
			return false, err
		}
		if len(found.Reservations)+len(found.Operations) > 0 {
			if err := t.shard.Forget(ctx, found); err != nil {
				return false, err
			}
		}
		if err := t.session.Forgotten(ctx, upTo); err != nil {
			return false, err
		}
		t.forgottenTo = upTo
	}
	return t.forgottenTo >= until, nil
}
