package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// reroutesMax bounds how often one call is routed again because the locations changed under it.
const reroutesMax = 5

// Reserve takes units out of sale until a deadline: all lines or none. It is safe to repeat: the
// same id with the same request answers the reservation as it is now, and takes nothing again, also
// after it was confirmed, released or expired, and whatever has become of the directory.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding or ErrBacklogFull, ErrIDConflict, *InvalidError
// (what only the directory rules out: an unknown channel, a customer missing where a purchase limit counts),
// *UnknownStockError, *NoLocationError, *PurchaseLimitError, *InsufficientError. After ErrUnavailable or an ended context
// the outcome is unknown: repeat with the same id.
//
// It costs one round trip, shared with the other calls of its batch, and one more for the first call in a
// second that the first of several locations does not serve; a refusal that may be due to overdue
// reservations or a list of locations that is out of date costs one more each time. With
// Options.SoldOutCache it costs one more, too, where units came back after a refusal.
func (s *Store) Reserve(ctx context.Context, r ReserveRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(VerbReserve, started, result.Replay, err) }()
	if err := r.validate(s.options.TTLMax); err != nil {
		return Result{}, err
	}
	call := &reserveCall{request: &r}
	for range reroutesMax {
		known, err := s.locations(ctx)
		if err != nil {
			return Result{}, err
		}
		unrouted := call.route(known.rules, s.options.TTL)
		if err := s.stillSoldOut(ctx, call, known); err != nil {
			return Result{}, err
		}
		asked := s.soldOut.now()
		a := s.sendFirst(ctx, call)
		if a.Err != nil { // also where it can't be routed: its id may be known
			return Result{}, fmt.Errorf("reserve %q: %w", r.ID, a.Err)
		}
		if unrouted != nil && a.Status != wire.StatusReplay && a.Status != wire.StatusConflict {
			return Result{}, unrouted
		}
		switch a.Status {
		case wire.StatusHeld:
			return call.held(a)
		case wire.StatusReplay:
			return s.replayed(ctx, &r, a)
		case wire.StatusInsufficient:
			if !known.stale(a.Locations) {
				err := call.insufficient(a.Payload)
				s.soldOut.note(call, err, asked)
				return Result{}, err
			}
			s.catalog.known.CompareAndSwap(known, nil)
		case wire.StatusNoLocation:
			if err := s.explain(ctx, call); err != nil {
				return Result{}, err
			}
		case wire.StatusPurchaseLimit:
			return Result{}, call.overLimit(a.Payload)
		default:
			return Result{}, refusal(VerbReserve, r.ID, a)
		}
	}
	return Result{}, fmt.Errorf("reserve %q: %w: the locations keep changing", r.ID, ErrUnavailable)
}

// send queues a request until its answer is final: as long as overdue reservations are being given
// back for it, it is sent again.
func (s *Store) send(ctx context.Context, verb Verb, r shard.Request) shard.Answer {
	for {
		a := s.shard.Do(ctx, verb, r)
		if a.Err != nil {
			return a
		}
		s.saw(a.Locations)
		if a.Status != wire.StatusMoreDue {
			return a
		}
	}
}

// result reads the record that an answer carries. What a batch made whose reply was lost, and found
// again when it was sent once more, is no replay.
func (s *Store) result(id string, a shard.Answer, replay bool) (Result, error) {
	rec, err := wire.DecodeRecord(a.Payload)
	if err != nil {
		return Result{}, fmt.Errorf("reservation %q: %w", id, err)
	}
	ours := a.Resent != "" && rec.Birth == a.Resent && rec.Version == 1
	return Result{Reservation: ReservationOf(rec, id, a.Now), Replay: replay && !ours, awaited: awaited(rec, id, a.Epoch)}, nil
}
