package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// await returns once the ledger has decided, or after Options.DurableWait. It is nil where
// there is no ledger.
func (s *Store) await(ctx context.Context, a wire.Awaited) error {
	if s.options.Ledger == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.DurableWait)
	defer cancel()
	return s.options.Ledger.Await(ctx, a)
}

// awaitOperation is await for an operation that an entry of that nonce made.
func (s *Store) awaitOperation(ctx context.Context, id, birth string, epoch uint64) error {
	return s.await(ctx, wire.Awaited{Step: wire.Step{Operation: true, ID: id, Birth: birth, Version: 1}, Epoch: epoch})
}

// durable says whether what await has waited for survives.
func (s *Store) durable() bool { return s.options.Ledger != nil && s.options.Ledger.Durable() }

// settle sends a transition again once the ledger has decided the confirm before it: nothing may
// follow an undecided one.
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
		c.settled = versionText(rec.Version)
		a = s.send(ctx, c.verb, c)
	}
	return a
}

// awaited is what the step that led to a record is awaited as.
func awaited(r wire.Record, id string, epoch uint64) wire.Awaited {
	return wire.Awaited{Step: wire.Step{ID: id, Birth: r.Birth, Version: r.Version}, State: r.State, Epoch: epoch}
}

// forgotten answers a transition of a reservation that Redis does not have from the ledger's record of
// it: Redis forgets what is resolved, the ledger does not. It is sent once more before, for it may have
// been made in between.
func (s *Store) forgotten(ctx context.Context, c *transitionCall, a shard.Answer) (shard.Answer, error) {
	if s.options.Ledger == nil || a.Status != wire.StatusNotFound {
		return a, nil
	}
	if c.back != nil {
		return s.recalled(ctx, c)
	}
	rec, err := s.options.Ledger.Reservation(ctx, c.request.ID)
	if err != nil {
		return shard.Answer{}, fmt.Errorf("%s %q: %w", c.verb, c.request.ID, err)
	}
	if again := s.settle(ctx, c, s.send(ctx, c.verb, c)); again.Err != nil || again.Status != wire.StatusNotFound {
		return again, again.Err
	}
	if rec.State == StateHeld || rec.State == StateConfirmed {
		return shard.Answer{}, fmt.Errorf("%s %q: it is in the ledger and not in Redis, audit this shard: %w", c.verb, c.request.ID, ErrCorrupt)
	}
	a.Payload = rec.Encode()
	a.Status = wire.StatusWrongState
	if c.repeats(rec) {
		a.Status = wire.StatusRepeatDurable
	}
	return a, nil
}

// repeats says that a reservation is where this call wants it, by the same rule as the scripts'.
func (c *transitionCall) repeats(rec wire.Record) bool {
	if len(c.request.Lines) > 0 || c.move != nil {
		return strings.TrimSuffix(rec.Transition, confirmedMark) == c.mark()
	}
	target := map[Verb]State{VerbConfirm: StateConfirmed, VerbRelease: StateReleased, VerbFulfill: StateFulfilled}
	return rec.State == target[c.verb] && c.request.Version <= rec.Version
}

// confirmedMark ends the transition of what was confirmed when it was released.
const confirmedMark = "+"

// transitionConflict is the transition of a reservation whose id belongs to another one in the ledger.
const transitionConflict = "conflict"

// replayed answers a repeated Reserve. Where the id turned out to be another reservation's, that one
// decides.
func (s *Store) replayed(ctx context.Context, r *ReserveRequest, a shard.Answer) (Result, error) {
	rec, err := wire.DecodeRecord(a.Payload)
	if err != nil || rec.Transition != transitionConflict {
		return s.result(r.ID, a, true)
	}
	if s.options.Ledger != nil {
		rec, err = s.options.Ledger.Reservation(ctx, r.ID)
	}
	switch {
	case err != nil:
		return Result{}, fmt.Errorf("reserve %q: %w", r.ID, err)
	case rec.Fingerprint != r.fingerprint():
		return Result{}, fmt.Errorf("reserve %q: %w", r.ID, ErrIDConflict)
	}
	return Result{Reservation: ReservationOf(rec, r.ID, a.Now), Replay: true}, nil
}

// applied answers an operation that the ledger has already; known is false where it has not.
func (s *Store) applied(ctx context.Context, r *AdjustRequest, fingerprint string) (result AdjustResult, known bool, err error) {
	at, known, err := s.operated(ctx, VerbAdjust, r.ID, fingerprint)
	if !known || err != nil {
		return AdjustResult{}, false, err
	}
	levels, err := s.levelsAsked(ctx, r.Changes)
	if err != nil {
		return AdjustResult{}, false, fmt.Errorf("adjust %q: %w", r.ID, err)
	}
	s.nameShort(ctx, levels)
	return AdjustResult{At: at, Replay: true, Durable: s.durable(), Levels: levels}, true, nil
}

// operated says when the ledger has applied an operation; known is false where it has not. Redis forgets
// operations, the ledger does not. One round trip to that.
func (s *Store) operated(ctx context.Context, verb Verb, id, fingerprint string) (at time.Time, known bool, err error) {
	if s.options.Ledger == nil {
		return time.Time{}, false, nil
	}
	op, err := s.options.Ledger.Operation(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return time.Time{}, false, nil
	case err != nil:
		return time.Time{}, false, fmt.Errorf("%s %q: %w", verb, id, err)
	case op.Fingerprint != fingerprint:
		return time.Time{}, false, fmt.Errorf("%s %q: %w", verb, id, ErrIDConflict)
	default:
		return op.At, true, nil
	}
}

// levelsAsked reads the levels of some changes, in their order; one that was removed since counts nothing.
func (s *Store) levelsAsked(ctx context.Context, changes []Change) ([]AdjustedLevel, error) {
	names := make([]string, len(changes))
	for i := range changes {
		names[i] = wire.LevelField(changes[i].SKU, changes[i].Location)
	}
	found, err := s.levelsNamed(ctx, s.keys, names)
	if err != nil {
		return nil, err
	}
	levels := make([]AdjustedLevel, len(changes))
	for i := range changes {
		levels[i].SKU, levels[i].Location = changes[i].SKU, changes[i].Location
		if len(found) > 0 && found[0].SKU == changes[i].SKU && found[0].Location == changes[i].Location {
			levels[i].Level, found = found[0], found[1:]
		}
	}
	return levels, nil
}

// undoing is what a call is told that waited for another call's step, which was refused: to be repeated. The refusal
// is in its text only: it is not this call's.
func undoing(step string, refusal error) error {
	return fmt.Errorf("%w: %s is being undone: %v", ErrNotDurable, step, refusal) //nolint:errorlint // see above
}
