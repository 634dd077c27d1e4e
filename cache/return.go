package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// ReturnRequest takes units of a reservation that had left back into stock.
type ReturnRequest struct {
	ID          string // the return's own id and idempotency key, an operation's; required
	Reservation string
	Version     int64          // the version the reservation must have now; 0 does not ask
	Lines       []LineQuantity // units, of a kit kits, that left and did not come back before; required
	To          location.ID    // where they are put; a level is made where there is none
}

// Return takes units that have left back into stock at some location: they are on hand and available
// there, and the lines say that they came back. The reservation stays in its state; a kit comes back
// whole. It is safe to repeat: the same id with the same request answers the reservation as it is now.
// What Redis has forgotten is returned by the ledger's record of it.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding, ErrNotFound, ErrIDConflict (of the return),
// *WrongStateError (nothing of it can have left), *VersionError, *InvalidError (a line it does not have, more
// than is out, on hand would exceed QuantityMax, the locations LocationsMax), ErrNotDurable. Two round trips,
// each shared with its batch; with a ledger also one to that, and the wait for it.
func (s *Store) Return(ctx context.Context, r ReturnRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(VerbReturn, started, result.Replay, err) }()
	if err := r.validate(); err != nil {
		return Result{}, err
	}
	fingerprint := r.fingerprint()
	_, known, err := s.operated(ctx, VerbReturn, r.ID, fingerprint)
	switch {
	case err != nil:
		return Result{}, err
	case known:
		found, err := s.Reservation(ctx, r.Reservation)
		return Result{Reservation: found, Replay: err == nil, Durable: s.durable(), DurableCall: true}, err
	}
	call := &transitionCall{
		verb: VerbReturn, request: &TransitionRequest{ID: r.Reservation, Version: r.Version, Lines: r.Lines},
		back: &returning{request: &r, fingerprint: fingerprint},
	}
	return s.transit(ctx, call, r.refused)
}

// recalled sends a return of what Redis has forgotten again, with the ledger's record of it.
func (s *Store) recalled(ctx context.Context, c *transitionCall) (shard.Answer, error) {
	rec, err := s.options.Ledger.Reservation(ctx, c.request.ID)
	if err != nil {
		return shard.Answer{}, fmt.Errorf("return %q: %w", c.back.request.ID, err)
	}
	live := rec.State == StateHeld || rec.State == StateConfirmed
	if !live {
		c.back.record, c.settled = rec.Encode(), versionText(rec.Version)
	}
	a := s.settle(ctx, c, s.send(ctx, c.verb, c))
	if live && a.Status == wire.StatusNotFound {
		return shard.Answer{}, fmt.Errorf("return %q: %q is in the ledger and not in Redis, audit this shard: %w", c.back.request.ID, c.request.ID, ErrCorrupt)
	}
	return a, a.Err
}

func (r *ReturnRequest) validate() error {
	var f faults
	f.identifier("/id", r.ID)
	f.identifier("/reservation", r.Reservation)
	f.version("/version", r.Version)
	f.identifier("/to", string(r.To))
	if len(r.Lines) < 1 || len(r.Lines) > LinesMax {
		f.add("/lines", "has %d lines, must have from 1 to %d", len(r.Lines), LinesMax)
		return f.err()
	}
	f.lineQuantities(r.Lines)
	return f.err()
}

// refused turns the refusals that speak of a return into errors.
func (r *ReturnRequest) refused(verb Verb, a shard.Answer) error {
	f := wire.FieldReader{Rest: a.Payload}
	fault := Fault{}
	switch a.Status {
	case wire.StatusUnknownLine:
		fault = Fault{Path: linePath(int(f.Number()-1)) + "/line", Message: "the reservation has no such line"}
	case wire.StatusExceeds:
		fault.Path = linePath(int(f.Number()-1)) + "/quantity"
		fault.Message = fmt.Sprintf("%d have left and did not come back", f.Number())
	case wire.StatusOverLimit:
		fault.Path = "/lines"
		fault.Message = fmt.Sprintf("would take on hand of %s at %s from %d over %d", f.Text(), r.To, f.Number(), QuantityMax)
	case wire.StatusTooManyLocations:
		return &InvalidError{Faults: []Fault{{Path: "/to", Message: fmt.Sprintf("would be one location more than %d", LocationsMax)}}}
	default:
		return refusal(verb, r.Reservation, a)
	}
	if f.Failed {
		return fmt.Errorf("return %q: answered %q: %w", r.ID, a.Payload, ErrCorrupt)
	}
	return &InvalidError{Faults: []Fault{fault}}
}

// fingerprint identifies a return without its id.
func (r *ReturnRequest) fingerprint() string {
	f := fingerprinter{}
	f.text(string(VerbReturn))
	f.text(r.Reservation)
	f.number(r.Version)
	f.text(string(r.To))
	for _, l := range r.Lines {
		f.text(l.Line)
		f.number(l.Quantity)
	}
	return f.sum()
}

// returning is what the script of a return takes beside what all transitions have.
type returning struct {
	request     *ReturnRequest
	fingerprint string
	record      string // of the ledger, where Redis has forgotten it
}

func (r *returning) Arguments(b *shard.Batch) {
	b.Add(r.request.ID, r.fingerprint, string(r.request.To), r.record)
}
