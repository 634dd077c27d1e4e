package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// ReturnRequest asks for units that have left to be taken back into stock.
type ReturnRequest struct {
	ID          string // id of the return, which is an operation, and idempotency key; required
	Reservation string
	Version     int64          // the version that the reservation must have; 0 allows any
	Lines       []LineQuantity // units, or kits, that left and did not come back; required
	To          location.ID    // the location that takes them; it gets a level if it has none
}

// Return takes units that have left back into stock at a location. They are on hand and available
// there, and Returned of the lines goes up. The reservation keeps its state, and a kit comes back
// whole. If Redis has forgotten the reservation, Return uses the ledger's record.
//
// Return is safe to repeat: the same ID with the same request changes nothing and answers the
// reservation as it is now.
//
// Errors, in order of precedence:
//   - *InvalidError
//   - ErrNotDurable, if the ledger does not answer; nothing was changed
//   - ErrIDConflict, if the ledger has another operation with this ID
//   - *InvalidError, if the directory does not have To
//   - ErrRebuilding
//   - ErrNotFound
//   - ErrIDConflict, if the reservation's ID or the return's ID belongs to another
//   - *WrongStateError, if nothing of it can have left
//   - *VersionError
//   - ErrNotDurable, if the ledger has not decided the step before
//   - *InvalidError, if there is no such line or fewer units are out, on hand would exceed
//     QuantityMax, or the locations LocationsMax
//   - ErrNotDurable, if the ledger did not decide in time; repeat with the same ID
//
// Return costs one round trip to the ledger, two to Redis, each shared with its batch, and the wait
// for the ledger. Without a ledger it costs one round trip to Redis.
func (s *Store) Return(ctx context.Context, r ReturnRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(VerbReturn, started, result.Replay, err) }()
	if err := r.validate(); err != nil {
		return Result{}, err
	}
	return s.transit(ctx, &transitionCall{
		verb: VerbReturn, request: &TransitionRequest{ID: r.Reservation, Version: r.Version, Lines: r.Lines},
		operation: r.ID, fingerprint: stepFingerprint(VerbReturn, r.Reservation, r.Version, r.To, r.Lines...), back: &backArguments{to: r.To},
		unknown: func(f *faults) { s.unknown(f, "/to", r.To) },
	}, func(verb Verb, a shard.Answer) error { return refusedBack(verb, r.ID, r.Reservation, a) })
}

func (r *ReturnRequest) validate() error {
	var f faults
	f.identifier("/id", r.ID)
	f.identifier("/reservation", r.Reservation)
	f.version("/version", r.Version)
	f.identifier("/to", string(r.To))
	f.requiredQuantities(r.Lines)
	return f.err()
}

// backArguments are the arguments that only the scripts of a return and an unfulfill have.
type backArguments struct {
	to location.ID // "" for the locations that the units left from
}

// refusedBack turns the refusals of a return or an unfulfill that name lines or levels into errors,
// and leaves the others to refusal.
func refusedBack(verb Verb, id, reservation string, a shard.Answer) error {
	f := wire.FieldReader{Rest: a.Payload}
	var err error
	switch a.Status {
	case wire.StatusUnknownLine:
		err = invalid(linePath(int(f.Number()-1))+"/line", "the reservation has no such line")
	case wire.StatusExceeds:
		err = invalid(linePath(int(f.Number()-1))+"/quantity", "%d have left and did not come back", f.Number())
	case wire.StatusOverLimit:
		err = invalid("/lines", "would take on hand of %s at %s from %d over %d", f.Text(), f.Text(), f.Number(), QuantityMax)
	case wire.StatusTooManyLocations:
		return invalid("/to", "would be one location more than %d", LocationsMax)
	default:
		return refusal(verb, reservation, a)
	}
	if f.Failed {
		return fmt.Errorf("%s %q: answered %q: %w", verb, id, a.Payload, ErrCorrupt)
	}
	return err
}
