package cache

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// TransitionRequest asks to confirm, release or fulfill a reservation.
type TransitionRequest struct {
	ID      string
	Version int64          // the version that the reservation must have; 0 allows any. With Lines it or Operation is required
	Lines   []LineQuantity // release and fulfill only these units; empty means all. Not for Confirm

	// NotAfter is the last moment at which Confirm may be made, by the clock of this process: a late
	// Confirm would take the units of an expired hold again. A later call is refused and changes
	// nothing, even if it is a repeat. Zero is no bound. Not for Release and Fulfill, which take none.
	NotAfter time.Time

	// Operation is the id of the release or fulfill, which makes it an operation, and its idempotency
	// key. Optional. Not for Confirm.
	Operation string
}

// LineQuantity is a number of units of one line, or of kits.
type LineQuantity struct {
	Line     string
	Quantity int64 // 1 to QuantityMax
}

// Confirm makes a held reservation a sale. TransitionRequest.Lines and Operation must be empty. If
// the deadline has passed, the reservation keeps its units unless they were given back. An expired reservation
// takes its units again at the same locations, all or none. If they are gone, refund the customer.
// If Redis has forgotten it, Confirm uses the ledger's record.
//
// Confirm is safe to repeat: a confirmed reservation is answered as it is now.
//
// Errors, in order of precedence:
//   - *InvalidError
//   - *ExpiredRequestError
//   - ErrRebuilding
//   - ErrNotFound, or ErrNotDurable if Redis does not have the ID and the ledger does not answer
//   - ErrIDConflict, if the ledger has another reservation with this ID
//   - *WrongStateError, if it is released or fulfilled
//   - *VersionError
//   - *PurchaseLimitError or *CampaignSoldOutError, if it had expired and others were sold since
//   - *InsufficientError, if it had expired and the units are gone, or if the ledger says that they
//     do not exist
//   - ErrNotDurable, if the ledger did not decide in time; the hold can't lapse any more, so repeat
//
// Confirm costs one round trip, shared with its batch, and the wait for the ledger. It costs one
// more, and one to the ledger, if Redis does not have the ID.
func (s *Store) Confirm(ctx context.Context, r TransitionRequest) (Result, error) {
	if len(r.Lines) > 0 {
		return Result{}, invalid("/lines", "must be empty: a reservation is confirmed whole")
	}
	if r.Operation != "" {
		return Result{}, invalid("/operation", "must be empty: a confirmed reservation is known by its own id")
	}
	return s.transition(ctx, VerbConfirm, r)
}

// Release gives units back to sale: all that are left, or those of Lines. Of a confirmed
// reservation it gives back what is not fulfilled. A release of some units keeps the state, lowers
// the quantity of the lines and requires Version or Operation, so that a repeat is recognised.
//
// Release is safe to repeat. With an Operation the repeat changes nothing and answers the
// reservation as it is now, whatever happened to it since. With Lines and no Operation the repeat
// must have the same Version, and follow before any other step.
//
// Errors, in order of precedence:
//   - *InvalidError
//   - ErrNotDurable, with an Operation, if the ledger does not answer; nothing was changed
//   - ErrIDConflict, if the ledger has another operation with the id Operation
//   - ErrRebuilding
//   - ErrNotFound, or ErrNotDurable if Redis does not have the ID and the ledger does not answer
//   - ErrIDConflict, if the ID or Operation belongs to another
//   - *WrongStateError, if it is expired, overdue or fulfilled
//   - *VersionError
//   - ErrNotDurable, if the ledger has not decided the step before
//   - *InvalidError, if there is no such line, or the line has fewer units left
//   - ErrNotDurable, for a confirmed reservation, if the ledger did not decide in time; repeat
//
// Release costs one round trip, shared with its batch. With a ledger, the release of a confirmed
// reservation costs two, and the wait for the ledger. An Operation costs one to the ledger.
func (s *Store) Release(ctx context.Context, r TransitionRequest) (Result, error) {
	return s.transition(ctx, VerbRelease, r)
}

