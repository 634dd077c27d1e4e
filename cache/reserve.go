package cache

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// ReserveRequest asks to take units out of sale until a deadline.
type ReserveRequest struct {
	ID       string            // the caller's id and idempotency key; required
	Channel  location.Channel  // sales channel; "" is the default one
	Customer string            // optional; searchable, and counted by campaigns
	Order    string            // optional; searchable
	ShipTo   *location.Address // optional; not together with Pickup
	Pickup   location.ID       // optional: the location that the customer collects from
	Prefer   []location.ID     // optional, at most PreferredMax: tried before the other candidates, in this order
	TTL      time.Duration     // until the deadline, whole seconds; 0 is Options.TTL
	Split    location.Split    // "" is the channel's
	Lines    []LineRequest     // 1 to LinesMax, unique by Line
	Metadata map[string]string // optional; written to the event, not kept in Redis

	// Identities of the customer are optional, such as a hashed card or a device. A purchase limit
	// counts each of them as it counts Customer, and refuses if one of them would exceed it. At most
	// IdentitiesMax.
	Identities []string

	// NotAfter is the last moment at which the call may take units, by the clock of this process. A
	// later call is refused and takes nothing, even if it is a repeat. Zero is no bound.
	NotAfter time.Time
}

// LineRequest is one line of a ReserveRequest.
type LineRequest struct {
	Line     string       // the order's line id; required, unique in the reservation
	SKU      location.SKU // required
	Quantity int64        // units, 1 to QuantityMax
	Location location.ID  // optional: the only location that may serve the line

	// Locations are the only ones that may serve the line, in the order in which they are tried, within
	// what the directory allows. Optional, at most PreferredMax, not together with Location.
	Locations []location.ID

	// Backorder takes the line even if its units are not available: it takes those that are, and the
	// rest from the first location in routed order. Level.Available falls below zero by as much.
	Backorder bool

	// ShipTo or Pickup, not both, is the line's own destination, in place of the request's: so one
	// reservation can be shipped in part and collected in part. Optional. The ledger keeps it.
	ShipTo *location.Address
	Pickup location.ID
}

// ownDestination reports whether the line has a destination of its own.
func (l *LineRequest) ownDestination() bool { return l.ShipTo != nil || l.Pickup != "" }

// reroutesMax bounds how often one call is routed. It is routed again if the list of locations
// changed.
const reroutesMax = 5

// Reserve takes units out of sale until a deadline: all lines or none.
//
// It is safe to repeat. The same id with the same request returns the reservation as it is now and
// takes nothing again, even after the reservation was confirmed, released or has expired, even if the
// directory has changed, and even if only the ledger still knows the id.
//
// Errors, in order of precedence:
//   - *InvalidError: the request by itself
//   - *ExpiredRequestError
//   - ErrRebuilding or ErrBacklogFull
//   - ErrIDConflict: the id belongs to another request
//   - *InvalidError: what only the directory rules out, such as an unknown channel or location, or
//     neither a customer nor identities although a campaign limits what one may have
//   - *NotOnSaleError
//   - *UnknownStockError
//   - *NoLocationError
//   - *PurchaseLimitError or *CampaignSoldOutError
//   - *InsufficientError
//
// After ErrUnavailable or an ended context the outcome is unknown: repeat with the same id.
//
// It costs one round trip, shared with the other calls of its batch. It costs one more, and one to
// the ledger, if Redis may have forgotten the id. It costs one more for the
// first call in a second that the first of several locations does not serve. A refusal costs one
// more each time that overdue holds, or a stale list of locations, may be the reason.
// *UnknownStockError and *NoLocationError cost at least two more. If a line has Backorder, the call
// and every later one on the reservation costs one more. With Options.SoldOutCache a call
// costs one more if units came back after a refusal.
func (s *Store) Reserve(ctx context.Context, r ReserveRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(VerbReserve, started, result.Replay, err) }()
	if err := r.validate(s.options.TTLMax); err != nil {
		return Result{}, err
	}
	if err := s.inTime(r.NotAfter); err != nil {
		return Result{}, err
	}
	call := &reserveCall{request: &r, until: started.Add(s.options.Timeout)}
	if result, known, err := s.usedBefore(ctx, call); err != nil || known {
		return result, err
	}
	for range reroutesMax {
		known, err := s.locations(ctx, call.until)
		if err != nil {
			return Result{}, err
		}
		unrouted := call.route(known.rules, s.options.TTL)
		if err := s.checkSoldOut(ctx, call, known); err != nil {
			return Result{}, err
		}
		sentAt := s.soldOut.now()
		a := s.sendReserve(ctx, call) // even if unrouted: its id may be known
		if a.Err != nil {
			return Result{}, fmt.Errorf("reserve %q: %w", r.ID, a.Err)
		}
		if unrouted != nil && a.Status != wire.StatusReplay && a.Status != wire.StatusConflict {
			return Result{}, unrouted
		}
		switch a.Status {
		case wire.StatusHeld:
			result, err := call.decodeHeld(a)
			s.countBackordered(ctx, call.until, &result.Reservation)
			return result, err
		case wire.StatusReplay:
			result, err := s.replayed(ctx, &r, a)
			s.countBackordered(ctx, call.until, &result.Reservation)
			return result, err
		case wire.StatusInsufficient:
			if !known.stale(a.Locations) {
				err := call.decodeInsufficient(a.Payload)
				s.soldOut.note(call, err, sentAt)
				return Result{}, err
			}
			s.locationList.current.CompareAndSwap(known, nil)
		case wire.StatusNoLocation:
			explaining, cancel := context.WithDeadlineCause(ctx, call.until, shard.ErrTimeout)
			err := s.explain(explaining, call)
			if cancel(); err != nil {
				return Result{}, err
			}
		case wire.StatusTooManyParts:
			return Result{}, tooManyParts()
		case wire.StatusNotOnSale:
			return Result{}, call.notOnSale(time.UnixMilli(a.Now))
		case wire.StatusPurchaseLimit:
			return Result{}, call.decodeLimit(a.Payload)
		default:
			return Result{}, refusal(VerbReserve, r.ID, a)
		}
	}
	return Result{}, fmt.Errorf("reserve %q: %w: the locations keep changing", r.ID, ErrUnavailable)
}

