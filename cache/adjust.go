package cache

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// AdjustRequest is one operation on levels: counts, signed changes of on hand, or changes of
// policy.
type AdjustRequest struct {
	ID         string    // id of the operation, and idempotency key; required
	AsOf       time.Time // when the counts were made, to the millisecond; zero is now
	Reason     string    // optional, kept with the event
	Actor      string    // optional: who did it
	OnBehalfOf string    // optional: the person for whom the actor did it
	RequestID  string    // optional: of the call, kept with the event; a repeat may have another
	Changes    []Change  // 1 to ChangesMax, each of another level

	AllowUnknownLocations bool // put units at locations that the directory does not have

	// NotAfter is the last moment at which the call may be made, by the clock of this process. A later
	// call is refused and changes nothing, even if it is a repeat. Zero is no bound.
	NotAfter time.Time
}

// Change changes one level. A nil field stays as it is. On a new level it is 0.
type Change struct {
	SKU            location.SKU
	Location       location.ID
	OnHand         *int64 // a count: the units that are there, 0 to QuantityMax
	Delta          *int64 // added to on hand, not 0; not together with OnHand or AsOf
	IfOnHand       *int64 // refuse the operation unless on hand is this
	SafetyStock    *int64 // units kept back from sale, 0 to QuantityMax
	BackorderLimit *int64 // units that may be sold beyond on hand, 0 to QuantityMax
}

// AdjustResult is the levels after an operation, one for each change, in their order.
type AdjustResult struct {
	Levels  []AdjustedLevel
	At      time.Time // when the operation was applied, by Redis's clock
	Replay  bool      // an earlier call with this ID made the operation; this one changed nothing
	Durable bool      // the ledger has it; false without a ledger
}

// AdjustedLevel is a level after an operation.
type AdjustedLevel struct {
	Level
	Created bool // this call made the level; false in a replay

	// InForce is the count of a later moment that a count with AsOf did not replace, or nil.
	InForce *Count

	// Short has the newest confirmed reservations that the stock does not cover, at most
	// ShortReservationsMax. It is nil if the level has no shortfall, there is no ledger, or the
	// ledger does not answer in time.
	Short []ShortReservation
}

// ShortReservation is a confirmed reservation that a level can no longer serve.
type ShortReservation struct {
	ID       string
	Order    string
	Customer string
	Quantity int64 // units that it has committed at the level
}

// Adjust applies one operation on levels: counts, signed changes of on hand, and changes of policy.
// It applies all changes or none. A count may leave fewer units than are sold: AdjustedLevel.Short
// then names the newest confirmed reservations that the stock does not cover.
//
// Adjust is safe to repeat: the same ID with the same request changes nothing and answers the
// levels as they are now. All counts of a level that was removed since are 0.
//
// With AsOf, Adjust adds to each count the units that came and left since that moment, by the
// ledger's movements. Units that were fulfilled after the count are not counted again. Other counts
// since then are not added: they say what was there, not what came or left. A count does not replace
// one that was made for a later moment: on hand stays, and AdjustedLevel.InForce names the later one.
// Of two counts for the same moment the last to be applied is in force.
//
// Errors, in order of precedence:
//   - *InvalidError
//   - *ExpiredRequestError
//   - ErrNotDurable, if the ledger does not answer; nothing was changed
//   - ErrIDConflict, if the ledger has another operation with this ID
//   - *InvalidError, if a change puts units at a location that the directory does not have
//   - ErrRebuilding
//   - with AsOf: *InvalidError, if there is no ledger, or AsOf is in the future or older than what
//     the ledger keeps; *InsufficientError, if more units left than were counted, and its Available
//     is the count; ErrNotDurable, if the ledger stays behind Redis
//   - ErrIDConflict, if Redis has another operation with this ID
//   - ErrNotFound, for a negative Delta on a level that does not exist
//   - *VersionError, if on hand is not IfOnHand
//   - *InsufficientError, if on hand would fall below zero; its Available is on hand
//   - *InvalidError, if on hand would exceed QuantityMax, or the locations LocationsMax
//   - ErrNotDurable, if the ledger did not decide in time; repeat with the same ID
//
// The first change that is refused decides. Adjust costs one round trip to the ledger, one to
// Redis, shared with its batch, and the wait for the ledger. AsOf costs one more to each, and more
// while the ledger is behind. AdjustedLevel.Short costs one more to the ledger. Without a ledger,
// Adjust costs one round trip to Redis.
func (s *Store) Adjust(ctx context.Context, r AdjustRequest) (result AdjustResult, err error) {
	started := time.Now()
	defer func() { s.observe(VerbAdjust, started, result.Replay, err) }()
	if err := r.validate(); err != nil {
		return AdjustResult{}, err
	}
	if err := s.inTime(r.NotAfter); err != nil {
		return AdjustResult{}, err
	}
	ctx, cancel := s.within(ctx, s.options.DurableWait)
	defer cancel()
	call := &adjustCall{request: &r, fingerprint: r.fingerprint()}
	result, err = s.operate(ctx, operationCall{
		verb: VerbAdjust, id: r.ID, fingerprint: call.fingerprint, levels: r.Changes,
		send: func() shard.Answer { return s.sendCounts(ctx, call) }, refused: r.refused,
		unknown: func(f *faults) { s.unknownChanges(f, &r) },
	})
	if err == nil {
		s.nameInForce(ctx, call, &result)
		s.nameShort(ctx, result.Levels)
	}
	return result, err
}