// Fulfill records that committed units have left: all, or those of Lines, which requires Version or
// Operation. The reservation stays confirmed until nothing is left.
//
// Fulfill is safe to repeat, as Release is.
//
// Errors, in order of precedence:
//   - *InvalidError
//   - ErrNotDurable, with an Operation, if the ledger does not answer; nothing was changed
//   - ErrIDConflict, if the ledger has another operation with the id Operation
//   - ErrRebuilding
//   - ErrNotFound, or ErrNotDurable if Redis does not have the ID and the ledger does not answer
//   - ErrIDConflict, if the ID or Operation belongs to another
//   - *WrongStateError, if it is not confirmed
//   - *VersionError
//   - ErrNotDurable, if the ledger has not decided the step before
//   - *InvalidError, if there is no such line, or the line has fewer units left
//   - *InsufficientError, if on hand would fall below zero
//   - ErrNotDurable, if the ledger did not decide in time; repeat
//
// Fulfill costs two round trips, each shared with its batch, and the wait for the ledger. Without a
// ledger it costs one round trip. An Operation costs one more to the ledger.
func (s *Store) Fulfill(ctx context.Context, r TransitionRequest) (Result, error) {
	return s.transition(ctx, VerbFulfill, r)
}

func (s *Store) transition(ctx context.Context, verb Verb, r TransitionRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(verb, started, result.Replay, err) }()
	if err := r.validate(verb); err != nil {
		return Result{}, err
	}
	if err := s.inTime(r.NotAfter); err != nil {
		return Result{}, err
	}
	call := &transitionCall{verb: verb, request: &r}
	if r.Operation != "" {
		call.operation, call.fingerprint = r.Operation, stepFingerprint(verb, r.ID, r.Version, "", r.Lines...)
	}
	return s.transit(ctx, call, r.refused)
}

// transit sends a transition, and waits for the ledger if the transition is durable. If the ledger
// has the transition's operation, it answers from there. refused turns a refusal of the script into
// an error.
func (s *Store) transit(ctx context.Context, call *transitionCall, refused func(Verb, shard.Answer) error) (Result, error) {
	verb, id := call.verb, call.request.ID
	ctx, cancel := s.within(ctx, s.options.DurableWait)
	defer cancel()
	if s.options.Ledger == nil {
		call.settled = settledAlways
	}
	if result, known, err := s.operatedBefore(ctx, call); known || err != nil {
		return result, err
	}
	if call.unknown != nil { // after the ledger has been asked: what was done stays done
		var f faults
		if call.unknown(&f); f.err() != nil {
			return Result{}, f.err()
		}
	}
	a := s.forgotten(ctx, call, s.settle(ctx, call, s.send(ctx, verb, call)))
	if call.amend != nil {
		var err error
		if a, err = s.planned(ctx, call, a); errors.Is(err, ErrInvalid) || errors.Is(err, ErrFulfilled) {
			return Result{}, err
		} else if err != nil {
			return Result{}, fmt.Errorf("%s %q: %w", verb, id, err)
		}
	}
	if a.Err != nil {
		return Result{}, fmt.Errorf("%s %q: %w", verb, id, a.Err)
	}
	status, durable := strings.CutSuffix(a.Status, "_durable")
	if status != wire.StatusDone && status != wire.StatusRepeat {
		return Result{}, refused(verb, a)
	}
	result, err := s.result(id, a, status == wire.StatusRepeat)
	if err != nil {
		return Result{}, err
	}
	result.DurableCall = durable || call.waits(&result)
	if result.DurableCall {
		if err := s.await(ctx, result.awaited); err != nil {
			return Result{}, fmt.Errorf("%s %q: %w", verb, id, call.undecided(a, err))
		}
		result.Durable = s.durable()
	}
	s.countBackordered(ctx, time.Now().Add(s.options.Timeout), &result.Reservation)
	return result, nil
}

