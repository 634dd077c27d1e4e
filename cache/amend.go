package cache

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// AmendRequest asks to change the lines of a reservation.
type AmendRequest struct {
	ID      string
	Version int64           // the version that the reservation must have; 0 allows any. It or Operation is required
	Lines   []LineAmendment // 1 to AmendLinesMax, unique by Line; other lines stay as they are

	// Operation is the id of the amend, which makes it an operation, and its idempotency key. Optional.
	Operation string

	// NotAfter is the last moment at which the call may change anything, by the clock of this process.
	// A later call is refused and changes nothing, even if it is a repeat. Zero is no bound.
	NotAfter time.Time

	// ShipTo, Pickup and Split are those of the reservation, for a Store without a ledger. With a
	// ledger they must be empty: the ledger keeps them.
	ShipTo *location.Address
	Pickup location.ID
	Split  location.Split
}

// LineAmendment is one line of an AmendRequest.
type LineAmendment struct {
	Line     string
	Quantity int64        // of the line from now on, with what has left: units or kits, 0 to QuantityMax; 0 removes it
	SKU      location.SKU // required for a new line; else optional, and must be the line's
	Location location.ID  // optional: the only location that may serve what is added

	// Backorder lets a new line take its units even if they are not available, as with Reserve. Other
	// lines keep what they were taken with: one that may be backordered gets units that are not
	// available where it has some already.
	Backorder bool
}

// Amend sets quantities of lines, adds lines and removes lines of a held or confirmed reservation: all
// of it, or nothing. The deadline does not move.
//
// Additional units of a line come from the locations that serve it already. If these have too few,
// Amend goes by the channel, the address and the split of the reservation, as Reserve does. With
// SplitUnits only the missing units come from elsewhere. Otherwise the whole line does, unless units
// of it have left. With SplitNever all lines with additional units move, unless another line stays
// where it is. The campaigns of the present directory count a line with additional units, up to its
// new quantity. Units that a line loses are given back by the location that was added last.
//
// A confirmed reservation of which nothing is left to ship becomes fulfilled. If units are short,
// Amend first gives back the units of overdue holds.
//
// Amend is safe to repeat: with the same Operation for ever, with the same Version before any other
// step.
//
// Errors, in order of precedence:
//   - *InvalidError: the request by itself
//   - *ExpiredRequestError
//   - ErrNotDurable, with an Operation, if the ledger does not answer; nothing was changed
//   - ErrIDConflict, if the ledger has another operation with the id Operation
//   - ErrRebuilding
//   - ErrNotFound, or ErrNotDurable if Redis does not have the ID and the ledger does not answer
//   - ErrIDConflict, if the ID or Operation belongs to another
//   - *WrongStateError, if it is neither confirmed nor held before its deadline
//   - *VersionError
//   - ErrNotDurable, if the ledger has not decided the step before
//   - *InvalidError, if a new line has no SKU, a line is of another SKU, there would be too many
//     lines, or no units would be left
//   - *FulfilledError, if a line would have fewer units than have left
//   - ErrNotDurable, if a line needs another location and the ledger does not answer
//   - *InvalidError: what only the directory rules out, as for Reserve
//   - *NotOnSaleError, if a campaign that counts more units has not started, or is over
//   - *UnknownStockError
//   - *NoLocationError
//   - *PurchaseLimitError or *CampaignSoldOutError
//   - *InsufficientError: also if the ledger says that the units of a confirmed reservation do not exist
//   - ErrNotDurable, for a confirmed reservation, if the ledger did not decide in time; repeat
//
// Amend costs two round trips, each shared with its batch. It costs one more, and one to the ledger,
// if a line needs another location or is new, and what Reserve costs more if it is refused. An
// Operation costs one to the ledger. The amend of a confirmed reservation also costs the wait for
// the ledger.
func (s *Store) Amend(ctx context.Context, r AmendRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(VerbAmend, started, result.Replay, err) }()
	if err := r.validate(s.options.Ledger != nil); err != nil {
		return Result{}, err
	}
	if err := s.inTime(r.NotAfter); err != nil {
		return Result{}, err
	}
	call := &transitionCall{
		verb: VerbAmend, request: &TransitionRequest{ID: r.ID, Version: r.Version, NotAfter: r.NotAfter}, amend: &amendCall{request: &r},
	}
	if r.Operation != "" {
		call.operation, call.fingerprint = r.Operation, r.fingerprint()
	}
	return s.transit(ctx, call, call.amend.refused)
}

func (r *AmendRequest) validate(ledger bool) error {
	var f faults
	f.identifier("/id", r.ID)
	f.repeatable(r.Version, r.Operation)
	f.version("/version", r.Version)
	f.optional("/operation", r.Operation)
	if ledger && (r.ShipTo != nil || r.Pickup != "" || r.Split != "") {
		f.add("/ship_to", "must not be given, nor pickup or split: the ledger has those of the reservation")
	}
	if r.ShipTo != nil {
		f.address("/ship_to", r.ShipTo)
	}
	f.optional("/pickup", string(r.Pickup))
	if len(r.Lines) < 1 || len(r.Lines) > AmendLinesMax {
		f.add("/lines", "has %d lines, must have from 1 to %d", len(r.Lines), AmendLinesMax)
		return f.err()
	}
	for i := range r.Lines {
		l := &r.Lines[i]
		path := linePath(i)
		f.identifier(path+"/line", l.Line)
		f.optional(path+"/sku", string(l.SKU))
		f.count(path+"/quantity", &l.Quantity)
		f.optional(path+"/location", string(l.Location))
		f.lineTwice(i, func(j int) string { return r.Lines[j].Line })
	}
	return f.err()
}

