package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// marked is a step that was sent, and the entry it made.
type marked struct {
	cache.Marking
	entry ledger.EntryID
}

// onShard runs f on a connection to Redis whose scripts are loaded, again where that was lost; it gives up
// after auditStall.
func (r *auditRun) onShard(ctx context.Context, f func(ctx context.Context) error) error {
	for since := time.Now(); ; {
		err := r.connect(ctx)
		if err == nil {
			limited, cancel := context.WithTimeout(ctx, redisTimeout)
			err = f(limited)
			cancel()
		}
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !is(err, cache.ErrUnavailable, cache.ErrFenced, cache.ErrRebuilding, cache.ErrStopped, cache.ErrNotDurable):
			return err
		case time.Since(since) > auditStall:
			return r.stalled(err)
		}
		r.disconnect()
		if err := pauseFor(ctx, settlePause); err != nil {
			return err
		}
	}
}

// is says whether err is one of several.
func is(err error, list ...error) bool {
	for _, target := range list {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

func pauseFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *auditRun) connect(ctx context.Context) error {
	if r.shard != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	shard, err := cache.OpenShard(ctx, r.Client, r.Prefix, 0)
	if err != nil {
		return err
	}
	if err := shard.LoadKnown(ctx, r.Ledger); err != nil {
		shard.Close()
		return err
	}
	r.shard = shard
	return nil
}

func (r *auditRun) disconnect() {
	if r.shard != nil {
		r.shard.Close()
		r.shard = nil
	}
}

// mark ends a step: what is in doubt after it is read and compared, if anything is. It returns before that is
// compared, unless many are under way.
func (r *auditRun) mark(ctx context.Context, m cache.Marking) error {
	if len(m.Levels)+len(m.Reservations)+len(m.Limits)+len(m.Deadlines) == 0 {
		return r.stepped(ctx)
	}
	m.Audit = r.ID
	for len(r.inFlight) >= auditWindow {
		if err := r.Await(ctx); err != nil {
			return err
		}
	}
	if err := r.send(ctx, m); err != nil {
		return err
	}
	r.Point("marked")
	return r.stepped(ctx)
}

// stepped follows a step: where others work too it gives Redis and the ledger the time that is theirs.
func (r *auditRun) stepped(ctx context.Context) error {
	if r.busy {
		if err := pauseFor(ctx, min(auditRest*time.Since(r.rested), settlePause)); err != nil {
			return err
		}
	}
	r.Point("stepped")
	r.rested = time.Now()
	return r.Note(ctx)
}

func (r *auditRun) send(ctx context.Context, m cache.Marking) error {
	return r.onShard(ctx, func(ctx context.Context) error {
		text, err := r.shard.Mark(ctx, m)
		if err != nil {
			return err
		}
		entry, err := ledger.ParseEntryID(text)
		if err != nil {
			return err
		}
		if len(r.inFlight) == 0 {
			r.moved = time.Now()
		}
		r.inFlight = append(r.inFlight, marked{m, entry})
		r.marks++
		return nil
	})
}

// Note says now and then that the audit still runs.
func (r *auditRun) Note(ctx context.Context) error {
	if time.Since(r.noted) < auditNote {
		return nil
	}
	return r.noteNow(ctx)
}

// noteNow says that the audit still runs, and what it has compared without a mark.
func (r *auditRun) noteNow(ctx context.Context) error {
	r.noted = time.Now()
	same := r.same
	r.same = ledger.Compared{}
	return r.Ledger.Auditing(ctx, r.ID, same)
}

// Await waits until the ledger has come further, and drops the steps that it has compared. Those of an epoch
// that is no more are sent again: they may have been lost.
func (r *auditRun) Await(ctx context.Context) error {
	at, _, err := r.Ledger.Position(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && time.Since(r.moved) > auditStall:
		return r.stalled(err)
	case err != nil:
		return pauseFor(ctx, settlePause)
	}
	before := r.at
	if !ledger.SamePosition(at.Position, r.at) {
		r.at, r.moved = at.Position, time.Now()
	}
	waiting := r.inFlight
	r.inFlight = nil
	for i, m := range waiting {
		if m.entry.Epoch == at.Epoch && m.entry.Sequence > at.Sequence {
			r.inFlight = append(r.inFlight, waiting[i:]...)
			break
		}
		if m.entry.Epoch != at.Epoch {
			if err := r.send(ctx, m.Marking); err != nil {
				return err
			}
		}
	}
	if done := len(waiting) - len(r.inFlight); done > 0 {
		r.busy = before.Epoch == at.Epoch && at.Sequence-before.Sequence > uint64(done)
	}
	switch {
	case len(r.inFlight) < len(waiting):
		return nil
	case time.Since(r.moved) > auditStall:
		return r.stalled(fmt.Errorf("the ledger is at %s, the audit at %s", at.EntryID(), r.inFlight[0].entry))
	default:
		return pauseFor(ctx, auditPoll)
	}
}

// drained waits until all steps are compared.
func (r *auditRun) drained(ctx context.Context) error {
	for len(r.inFlight) > 0 {
		if err := r.Await(ctx); err != nil {
			return err
		}
	}
	return nil
}