// sendReserve sends a reserve. If its first candidate alone can be the whole answer, it names only
// that one, and sends all candidates only if the first cannot serve the request.
func (s *Store) sendReserve(ctx context.Context, c *reserveCall) shard.Answer {
	if c.firstOnly = false; !c.firstMaySuffice() { // most calls have one candidate: they need no clock
		return s.sendUntil(ctx, c.until, VerbReserve, c)
	}
	now := time.Now().UnixMilli()
	c.firstOnly = !s.firstMisses.recent(c, now)
	a := s.sendUntil(ctx, c.until, VerbReserve, c)
	if a.Err == nil && a.Status == wire.StatusElsewhere {
		s.firstMisses.note(c, now)
		c.firstOnly = false
		a = s.sendUntil(ctx, c.until, VerbReserve, c)
	}
	return a
}

// simpleLinesMax bounds the lines of a request that names only its first candidate, and of one that
// may be probed. The reserve script decides as many lines without building tables.
const simpleLinesMax = 8

// firstMaySuffice reports whether the first candidate is the answer if it serves every line whole.
// It is if the lines have the same candidates in the same order, and only that ranks the first.
func (c *reserveCall) firstMaySuffice() bool {
	if len(c.lines) > simpleLinesMax {
		return false
	}
	for i := range c.lines {
		l := &c.lines[i]
		alone := len(l.candidates.Groups) == 0 || l.candidates.Groups[0] == 1
		asked := &c.request.Lines[i]
		own := asked.Location != "" || (len(asked.Locations) > 0 || asked.ownDestination()) && len(c.lines) > 1
		if l.kit != nil || len(l.levels) < 2 || own || !alone {
			return false
		}
	}
	return true
}

// firstMisses remembers for a second which SKUs their first candidate did not serve. Calls for them
// name all candidates at once, which saves the second round trip.
type firstMisses struct {
	seed  maphash.Seed
	until [1 << 12]atomic.Int64 // by hash of the SKU: Unix ms; a collision costs a longer call
}

// firstMissFor is how long a miss is remembered.
const firstMissFor = time.Second

// recent reports whether the first candidate of a line was missed not long ago.
func (m *firstMisses) recent(c *reserveCall, now int64) bool {
	for i := range c.request.Lines {
		if m.slot(c.request.Lines[i].SKU).Load() > now {
			return true
		}
	}
	return false
}

func (m *firstMisses) note(c *reserveCall, now int64) {
	for i := range c.request.Lines {
		m.slot(c.request.Lines[i].SKU).Store(now + firstMissFor.Milliseconds())
	}
}

func (m *firstMisses) slot(sku location.SKU) *atomic.Int64 {
	return &m.until[maphash.String(m.seed, string(sku))%uint64(len(m.until))]
}

// send queues a request until its answer is final, within Options.Timeout.
func (s *Store) send(ctx context.Context, verb Verb, r shard.Request) shard.Answer {
	return s.sendUntil(ctx, time.Now().Add(s.options.Timeout), verb, r)
}

// sendUntil queues a request until its answer is final, or until a moment. It expires overdue holds and
// sends the request again as long as their units may help it.
func (s *Store) sendUntil(ctx context.Context, until time.Time, verb Verb, r shard.Request) shard.Answer {
	for {
		a := s.shard.Do(ctx, until, verb, r)
		if a.Err != nil {
			return a
		}
		s.locationList.noteVersion(a.Locations)
		if a.Status == wire.StatusCorrupt {
			a.Err = s.shard.Damage(ctx)
		}
		if a.Status != wire.StatusMoreDue {
			return a
		}
		expiring, cancel := context.WithDeadlineCause(ctx, until, shard.ErrTimeout)
		_, _, err := s.Expire(expiring)
		if cancel(); err != nil {
			return shard.Answer{Err: err}
		}
	}
}

