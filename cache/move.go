package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// MoveRequest has a line come from another location.
type MoveRequest struct {
	ID      string
	Version int64 // the version it must have now; required, so that a repeat is known as such
	Line    string
	To      location.ID

	barred location.Reason // why the directory has nothing moved there; "" where it may
}

// Move takes what is left of a line of a held or confirmed reservation from where it comes from, and takes
// it at another location, in one step; what was fulfilled stays. A kit moves whole. The location need not
// be one of its channel or ship to its address: who moves a line knows. It is safe to repeat.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding, ErrNotFound, *WrongStateError, *VersionError,
// *InvalidError (a line it does not have), *NoLocationError (the directory does not know the location, or it is
// disabled, or has no level), *InsufficientError; of a confirmed one ErrNotDurable. One round trip, shared with its
// batch, and for a confirmed reservation the wait for the ledger.
func (s *Store) Move(ctx context.Context, r MoveRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(VerbMove, started, result.Replay, err) }()
	if err := r.validate(); err != nil {
		return Result{}, err
	}
	if r.barred, err = s.barred(r.To); err != nil {
		return Result{}, err
	}
	call := &transitionCall{verb: VerbMove, request: &TransitionRequest{ID: r.ID, Version: r.Version}, move: &r}
	return s.transit(ctx, call, r.refused)
}

// barred says why nothing is moved to a location that the directory does not know, or that is disabled. A move that
// was made before stays so: its repeat is known.
func (s *Store) barred(to location.ID) (location.Reason, error) {
	known := s.directory.Load()
	if known == nil {
		return "", s.mayRoute()
	}
	at, there := known.rules.Location(to)
	switch {
	case !there:
		return location.ReasonUnknownLocation, nil
	case at.Enabled != nil && !*at.Enabled:
		return location.ReasonDisabled, nil
	default:
		return "", nil
	}
}

func (r *MoveRequest) rejected(reason location.Reason) error {
	return &NoLocationError{Rejected: []location.Rejected{{Line: r.Line, Location: r.To, Reason: reason}}}
}

func (r *MoveRequest) validate() error {
	var f faults
	f.identifier("/id", r.ID)
	f.identifier("/line", r.Line)
	f.identifier("/to", string(r.To))
	if r.Version == 0 {
		f.add("/version", "is required, so that a repeat is known as such")
	}
	f.version("/version", r.Version)
	return f.err()
}

// refused turns the refusals that speak of the line into errors.
func (r *MoveRequest) refused(verb Verb, a shard.Answer) error {
	switch a.Status {
	case wire.StatusUnknownLine:
		return &InvalidError{Faults: []Fault{{Path: "/line", Message: "the reservation has no such line"}}}
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

// fingerprint identifies what a move asks for.
func (r *MoveRequest) fingerprint() string {
	f := fingerprinter{}
	f.text(r.Line)
	f.text(string(r.To))
	return f.sum()
}