// operatedBefore answers a transition whose operation the ledger has. known is false if the ledger
// does not have it, or the transition has no operation.
func (s *Store) operatedBefore(ctx context.Context, c *transitionCall) (result Result, known bool, err error) {
	if c.operation == "" {
		return Result{}, false, nil
	}
	if _, known, err = s.operated(ctx, c.operation, c.fingerprint); err != nil {
		return Result{}, false, fmt.Errorf("%s %q: %w", c.verb, c.operation, err)
	}
	if !known {
		return Result{}, false, nil
	}
	found, err := s.Reservation(ctx, c.request.ID)
	if err != nil {
		return Result{}, false, err
	}
	result = Result{Reservation: found, Replay: true}
	result.DurableCall = c.waits(&result)
	result.Durable = result.DurableCall && s.durable()
	return result, true, nil
}

// waits reports whether the answer of a call waits for the ledger, whatever the script says. The
// repeat of an operation does unless the reservation is a hold, or was one that expired.
func (c *transitionCall) waits(r *Result) bool {
	switch c.verb {
	case VerbConfirm, VerbFulfill, VerbReturn, VerbUnfulfill, VerbDescribe:
		return true
	default:
		return c.operation != "" && r.Replay && r.State != StateHeld && r.State != StateExpired
	}
}

// undecided returns the error of a call whose wait failed. A repeat may have waited for a later
// step, of another call. Its own step stands then, and the caller must repeat.
func (c *transitionCall) undecided(a shard.Answer, refusal error) error {
	rec, err := wire.DecodeRecord(a.Payload)
	own := strings.HasPrefix(rec.Transition, string(c.verb)+"/")
	if c.operation != "" {
		own = rec.LastCall() == c.mark()
	}
	if err != nil || errors.Is(refusal, ErrNotDurable) || own {
		return refusal
	}
	return undoing("a later step", refusal)
}

// transitionCall is a TransitionRequest as its script takes it.
type transitionCall struct {
	verb        Verb
	request     *TransitionRequest
	settled     string         // the version that the ledger has decided; "" if it is not known
	operation   string         // id of the operation; "" if it has none
	fingerprint string         // of the operation's request, without that id
	unknown     func(*faults)  // if not nil, adds the locations that the directory lacks
	record      string         // of a confirm, return or unfulfill: the ledger's, if Redis has forgotten it; else ""
	move        *MoveRequest   // for a move
	back        *backArguments // for a return or an unfulfill
	described   *description   // for a describe
	amend       *amendCall     // for an amend
}

// settledAlways stands for every version: there is no ledger to decide.
const settledAlways = "*"

func (c *transitionCall) ID() string { return c.request.ID }

func (c *transitionCall) Weight() int {
	if c.amend != nil {
		return 1 + c.amend.plan.weight()
	}
	return 1 + len(c.request.Lines)
}

func (c *transitionCall) NotAfter() time.Time { return c.request.NotAfter }

func (c *transitionCall) Arguments(b *shard.Batch) {
	b.Add(versionText(c.request.Version), c.mark())
	if c.verb == VerbConfirm {
		b.Add(c.record)
		return
	}
	if c.described != nil {
		b.Add(c.settled)
		c.described.Arguments(b)
		return
	}
	b.Add(c.settled, c.operation, c.fingerprint)
	if c.move != nil {
		b.Add(c.move.Line, string(c.move.To), shard.AsFlag(c.move.barred != ""))
		return
	}
	if c.amend != nil {
		c.amend.plan.arguments(b)
		return
	}
	if c.back != nil {
		b.Add(string(c.back.to), c.record)
	}
	b.Add(strconv.Itoa(len(c.request.Lines)))
	for _, l := range c.request.Lines {
		b.Add(l.Line, strconv.FormatInt(l.Quantity, 10))
	}
}