// fingerprint identifies what the caller sent, without the id of the operation.
func (r *AmendRequest) fingerprint() string {
	f := fingerprinter{}
	f.text(string(VerbAmend))
	f.text(r.ID)
	f.number(r.Version)
	f.number(int64(len(r.Lines)))
	for i := range r.Lines {
		l := &r.Lines[i]
		f.text(l.Line)
		f.number(l.Quantity)
		f.text(string(l.SKU))
		f.text(string(l.Location))
		if l.Backorder {
			f.field("backorder")
		}
	}
	f.address(r.ShipTo)
	f.text(string(r.Pickup))
	f.text(string(r.Split))
	return f.sum()
}

// amendCall is the part of a transitionCall that only an amend has.
type amendCall struct {
	request *AmendRequest
	of      *amendment    // the record that the plan is made for
	plan    *amendPlan    // nil: the script answers the record
	known   *locations    // by which it is made
	details *wire.Details // of the reservation; nil if they are not known yet
}

// planned sends an amend again with a plan, as often as the script asks for one, until its answer is
// final.
func (s *Store) planned(ctx context.Context, c *transitionCall, a shard.Answer) (shard.Answer, error) {
	for range reroutesMax {
		if a.Err != nil {
			return a, nil
		}
		switch known := c.amend.known; {
		case a.Status == wire.StatusElsewhere:
			if err := s.lookAt(ctx, c, a); err != nil {
				return a, err
			}
		case a.Status == wire.StatusNoLocation:
			if err := s.explain(ctx, &c.amend.plan.more); err != nil {
				return a, err
			}
		case a.Status == wire.StatusInsufficient && known.stale(a.Locations):
			s.locationList.current.CompareAndSwap(known, nil)
		default:
			return a, nil
		}
		if err := s.makePlan(ctx, c.amend); err != nil {
			return a, err
		}
		a = s.forgotten(ctx, c, s.settle(ctx, c, s.send(ctx, c.verb, c)))
	}
	return a, fmt.Errorf("%w: the reservation or the locations keep changing", ErrUnavailable)
}

// makePlan plans an amend by the directory, or by the list of locations without one.
func (s *Store) makePlan(ctx context.Context, c *amendCall) (err error) {
	if c.known, err = s.locations(ctx, time.Now().Add(s.options.Timeout)); err != nil {
		return err
	}
	c.plan, err = c.of.plan(c.known.rules, c.details)
	return err
}

// lookAt takes the record from an answer that asks for a plan. It reads the reservation's details if
// the plan needs them: for a new line, or because the plan before was made for the same record.
func (s *Store) lookAt(ctx context.Context, c *transitionCall, a shard.Answer) error {
	rec, err := wire.DecodeRecord(a.Payload)
	if err != nil {
		return err
	}
	short := c.amend.plan != nil && c.amend.plan.version == rec.Version
	if c.amend.of, err = newAmendment(c.amend.request, &rec); err != nil {
		return err
	}
	if c.amend.details == nil && (short || c.amend.of.needsRouting()) {
		c.amend.details, err = s.details(ctx, c.amend.request, awaited(rec, c.request.ID, a.Epoch))
	}
	return err
}

// details reads what the ledger keeps of how a reservation is routed. If the ledger does not have the
// reservation yet, it waits for it. Without a ledger the request says it.
func (s *Store) details(ctx context.Context, r *AmendRequest, step wire.Awaited) (*wire.Details, error) {
	if s.options.Ledger == nil {
		return &wire.Details{Destination: wire.Destination{ShipTo: r.ShipTo, Pickup: r.Pickup}, Split: r.Split}, nil
	}
	d, err := s.options.Ledger.Details(ctx, r.ID)
	if errors.Is(err, ErrNotFound) || err == nil && d.CreationNonce != step.Step.CreationNonce {
		if err = s.await(ctx, step); err != nil {
			return nil, undoing("the step before this one", err)
		}
		d, err = s.options.Ledger.Details(ctx, r.ID)
	}
	return &d, err
}

// refused turns the refusals that name lines or limits into errors, and leaves the others to refusal.
func (c *amendCall) refused(verb Verb, a shard.Answer) error {
	switch a.Status {
	case wire.StatusInsufficient:
		return c.of.insufficient(a.Payload)
	case wire.StatusTooManyParts:
		return tooManyParts()
	case wire.StatusNotOnSale:
		return c.plan.more.notOnSale(time.UnixMilli(a.Now))
	case wire.StatusPurchaseLimit:
		f := wire.FieldReader{Rest: a.Payload}
		err := decodeLimitError(&f)
		if f.Failed {
			return fmt.Errorf("%s %q: answered %q: %w", verb, c.request.ID, a.Payload, ErrCorrupt)
		}
		return err
	default:
		return refusal(verb, c.request.ID, a)
	}
}