// decodeHeld returns the reservation that a "held" answer made. The answer names only the
// candidates that serve each line; the rest is in the request.
func (c *reserveCall) decodeHeld(a shard.Answer) (Result, error) {
	r := c.request
	res := Reservation{
		ID: r.ID, State: StateHeld, Version: 1,
		CreatedAt: time.UnixMilli(a.Now).UTC(), ExpiresAt: time.UnixMilli(a.Now + c.ttl).UTC(),
		Channel: r.Channel, Customer: r.Customer, Order: r.Order, Lines: make([]Line, len(r.Lines)),
	}
	if channel := c.routing.Channel(); channel != "" {
		res.Channel = channel
	}
	if len(r.Identities) > 0 && slices.ContainsFunc(c.limits, func(use limitUse) bool { return use.Identity != "" }) {
		res.Identities = slices.Clone(r.Identities)
	}
	payload := a.Payload
	for i := range r.Lines {
		var part string
		part, payload, _ = strings.Cut(payload, wire.RecordSeparator)
		from, err := c.lines[i].decodeFrom(part, r.Lines[i].Quantity)
		if err != nil {
			return Result{}, fmt.Errorf("reserve %q: %w", r.ID, err)
		}
		l := &r.Lines[i]
		res.Lines[i] = Line{
			Line: l.Line, SKU: l.SKU, Requested: l.Quantity, Quantity: l.Quantity, From: from,
			Components: c.lines[i].components(l.Quantity, from), Backorder: l.Backorder,
		}
	}
	return Result{Reservation: res}, nil
}

// decodeFrom reads "candidate units candidate units …", or one candidate that serves the whole
// quantity.
func (l *reserveLine) decodeFrom(part string, quantity int64) ([]Allocation, error) {
	from := make([]Allocation, 0, 1)
	for f := (wire.FieldReader{Rest: part}); !f.End; {
		name, units := f.Text(), quantity
		if !f.End {
			units = f.Number()
		}
		i := slices.Index(l.names, name)
		if i < 0 || f.Failed {
			return nil, fmt.Errorf("answer %q: %w", part, ErrCorrupt)
		}
		from = append(from, Allocation{Location: l.candidates.IDs[i], Quantity: units})
	}
	return from, nil
}

// components returns the components of the kits from some locations, or nil if the SKU is no kit.
func (l *reserveLine) components(kits int64, from []Allocation) []Component {
	if l.kit == nil {
		return nil
	}
	list := make([]Component, len(l.kit))
	for i, component := range l.kit {
		list[i] = Component{SKU: component.SKU, Quantity: kits * component.Quantity, From: slices.Clone(from)}
		for j := range list[i].From {
			list[i].From[j].Quantity *= component.Quantity
		}
	}
	return list
}

// decodeInsufficient reads the shortages of a refusal.
func (c *reserveCall) decodeInsufficient(payload string) error {
	shortages, err := decodeShortages(payload, func(i int) (Shortage, bool) {
		if i < 1 || i > len(c.request.Lines) {
			return Shortage{}, false
		}
		l := &c.request.Lines[i-1]
		return Shortage{Line: l.Line, SKU: l.SKU, Requested: l.Quantity}, true
	})
	if err != nil {
		return fmt.Errorf("reserve %q: %w", c.request.ID, err)
	}
	return &InsufficientError{Shortages: shortages}
}

// decodeShortages reads "line available" for each short line; lineOf returns the line of a number,
// from 1.
func decodeShortages(payload string, lineOf func(int) (Shortage, bool)) ([]Shortage, error) {
	var shortages []Shortage
	for part := range strings.SplitSeq(payload, wire.RecordSeparator) {
		f := wire.FieldReader{Rest: part}
		shortage, ok := lineOf(int(f.Number()))
		shortage.Available = f.Number()
		if !ok || f.Failed {
			return nil, fmt.Errorf("shortage %q: %w", part, ErrCorrupt)
		}
		shortages = append(shortages, shortage)
	}
	return shortages, nil
}

// result reads the record that an answer carries. If the reply of the call that made the record was
// lost, and the call was sent again, the answer is not a replay.
func (s *Store) result(id string, a shard.Answer, replay bool) (Result, error) {
	rec, err := wire.DecodeRecord(a.Payload)
	if err != nil {
		return Result{}, fmt.Errorf("reservation %q: %w", id, err)
	}
	ours := a.Resent != "" && rec.CreationNonce == a.Resent && rec.Version == 1
	return Result{Reservation: reservationOf(rec, id, a.Now), Replay: replay && !ours, awaited: awaited(rec, id, a.Epoch)}, nil
}
