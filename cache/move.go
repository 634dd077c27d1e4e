package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// MoveRequest asks for a line to be served from another location.
type MoveRequest struct {
	ID      string
	Version int64 // the version that the reservation must have; 0 allows any. It or Operation is required
	Line    string
	To      location.ID

	// NotAfter is the last moment at which the call may take units, by the clock of this process. A
	// later call is refused and takes nothing, even if it is a repeat. Zero is no bound.
	NotAfter time.Time

	// Operation is the id of the move, which makes it an operation, and its idempotency key. Optional.
	Operation string

	barred location.Reason // why the directory allows no move to To; "" if it does
}

// Move takes what is left of a line from another location, in one step. The reservation must be
// held or confirmed. Units that were fulfilled stay where they left from, and a kit moves whole.
// The location need not be in the channel or ship to the address. If units are short, Move first
// gives back the units of overdue holds.
//
// Move is safe to repeat, as Release is: with the same Operation for ever, with the same Version
// before any other step.
//
// Errors, in order of precedence:
//   - *InvalidError
//   - *ExpiredRequestError
//   - ErrNotDurable, with an Operation, if the ledger does not answer; nothing was changed
//   - ErrIDConflict, if the ledger has another operation with the id Operation
//   - ErrRebuilding
//   - ErrNotFound, or ErrNotDurable if Redis does not have the ID and the ledger does not answer
//   - ErrIDConflict, if the ID or Operation belongs to another
//   - *WrongStateError, if it is neither confirmed nor held before its deadline
//   - *VersionError
//   - ErrNotDurable, if the ledger has not decided the step before
//   - *InvalidError, if there is no such line
//   - *NoLocationError, if the directory does not know the location or has disabled it, or if the
//     location has no level of the SKU
//   - *InsufficientError
//   - ErrNotDurable, for a confirmed reservation, if the ledger did not decide in time; repeat
//
// Move costs one round trip, shared with its batch. With a ledger, the move of a confirmed
// reservation costs two, and the wait for the ledger. An Operation costs one to the ledger.
func (s *Store) Move(ctx context.Context, r MoveRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(VerbMove, started, result.Replay, err) }()
	if err := r.validate(); err != nil {
		return Result{}, err
	}
	if err := s.inTime(r.NotAfter); err != nil {
		return Result{}, err
	}
	if r.barred, err = s.barred(r.To); err != nil {
		return Result{}, err
	}
	call := &transitionCall{verb: VerbMove, move: &r, request: &TransitionRequest{ID: r.ID, Version: r.Version, NotAfter: r.NotAfter}}
	if r.Operation != "" {
		call.operation, call.fingerprint = r.Operation, stepFingerprint(VerbMove, r.ID, r.Version, r.To, LineQuantity{Line: r.Line})
	}
	return s.transit(ctx, call, r.refused)
}

func (r *MoveRequest) validate() error {
	var f faults
	f.identifier("/id", r.ID)
	f.identifier("/line", r.Line)
	f.identifier("/to", string(r.To))
	f.repeatable(r.Version, r.Operation)
	f.version("/version", r.Version)
	f.optional("/operation", r.Operation)
	return f.err()
}

// barred returns why the directory allows no move to a location, or "". The script decides after it
// has looked for a repeat, because a move that was made stays made.
func (s *Store) barred(to location.ID) (location.Reason, error) {
	known := s.directory.Load()
	if known == nil {
		return "", s.mayRoute()
	}
	return barredBy(known.rules, to), nil
}

// barredBy returns why a directory allows no units to be taken at a location, or "".
func barredBy(rules *location.Rules, at location.ID) location.Reason {
	if rules.Implicit() {
		return ""
	}
	l, there := rules.Location(at)
	switch {
	case !there:
		return location.ReasonUnknownLocation
	case l.Enabled != nil && !*l.Enabled:
		return location.ReasonDisabled
	default:
		return ""
	}
}

// fingerprint identifies the line and the location.
func (r *MoveRequest) fingerprint() string {
	f := fingerprinter{}
	f.text(r.Line)
	f.text(string(r.To))
	return f.sum()
}

// refused turns the refusals that name the line into errors, and leaves the others to refusal.
func (r *MoveRequest) refused(verb Verb, a shard.Answer) error {
	switch a.Status {
	case wire.StatusUnknownLine:
		return invalid("/line", "the reservation has no such line")
	case wire.StatusBarred:
		return r.rejected(r.barred)
	case wire.StatusNoLevel:
		return r.rejected(location.ReasonNoLevel)
	case wire.StatusInsufficient:
		f := wire.FieldReader{Rest: a.Payload}
		short := Shortage{Line: r.Line, SKU: location.SKU(f.Text()), Requested: f.Number(), Available: f.Number()}
		if f.Failed {
			return fmt.Errorf("move %q: answered %q: %w", r.ID, a.Payload, ErrCorrupt)
		}
		return &InsufficientError{Shortages: []Shortage{short}}
	default:
		return refusal(verb, r.ID, a)
	}
}

func (r *MoveRequest) rejected(reason location.Reason) error {
	return &NoLocationError{Rejected: []location.Rejected{{Line: r.Line, Location: r.To, Reason: reason}}}
}