// unknownChanges adds the changes that put units at a location that the directory does not have. Units
// there may be counted down or taken away.
func (s *Store) unknownChanges(f *faults, r *AdjustRequest) {
	for i := range r.Changes {
		ch := &r.Changes[i]
		adds := ch.OnHand != nil && *ch.OnHand > 0 || ch.Delta != nil && *ch.Delta > 0
		if adds && !r.AllowUnknownLocations {
			s.unknown(f, fmt.Sprintf("/changes/%d/location", i), ch.Location)
		}
	}
}

// adjustCall is an AdjustRequest as its script takes it.
type adjustCall struct {
	request     *AdjustRequest
	fingerprint string
	counted     []counted // with AsOf, the count of each change; else nil
	place       string    // with AsOf, the id of the ledger's last applied entry; else ""
}

func (c *adjustCall) ID() string { return c.request.ID }

func (c *adjustCall) Weight() int { return len(c.request.Changes) }

func (c *adjustCall) NotAfter() time.Time { return c.request.NotAfter }

func (c *adjustCall) Arguments(b *shard.Batch) {
	r := c.request
	b.Add(c.fingerprint, r.Reason, wire.By(r.Actor, r.OnBehalfOf, r.RequestID), c.place, strconv.Itoa(len(r.Changes)))
	for i := range r.Changes {
		ch := &r.Changes[i]
		onHand, seen, taken := ch.OnHand, (*int64)(nil), ""
		if c.counted != nil && onHand != nil {
			onHand, seen, taken = &c.counted[i].onHand, &c.counted[i].seen, strconv.FormatInt(r.AsOf.UnixMilli(), 10)
			if c.counted[i].kept != nil {
				onHand, taken = nil, "kept"
			}
		}
		b.Add(b.Level(wire.LevelField(ch.SKU, ch.Location)), strings.Join([]string{
			optionalText(onHand), optionalText(ch.Delta), optionalText(ch.IfOnHand),
			optionalText(ch.SafetyStock), optionalText(ch.BackorderLimit), optionalText(seen), taken,
		}, " "))
	}
}

func optionalText(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

func (r *AdjustRequest) refused(a shard.Answer) error {
	switch a.Status {
	case wire.StatusNoLevel, wire.StatusVersionConflict, wire.StatusInsufficient, wire.StatusExceeds, wire.StatusTooManyLocations:
	default:
		return refusal(VerbAdjust, r.ID, a)
	}
	f := wire.FieldReader{Rest: a.Payload}
	i := f.Number() - 1
	if f.Failed || i < 0 || i >= int64(len(r.Changes)) {
		return fmt.Errorf("adjust %q: answered %q: %w", r.ID, a.Payload, ErrCorrupt)
	}
	c, path := &r.Changes[i], "/changes/"+strconv.FormatInt(i, 10)
	var err error
	switch a.Status {
	case wire.StatusNoLevel:
		return fmt.Errorf("adjust %q: no level of %s at %s: %w", r.ID, c.SKU, c.Location, ErrNotFound)
	case wire.StatusVersionConflict:
		err = &VersionError{SKU: c.SKU, Location: c.Location, Current: f.Number()}
	case wire.StatusInsufficient:
		err = &InsufficientError{Shortages: []Shortage{{SKU: c.SKU, Requested: -deref(c.Delta), Available: f.Number()}}}
	case wire.StatusExceeds:
		err = invalid(path+"/delta", "would take on hand from %d over %d", f.Number(), QuantityMax)
	default:
		return invalid(path+"/location", "would be one location more than %d", LocationsMax)
	}
	if f.Failed {
		return fmt.Errorf("adjust %q: answered %q: %w", r.ID, a.Payload, ErrCorrupt)
	}
	return err
}

func deref(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// nameShort fills in Short for the levels that have a shortfall. If the ledger does not answer, the
// operation is still applied, and Short stays nil.
func (s *Store) nameShort(ctx context.Context, levels []AdjustedLevel) {
	var asked []LevelShort
	var of []int
	for i := range levels {
		if units := levels[i].Shortfall(); units > 0 {
			asked = append(asked, LevelShort{wire.LevelName{SKU: levels[i].SKU, Location: levels[i].Location}, units})
			of = append(of, i)
		}
	}
	if len(asked) == 0 || s.options.Ledger == nil {
		return
	}
	short, err := s.options.Ledger.Short(ctx, asked, ShortReservationsMax)
	if err != nil || len(short) != len(asked) {
		s.options.Logger.Warn("a count is below what is sold, but the ledger did not name the reservations", "levels", len(asked), "error", err)
		return
	}
	for i, list := range short {
		levels[of[i]].Short = list
	}
}
