package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/cache"
)

const (
	openMax   = 1000 // refusals undone again in one go
	forgetMax = 1000 // reservations and operations forgotten in one go
)

// keep does what is due beside applying.
func (t *tail) keep(ctx context.Context) error {
	now := time.Now()
	suspected := false
	select {
	case <-t.Ledger.suspicions():
		suspected = true
	default:
	}
	if suspected || now.Sub(t.inspected) >= inspectEvery {
		t.inspected = now
		if err := t.check(ctx); err != nil {
			return err
		}
	}
	if now.Sub(t.tended) >= tendEvery {
		t.tended = now
		t.point("trim")
		_, entries, err := t.tend(ctx, cache.Tending{ExpireUntil: t.now() + expiryLease.Milliseconds(), Applied: t.at, BacklogMax: t.BacklogMax})
		if err != nil {
			return err
		}
		t.counters.waiting.Store(entries - 1)
	}
	if t.appliedTo > 0 && now.Sub(t.forgot) >= forgetEvery {
		t.forgot = now
		return t.forget(ctx)
	}
	return nil
}

// check asks whether Redis is still the one of the position, keeps the lock, and has undone again what
// is still to be undone.
func (t *tail) check(ctx context.Context) error {
	if err := t.inspect(ctx); err != nil {
		return err
	}
	if why := t.seen.Foreign(t.at); why != "" {
		return fmt.Errorf("%w: %s", errRebuild, why)
	}
	t.at.SeenAt = t.seen.Now
	if err := t.session.note(ctx, t.at); err != nil {
		return err
	}
	p, _, err := t.session.position(ctx)
	if err != nil {
		return err
	}
	if p.rebuild {
		return fmt.Errorf("%w: an operator asked for it", errRebuild)
	}
	if err := t.settleGone(ctx); err != nil {
		return err
	}
	open, err := t.session.open(ctx, openMax)
	if err != nil {
		return err
	}
	return t.undo(ctx, open)
}

// forget has Redis forget what was resolved longer ago than the retention, and was applied: what happened
// long ago may still wait in the stream.
func (t *tail) forget(ctx context.Context) error {
	until := t.appliedTo - t.Retention.Milliseconds()
	for t.forgottenTo < until && ctx.Err() == nil {
		found, upTo, err := t.session.forgettable(ctx, t.forgottenTo, until, forgetMax)
		if err != nil {
			return err
		}
		if len(found.Reservations)+len(found.Operations) > 0 {
			if err := t.shard.Forget(ctx, found); err != nil {
				return err
			}
		}
		if err := t.session.forgotten(ctx, upTo); err != nil {
			return err
		}
		t.forgottenTo = upTo
	}
	return nil
}
