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
	"github.com/holdfast/holdfast/location"
)

// Adjust applies one operation on levels: counts, signed changes, or changes of policy, all of them
// or none. It is safe to repeat: the same id with the same changes answers the levels as they are
// now, and changes nothing; a level that was removed since counts nothing.
//
// With AsOf, what came and left since is added to the counts, from the ledger's movements, so that what
// was fulfilled after they were made is not there again. Other counts since then are not: they say what
// there was, not what came or left.
//
// Refusals, the first that applies: *InvalidError (also an AsOf that is in the future, or older than what
// the ledger keeps), ErrRebuilding, ErrIDConflict, ErrNotFound (a negative delta on a level that does not
// exist), *VersionError (IfOnHand), *InsufficientError (on hand would fall below zero; its Available is on
// hand, or what was counted), *InvalidError (on hand would exceed QuantityMax, the locations LocationsMax),
// ErrNotDurable. One round trip, shared with its batch; with a ledger also one to that, and the wait for it;
// with AsOf one more to each, and more where the ledger is behind; and one to the ledger where less is
// there than is sold, for AdjustedLevel.Short.
func (s *Store) Adjust(ctx context.Context, r AdjustRequest) (result AdjustResult, err error) {
	started := time.Now()
	defer func() { s.observe(VerbAdjust, started, result.Replay, err) }()
	if err := r.validate(); err != nil {
		return AdjustResult{}, err
	}
	fingerprint := r.fingerprint()
	if result, known, err := s.applied(ctx, &r, fingerprint); known || err != nil {
		return result, err
	}
	a := s.sendCounts(ctx, &adjustCall{request: &r, fingerprint: fingerprint})
	switch {
	case errors.Is(a.Err, ErrInvalid), errors.Is(a.Err, ErrInsufficient):
		return AdjustResult{}, a.Err
	case a.Err != nil:
		return AdjustResult{}, fmt.Errorf("adjust %q: %w", r.ID, a.Err)
	case a.Status != wire.StatusDone && a.Status != wire.StatusRepeat:
		return AdjustResult{}, r.refused(a)
	}
	if result, err = operationResult(VerbAdjust, r.ID, r.Changes, a); err != nil {
		return AdjustResult{}, err
	}
	if err := s.awaitOperation(ctx, r.ID, result.birth, a.Epoch); err != nil {
		return AdjustResult{}, fmt.Errorf("adjust %q: %w", r.ID, err)
	}
	result.Durable = s.durable()
	s.nameShort(ctx, result.Levels)
	return result, nil
}

// operationResult reads when an operation was applied, and its levels.
func operationResult(verb Verb, id string, changes []Change, a shard.Answer) (AdjustResult, error) {
	head, rest, _ := strings.Cut(a.Payload, wire.RecordSeparator)
	f := wire.FieldReader{Rest: head}
	result := AdjustResult{
		At: time.UnixMilli(f.Number()).UTC(), birth: f.Text(), Levels: make([]AdjustedLevel, 0, len(changes)),
	}
	result.Replay = a.Status == wire.StatusRepeat && result.birth != a.Resent
	for part := range strings.SplitSeq(rest, wire.RecordSeparator) {
		i := len(result.Levels)
		if i == len(changes) {
			f.Failed = true
			break
		}
		l := wire.FieldReader{Rest: part}
		level := levelOf(changes[i].SKU, changes[i].Location, &l)
		level.setAvailable(l.Number())
		result.Levels = append(result.Levels, AdjustedLevel{Level: level, Created: l.Text() == "1"})
		f.Failed = f.Failed || l.Failed
	}
	if f.Failed || len(result.Levels) != len(changes) {
		return AdjustResult{}, fmt.Errorf("%s %q: answer: %w", verb, id, ErrCorrupt)
	}
	return result, nil
}

// levelOf reads on hand, committed, safety stock and backorder limit.
func levelOf(sku location.SKU, at location.ID, f *wire.FieldReader) Level {
	return Level{
		SKU: sku, Location: at, OnHand: f.Number(), Committed: f.Number(),
		SafetyStock: f.Number(), BackorderLimit: f.Number(),
	}
}

// setAvailable completes a level: what is not available for any other reason is held.
func (l *Level) setAvailable(units int64) {
	l.Available = units
	l.Held = l.OnHand - l.Committed - l.SafetyStock + l.BackorderLimit - units
}

func (r *AdjustRequest) refused(a shard.Answer) error {
	f := wire.FieldReader{Rest: a.Payload}
	switch a.Status {
	case wire.StatusNoLevel, wire.StatusVersionConflict, wire.StatusInsufficient, wire.StatusExceeds, wire.StatusTooManyLocations:
	default:
		return refusal(VerbAdjust, r.ID, a)
	}
	i := f.Number() - 1
	if f.Failed || i < 0 || i >= int64(len(r.Changes)) {
		return fmt.Errorf("adjust %q: answered %q: %w", r.ID, a.Payload, ErrCorrupt)
	}
	c, path := &r.Changes[i], "/changes/"+strconv.FormatInt(i, 10)
	switch a.Status {
	case wire.StatusNoLevel:
		return fmt.Errorf("adjust %q: no level of %s at %s: %w", r.ID, c.SKU, c.Location, ErrNotFound)
	case wire.StatusVersionConflict:
		return &VersionError{SKU: c.SKU, Location: c.Location, Current: f.Number()}
	case wire.StatusInsufficient:
		return &InsufficientError{Shortages: []Shortage{{SKU: c.SKU, Requested: -deref(c.Delta), Available: f.Number()}}}
	case wire.StatusExceeds:
		return &InvalidError{Faults: []Fault{{Path: path + "/delta",
			Message: fmt.Sprintf("would take on hand from %d over %d", f.Number(), QuantityMax)}}}
	default:
		return &InvalidError{Faults: []Fault{{Path: path + "/location",
			Message: fmt.Sprintf("would be one location more than %d", LocationsMax)}}}
	}
}

func deref(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// adjustCall is an AdjustRequest as its script takes it.
type adjustCall struct {
	request     *AdjustRequest
	fingerprint string
	counted     []counted // of each change, where the counts are of a moment; else nil
	place       string    // id of the entry that the ledger had applied for that; else ""
}

func (c *adjustCall) ID() string { return c.request.ID }

func (c *adjustCall) Weight() int { return len(c.request.Changes) }

func (c *adjustCall) Arguments(b *shard.Batch) {
	r := c.request
	b.Add(c.fingerprint, r.Reason, r.Actor, c.place, strconv.Itoa(len(r.Changes)))
	for i := range r.Changes {
		ch := &r.Changes[i]
		onHand, seen := ch.OnHand, (*int64)(nil)
		if c.counted != nil && onHand != nil {
			onHand, seen = &c.counted[i].onHand, &c.counted[i].seen
		}
		b.Add(b.Level(wire.LevelField(ch.SKU, ch.Location)), optionalText(onHand), optionalText(ch.Delta), optionalText(ch.IfOnHand),
			optionalText(ch.SafetyStock), optionalText(ch.BackorderLimit), optionalText(seen))
	}
}

func optionalText(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
