package cache

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// await returns once the ledger has decided a step, or after Options.DurableWait. Without a ledger
// it returns nil at once.
func (s *Store) await(ctx context.Context, a wire.Awaited) error {
	if s.options.Ledger == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.DurableWait)
	defer cancel()
	return s.options.Ledger.Await(ctx, a)
}

// durable reports whether an awaited step survives a crash.
func (s *Store) durable() bool { return s.options.Ledger != nil && s.options.Ledger.Durable() }

// awaited returns the step that led to a record.
func awaited(r wire.Record, id string, epoch uint64) wire.Awaited {
	return wire.Awaited{Step: wire.Step{ID: id, CreationNonce: r.CreationNonce, Version: r.Version}, State: r.State, Epoch: epoch}
}

// settle waits until the ledger has decided the step before a transition, and sends the transition
// again. Nothing may follow an undecided step.
func (s *Store) settle(ctx context.Context, c *transitionCall, a shard.Answer) shard.Answer {
	for a.Err == nil && a.Status == wire.StatusUnsettled {
		rec, err := wire.DecodeRecord(a.Payload)
		if err != nil {
			return shard.Answer{Err: err}
		}
		err = s.await(ctx, awaited(rec, c.request.ID, a.Epoch))
		switch {
		case errors.Is(err, ErrNotDurable), err != nil && ctx.Err() != nil:
			return shard.Answer{Err: err}
		case err != nil:
			return shard.Answer{Err: undoing("the step before this one", err)}
		}
		if c.settled = versionText(rec.Version); c.described != nil {
			if err := s.readDescribed(ctx, c); err != nil {
				return shard.Answer{Err: err}
			}
		}
		a = s.send(ctx, c.verb, c)
	}
	return a
}

// undoing is the error for a caller that waited on another call's step, which the ledger refused.
// The caller must repeat. The refusal is only quoted, because it is not this call's.
func undoing(step string, refusal error) error {
	return fmt.Errorf("%w: %s is being undone: %v", ErrNotDurable, step, refusal) //nolint:errorlint // see above
}

// forgotten answers a transition that Redis does not know from the ledger's record: Redis forgets
// resolved reservations, the ledger does not. It sends the transition once more first, because the
// reservation may have been made in between. A return, an unfulfill, and a confirm of an expired
// reservation, are sent with the ledger's record.
func (s *Store) forgotten(ctx context.Context, c *transitionCall, a shard.Answer) shard.Answer {
	if a.Err != nil || a.Status != wire.StatusNotFound || s.options.Ledger == nil {
		return a
	}
	row, err := s.options.Ledger.Reservation(ctx, c.request.ID)
	if err != nil {
		return shard.Answer{Err: err}
	}
	rec := row.Record
	live := rec.State == StateHeld || rec.State == StateConfirmed
	if c.back != nil && !live || c.verb == VerbConfirm && rec.State == StateExpired {
		c.record, c.settled = rec.Encode(), versionText(rec.Version)
	}
	a = s.settle(ctx, c, s.send(ctx, c.verb, c))
	if a.Err != nil || a.Status != wire.StatusNotFound {
		return a
	}
	if live {
		if err := s.shard.Damage(ctx); err != nil {
			return shard.Answer{Err: err}
		}
	}
	switch {
	case c.repeats(rec):
		a.Status = wire.StatusRepeatDurable
	case live:
		return shard.Answer{Err: fmt.Errorf("the ledger has it and Redis does not, audit this shard: %w", ErrCorrupt)}
	default:
		a.Status = wire.StatusWrongState
	}
	a.Payload = rec.Encode()
	return a
}

// repeats reports whether a record is already what this call asks for, by the rule of the scripts.
func (c *transitionCall) repeats(rec wire.Record) bool {
	if c.operation != "" || len(c.request.Lines) > 0 || c.move != nil || c.amend != nil {
		return rec.LastCall() == c.mark()
	}
	target := map[Verb]State{VerbConfirm: StateConfirmed, VerbRelease: StateReleased, VerbFulfill: StateFulfilled}
	return rec.State == target[c.verb] && c.request.Version <= rec.Version
}

// replayed answers a repeated Reserve. If the ledger has another reservation with this id, that one
// decides.
func (s *Store) replayed(ctx context.Context, r *ReserveRequest, a shard.Answer) (Result, error) {
	rec, err := wire.DecodeRecord(a.Payload)
	if err != nil || rec.Transition != wire.TransitionConflict {
		return s.result(r.ID, a, true)
	}
	if s.options.Ledger != nil {
		var row wire.ReservationRow
		row, err = s.options.Ledger.Reservation(ctx, r.ID)
		rec = row.Record
	}
	switch {
	case err != nil && !errors.Is(err, ErrArchived):
		return Result{}, fmt.Errorf("reserve %q: %w", r.ID, err)
	case err != nil || rec.Fingerprint != r.fingerprint():
		return Result{}, fmt.Errorf("reserve %q: %w", r.ID, ErrIDConflict)
	}
	return Result{Reservation: reservationOf(rec, r.ID, a.Now), Replay: true}, nil
}
