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

// Confirm makes a held reservation a sale. It is safe to repeat: a confirmed one is answered as it
// is. One whose deadline has passed keeps its units if they were not given back; else it takes them
// again where they came from, or is refused, so that the caller can refund. TransitionRequest.Lines
// must be empty.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding, ErrNotFound, ErrIDConflict,
// *WrongStateError, *VersionError, *PurchaseLimitError, *InsufficientError, ErrNotDurable. With the last the hold can't lapse
// any more, and the call can be repeated. One round trip, shared with its batch, and the wait for the
// ledger.
func (s *Store) Confirm(ctx context.Context, r TransitionRequest) (Result, error) {
	if len(r.Lines) > 0 {
		return Result{}, &InvalidError{Faults: []Fault{{Path: "/lines", Message: "a reservation is confirmed whole"}}}
	}
	return s.transition(ctx, VerbConfirm, r)
}

// Release gives units back to sale: all that are left, or those of Lines. Of a confirmed reservation
// it gives back what is not yet fulfilled. A partial release keeps the state and lowers the lines'
// quantity; it needs Version, so that a repeat is known as such. It is safe to repeat.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding, ErrNotFound, *WrongStateError,
// *VersionError, *InvalidError (a line it does not have, more than a line has left). One round trip,
// shared with its batch.
func (s *Store) Release(ctx context.Context, r TransitionRequest) (Result, error) {
	return s.transition(ctx, VerbRelease, r)
}

// Fulfill records that committed units have left: all, or those of Lines, which needs Version. The
// reservation stays confirmed until nothing is left. It is safe to repeat.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding, ErrNotFound, *WrongStateError,
// *VersionError, *InvalidError (a line it does not have, more than a line has left),
// *InsufficientError (on hand would fall below zero). One round trip, shared with its batch.
func (s *Store) Fulfill(ctx context.Context, r TransitionRequest) (Result, error) {
	return s.transition(ctx, VerbFulfill, r)
}

func (s *Store) transition(ctx context.Context, verb Verb, r TransitionRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(verb, started, result.Replay, err) }()
	if err := r.validate(); err != nil {
		return Result{}, err
	}
	return s.transit(ctx, &transitionCall{verb: verb, request: &r}, r.refused)
}

// transit sends a transition and waits for the ledger where it must; refused turns what the script refuses
// into errors.
func (s *Store) transit(ctx context.Context, call *transitionCall, refused func(Verb, shard.Answer) error) (result Result, err error) {
	verb, id := call.verb, call.request.ID
	if s.options.Ledger == nil {
		call.settled = settledAlways
	}
	a := s.settle(ctx, call, s.send(ctx, verb, call))
	if a.Err != nil {
		return Result{}, fmt.Errorf("%s %q: %w", verb, id, a.Err)
	}
	if a, err = s.forgotten(ctx, call, a); err != nil {
		return Result{}, err
	}
	switch a.Status {
	case wire.StatusDone, wire.StatusRepeat:
		result, err = s.result(id, a, a.Status == wire.StatusRepeat)
		result.DurableCall = verb == VerbConfirm || verb == VerbFulfill || verb == VerbReturn
	case wire.StatusDoneDurable, wire.StatusRepeatDurable:
		result, err = s.result(id, a, a.Status == wire.StatusRepeatDurable)
		result.DurableCall = true
	default:
		return Result{}, refused(verb, a)
	}
	if err != nil || !result.DurableCall {
		return result, err
	}
	if err := s.await(ctx, result.awaited); err != nil {
		return Result{}, fmt.Errorf("%s %q: %w", verb, id, call.decided(a, err))
	}
	result.Durable = s.durable()
	return result, nil
}

// decided is what a call is told where the ledger has refused the step that it waited for. A repeat may have waited
// for a later step, of another call: its own stands, and it is to be repeated.
func (c *transitionCall) decided(a shard.Answer, refusal error) error {
	rec, err := wire.DecodeRecord(a.Payload)
	if err != nil || errors.Is(refusal, ErrNotDurable) || strings.HasPrefix(rec.Transition, string(c.verb)+"/") {
		return refusal
	}
	return undoing("a later step", refusal)
}

// refused turns the refusals that speak of lines into errors; the others are common to all verbs.
func (r *TransitionRequest) refused(verb Verb, a shard.Answer) error {
	f := wire.FieldReader{Rest: a.Payload}
	switch a.Status {
	case wire.StatusUnknownLine:
		part := f.Number() - 1
		return &InvalidError{Faults: []Fault{{
			Path: "/lines/" + strconv.FormatInt(part, 10) + "/line", Message: "the reservation has no such line",
		}}}
	case wire.StatusExceeds:
		part, left := f.Number()-1, f.Number()
		return &InvalidError{Faults: []Fault{{
			Path:    "/lines/" + strconv.FormatInt(part, 10) + "/quantity",
			Message: fmt.Sprintf("the line has %d left", left),
		}}}
	case wire.StatusInsufficient:
		return r.insufficient(verb, a.Payload)
	case wire.StatusPurchaseLimit:
		head, _, _ := strings.Cut(a.Payload, wire.GroupSeparator)
		f := wire.FieldReader{Rest: head}
		limit := &PurchaseLimitError{Campaign: f.Text(), Limit: f.Number(), Taken: f.Number()}
		if f.Failed {
			return fmt.Errorf("%s %q: answered %q: %w", verb, r.ID, head, ErrCorrupt)
		}
		return limit
	default:
		return refusal(verb, r.ID, a)
	}
}

