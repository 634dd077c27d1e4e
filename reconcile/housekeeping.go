package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
)

// The intervals of housekeeping.
const (
	housekeepEvery = 250 * time.Millisecond // trims the stream, sets the backlog gate and the limit of expiry
	checkEvery     = time.Second            // checks Redis, keeps the lock, repeats undoings
	forgetEvery    = 10 * time.Second       // lets Redis forget old records
	expiryLease    = time.Second            // how long holds go on expiring after the ledger answered last
)

const (
	openMax    = 1000 // refusals undone again by one check
	forgetMax  = 500  // reservations and operations forgotten in one call
	forgetRuns = 4    // calls in a row: calls that wait for the ledger wait for all of them
)

// housekeeping does the housekeeping that is due. A suspicion, raised by a call that met a wrong
// Redis, makes the check due at once.
func (a *applier) housekeeping(ctx context.Context) error {
	now := time.Now()
	suspected := false
	select {
	case <-a.Ledger.Suspicions():
		suspected = true
	default:
	}
	if suspected || now.Sub(a.checked) >= checkEvery {
		a.checked = now
		if err := a.check(ctx); err != nil {
			return err
		}
	}
	if now.Sub(a.housekept) >= housekeepEvery {
		a.housekept = now
		a.Point("trim")
		entries, err := a.housekeep(ctx, shard.Housekeeping{ExpireUntil: a.expireUntil(), Applied: a.at, BacklogMax: a.BacklogMax})
		if err != nil {
			return err
		}
		a.counters.update(func(s *Stats) { s.Waiting = entries - 1 })
	}
	if a.appliedTo > 0 && now.Sub(a.forgot) >= forgetEvery {
		done, err := a.forget(ctx)
		if done {
			a.forgot = now
		}
		return err
	}
	return nil
}

// check returns errRebuild if Redis is not the one in the position any more, or if an operator
// asked for a rebuild. It returns errGivesWay if another process knows a better one. It also keeps the lock, and repeats the undoings that the ledger has not
// applied.
func (a *applier) check(ctx context.Context) error {
	if err := a.inspect(ctx); err != nil {
		return err
	}
	if why := a.seen.Foreign(a.at); why != "" {
		return fmt.Errorf("%w: %s", errRebuild, why)
	}
	why, err := a.shard.Damage(ctx)
	if err != nil {
		return err
	}
	if why != "" {
		return fmt.Errorf("%w: %s", errRebuild, why)
	}
	if err := a.followHistory(ctx); err != nil {
		return err
	}
	a.at.SeenAt = a.seen.Now
	if err := a.session.Note(ctx, a.at); err != nil {
		return err
	}
	p, _, err := a.session.Position(ctx)
	if err != nil {
		return err
	}
	if err := a.giveWay(ctx, p.Claim); err != nil {
		return err
	}
	if p.Rebuild {
		return fmt.Errorf("%w: %s", errRebuild, operatorAsked)
	}
	if err := a.settleUndone(ctx); err != nil {
		return err
	}
	open, err := a.session.Open(ctx, openMax)
	if err != nil {
		return err
	}
	return a.undo(ctx, open)
}

// followHistory takes over a new replication id of the same Redis.
func (a *applier) followHistory(ctx context.Context) error {
	if a.seen.ReplicationID == a.at.ReplicationID {
		return nil
	}
	applied, err := a.shard.LastApplied(ctx, a.at)
	if err == nil && !applied {
		err = fmt.Errorf("%w: %s", errRebuild, lastAppliedMissing)
	}
	if err != nil {
		return err
	}
	a.Logger.Info("redis has a new replication id, and the same data", "replication_id", a.seen.ReplicationID)
	a.at.ReplicationID = a.seen.ReplicationID
	return nil
}

// expireUntil returns the moment up to which holds may expire, Unix ms. It follows the last check,
// at which the ledger answered: a process that was paused since must not let holds expire from
// stale data.
func (a *applier) expireUntil() int64 {
	return min(a.now(), a.seen.Now+2*checkEvery.Milliseconds()) + expiryLease.Milliseconds()
}

// forget lets Redis forget what was resolved longer ago than the retention. It counts back from the
// last applied event, because old events may still wait in the stream. done is false if
// there is more to forget. After a long time without a reconciler that can be a lot.
func (a *applier) forget(ctx context.Context) (done bool, err error) {
	until := a.appliedTo - a.Retention.Milliseconds()
	for range forgetRuns {
		if a.forgottenTo >= until || ctx.Err() != nil {
			break
		}
		found, upTo, err := a.session.Forgettable(ctx, a.forgottenTo, until, forgetMax)
		if err != nil {
			return false, err
		}
		if len(found.Reservations)+len(found.Operations) > 0 {
			if err := a.shard.Forget(ctx, found); err != nil {
				return false, err
			}
		}
		if err := a.session.Forgotten(ctx, upTo); err != nil {
			return false, err
		}
		a.forgottenTo = upTo
	}
	return a.forgottenTo >= until, nil
}