// mark is the transition that the record keeps. The script recognises a repeat by it, unless it has
// an operation.
func (c *transitionCall) mark() string {
	mark := string(c.verb) + "/" + versionText(c.request.Version)
	if c.operation != "" {
		f := fingerprinter{}
		f.text(c.operation)
		f.text(c.fingerprint)
		return mark + "/" + f.sum()
	}
	if len(c.request.Lines) > 0 {
		mark += "/" + c.request.fingerprint()
	}
	if c.amend != nil {
		mark += "/" + c.amend.request.fingerprint()
	}
	if c.move != nil {
		mark += "/" + c.move.fingerprint()
	}
	if c.described != nil {
		mark += "/" + c.described.request.fingerprint()
	}
	return mark
}

func versionText(version int64) string {
	if version == 0 {
		return ""
	}
	return strconv.FormatInt(version, 10)
}

// refused turns the refusals that name lines into errors, and leaves the others to refusal.
func (r *TransitionRequest) refused(verb Verb, a shard.Answer) error {
	f := wire.FieldReader{Rest: a.Payload}
	var err error
	switch a.Status {
	case wire.StatusUnknownLine:
		err = invalid(linePath(int(f.Number()-1))+"/line", "the reservation has no such line")
	case wire.StatusExceeds:
		err = invalid(linePath(int(f.Number()-1))+"/quantity", "the line has %d left", f.Number())
	case wire.StatusInsufficient:
		return r.insufficient(verb, a.Payload)
	case wire.StatusPurchaseLimit:
		f.Rest, _, _ = strings.Cut(a.Payload, wire.GroupSeparator)
		err = decodeLimitError(&f)
	default:
		return refusal(verb, r.ID, a)
	}
	if f.Failed {
		return fmt.Errorf("%s %q: answered %q: %w", verb, r.ID, a.Payload, ErrCorrupt)
	}
	return err
}

// insufficient decodes the short lines, and takes their SKUs from the record that follows them.
func (r *TransitionRequest) insufficient(verb Verb, payload string) error {
	list, text, _ := strings.Cut(payload, wire.GroupSeparator)
	rec, err := wire.DecodeRecord(text)
	if err != nil {
		return fmt.Errorf("%s %q: %w", verb, r.ID, err)
	}
	shortages, err := decodeShortages(list, func(i int) (Shortage, bool) {
		if i < 1 || i > len(rec.Lines) {
			return Shortage{}, false
		}
		l := &rec.Lines[i-1]
		asked, each := int64(0), int64(1)
		for _, a := range l.From {
			asked += a.Quantity - a.Fulfilled
		}
		if l.Kit != nil {
			each = l.Kit.Each
		}
		for _, part := range r.Lines {
			if part.Line == l.Line {
				asked = part.Quantity * each
			}
		}
		return Shortage{Line: l.Line, SKU: l.SKU, Requested: asked}, true
	})
	if err != nil {
		return fmt.Errorf("%s %q: %w", verb, r.ID, err)
	}
	return &InsufficientError{Shortages: shortages}
}

// refusal turns the refusals that all scripts share into errors.
func refusal(verb Verb, id string, a shard.Answer) error {
	switch a.Status {
	case wire.StatusNotFound:
		return fmt.Errorf("%s %q: %w", verb, id, ErrNotFound)
	case wire.StatusConflict:
		return fmt.Errorf("%s %q: %w", verb, id, ErrIDConflict)
	case wire.StatusCorrupt:
		return fmt.Errorf("%s %q: %q: %w", verb, id, a.Payload, ErrCorrupt)
	case wire.StatusVersionConflict, wire.StatusWrongState:
		rec, err := wire.DecodeRecord(a.Payload)
		switch {
		case err != nil:
			return fmt.Errorf("%s %q: %w", verb, id, err)
		case a.Status == wire.StatusWrongState:
			return &WrongStateError{State: reservationOf(rec, id, a.Now).State}
		default:
			return &VersionError{Current: rec.Version}
		}
	default:
		return fmt.Errorf("%s %q: answered %q: %w", verb, id, a.Status, ErrCorrupt)
	}
}