// insufficient reads shortages of lines that the record, which follows them, tells more about.
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

// transitionCall is a TransitionRequest as its script takes it.
type transitionCall struct {
	verb    Verb
	request *TransitionRequest
	settled string       // the version that the ledger has; "" is not known
	move    *MoveRequest // of a move
	back    *returning   // of a return
}

// settledAlways stands for every version: there is no ledger that decides.
const settledAlways = "*"

func (c *transitionCall) ID() string { return c.request.ID }

func (c *transitionCall) Weight() int { return 1 + len(c.request.Lines) }

func (c *transitionCall) Arguments(b *shard.Batch) {
	b.Add(versionText(c.request.Version), c.mark())
	if c.verb == VerbConfirm {
		return
	}
	if c.move != nil {
		b.Add(c.settled, c.move.Line, string(c.move.To), shard.AsFlag(c.move.barred != ""))
		return
	}
	b.Add(c.settled)
	if c.back != nil {
		c.back.Arguments(b)
	}
	b.Add(strconv.Itoa(len(c.request.Lines)))
	for _, l := range c.request.Lines {
		b.Add(l.Line, strconv.FormatInt(l.Quantity, 10))
	}
}

// mark is the transition that a record keeps, by which this call is known again.
func (c *transitionCall) mark() string {
	mark := string(c.verb) + "/" + versionText(c.request.Version)
	if len(c.request.Lines) > 0 {
		mark += "/" + c.request.fingerprint()
	}
	if c.move != nil {
		mark += "/" + c.move.fingerprint()
	}
	return mark
}

func versionText(version int64) string {
	if version == 0 {
		return ""
	}
	return strconv.FormatInt(version, 10)
}

// Extend moves the deadline of a held reservation to now + TTL. It is safe to repeat: without
// Version each call counts from its own now; with it a repeat changes nothing.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding, ErrNotFound, *WrongStateError
// (also where the deadline has passed), *VersionError, ErrNotDurable (Redis does not have it, and the ledger
// does not answer). One round trip, shared with its batch, and one to the ledger for what Redis has forgotten.
func (s *Store) Extend(ctx context.Context, r ExtendRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(VerbExtend, started, result.Replay, err) }()
	if err := r.validate(s.options.TTLMax); err != nil {
		return Result{}, err
	}
	if r.TTL == 0 {
		r.TTL = s.options.TTL
	}
	a := s.send(ctx, VerbExtend, &extendCall{request: &r})
	switch {
	case a.Err != nil:
		return Result{}, fmt.Errorf("extend %q: %w", r.ID, a.Err)
	case a.Status == wire.StatusDone || a.Status == wire.StatusRepeat:
		return s.result(r.ID, a, a.Status == wire.StatusRepeat)
	case a.Status == wire.StatusNotFound && s.options.Ledger != nil:
		return Result{}, s.forgottenHold(ctx, r.ID, a)
	default:
		return Result{}, refusal(VerbExtend, r.ID, a)
	}
}

// forgottenHold says why what Redis does not have can't be extended: what it has forgotten is held no more.
func (s *Store) forgottenHold(ctx context.Context, id string, a shard.Answer) error {
	rec, err := s.options.Ledger.Reservation(ctx, id)
	switch {
	case err != nil:
		return fmt.Errorf("%s %q: %w", VerbExtend, id, err)
	case rec.State == StateHeld || rec.State == StateConfirmed: // made since, or lost
		return refusal(VerbExtend, id, a)
	default:
		return &WrongStateError{State: rec.State}
	}
}

// extendCall is an ExtendRequest as its script takes it.
type extendCall struct{ request *ExtendRequest }

func (c *extendCall) ID() string { return c.request.ID }

func (c *extendCall) Weight() int { return 1 }

func (c *extendCall) Arguments(b *shard.Batch) {
	version, ttl := versionText(c.request.Version), strconv.FormatInt(c.request.TTL.Milliseconds(), 10)
	b.Add(version, "extend/"+version+"/"+ttl, ttl)
}

// refusal is the one place that turns the words common to the scripts into errors.
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
			return &WrongStateError{State: ReservationOf(rec, id, a.Now).State}
		default:
			return &VersionError{Current: rec.Version}
		}
	default:
		return fmt.Errorf("%s %q: answered %q: %w", verb, id, a.Status, ErrCorrupt)
	}
}
