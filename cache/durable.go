package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// await returns once the ledger has decided, or after Options.DurableWait. It is nil where
// there is no ledger.
func (s *Store) await(ctx context.Context, a Awaited) error {
	if s.options.Ledger == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.DurableWait)
	defer cancel()
	return s.options.Ledger.Await(ctx, a)
}

// durable says whether what await has waited for survives.
func (s *Store) durable() bool { return s.options.Ledger != nil && s.options.Ledger.Durable() }

// settle sends a transition again once the ledger has decided the confirm before it: nothing may
// follow an undecided one.
func (s *Store) settle(ctx context.Context, c *transitionCall, a answer) answer {
	for a.err == nil && a.status == "unsettled" {
		rec, err := DecodeRecord(a.payload)
		if err != nil {
			return answer{err: err}
		}
		err = s.await(ctx, rec.awaited(c.request.ID, a.epoch))
		switch {
		case errors.Is(err, ErrNotDurable), err != nil && ctx.Err() != nil:
			return answer{err: err}
		case err != nil:
			return answer{err: fmt.Errorf("%w: the step before this one is being undone: %w", ErrNotDurable, err)}
		}
		c.settled = versionText(rec.Version)
		a = s.send(ctx, c.verb, c)
	}
	return a
}

// awaited is what the step that led to a record is awaited as.
func (r Record) awaited(id string, epoch uint64) Awaited {
	return Awaited{Step: Step{ID: id, Birth: r.Birth, Version: r.Version}, State: r.State, Epoch: epoch}
}

// forgotten answers a transition of a reservation that Redis does not have from the ledger's record of
// it: Redis forgets what is resolved, the ledger does not. It is sent once more before, for it may have
// been made in between.
func (s *Store) forgotten(ctx context.Context, c *transitionCall, a answer) (answer, error) {
	if s.options.Ledger == nil || a.status != "not_found" {
		return a, nil
	}
	rec, err := s.options.Ledger.Reservation(ctx, c.request.ID)
	if err != nil {
		return answer{}, fmt.Errorf("%s %q: %w", c.verb, c.request.ID, err)
	}
	if again := s.settle(ctx, c, s.send(ctx, c.verb, c)); again.err != nil || again.status != "not_found" {
		return again, again.err
	}
	if rec.State == StateHeld || rec.State == StateConfirmed {
		return answer{}, fmt.Errorf("%s %q: it is in the ledger and not in Redis, audit this shard: %w", c.verb, c.request.ID, ErrCorrupt)
	}
	a.payload = rec.Encode()
	a.status = "wrong_state"
	if c.repeats(rec) {
		a.status = "repeat_durable"
	}
	return a, nil
}

// repeats says that a reservation is where this call wants it, by the same rule as the scripts'.
func (c *transitionCall) repeats(rec Record) bool {
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
func (s *Store) replayed(ctx context.Context, r *ReserveRequest, a answer) (Result, error) {
	rec, err := DecodeRecord(a.payload)
	if err != nil || s.options.Ledger == nil || rec.Transition != transitionConflict {
		return s.result(r.ID, a, true)
	}
	rec, err = s.options.Ledger.Reservation(ctx, r.ID)
	switch {
	case err != nil:
		return Result{}, fmt.Errorf("reserve %q: %w", r.ID, err)
	case rec.Fingerprint != r.fingerprint():
		return Result{}, fmt.Errorf("reserve %q: %w", r.ID, ErrIDConflict)
	}
	return Result{Reservation: rec.Reservation(r.ID, a.now), Replay: true}, nil
}

// applied answers an operation that the ledger has already; known is false where it has not. Redis
// forgets operations, the ledger does not.
func (s *Store) applied(ctx context.Context, r *AdjustRequest, fingerprint string) (result AdjustResult, known bool, err error) {
	if s.options.Ledger == nil {
		return AdjustResult{}, false, nil
	}
	op, err := s.options.Ledger.Operation(ctx, r.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return AdjustResult{}, false, nil
	case err != nil:
		return AdjustResult{}, false, fmt.Errorf("adjust %q: %w", r.ID, err)
	case op.Fingerprint != fingerprint:
		return AdjustResult{}, false, fmt.Errorf("adjust %q: %w", r.ID, ErrIDConflict)
	}
	names := make([]string, len(r.Changes))
	for i, c := range r.Changes {
		names[i] = levelName(c.SKU, c.Location)
	}
	levels, err := s.levelsNamed(ctx, s.keys, names)
	if err != nil {
		return AdjustResult{}, false, fmt.Errorf("adjust %q: %w", r.ID, err)
	}
	if len(levels) != len(names) {
		return AdjustResult{}, false, fmt.Errorf("adjust %q: a level of it is missing, audit this shard: %w", r.ID, ErrCorrupt)
	}
	result = AdjustResult{At: op.At, Replay: true, Durable: s.durable(), Levels: make([]AdjustedLevel, len(levels))}
	for i, l := range levels {
		result.Levels[i] = AdjustedLevel{Level: l}
	}
	return result, true, nil
}
