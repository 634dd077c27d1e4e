package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// operationCall is one call of Adjust, Transfer or Remove.
type operationCall struct {
	verb        Verb
	id          string
	isNew       bool // the id was made for this call: the ledger can't have it
	fingerprint string
	levels      []Change // the levels in the answer
	send        func() shard.Answer
	refused     func(shard.Answer) error // turns a refusal of the script into an error
	unknown     func(*faults)            // if not nil, adds the locations that the directory lacks
}

// operate applies an operation once. If the ledger has the id, it answers from there. Otherwise it
// sends the operation and waits for the ledger.
func (s *Store) operate(ctx context.Context, c operationCall) (AdjustResult, error) {
	if !c.isNew {
		at, known, err := s.operated(ctx, c.id, c.fingerprint)
		if known {
			result := AdjustResult{At: at, Replay: true, Durable: s.durable()}
			if result.Levels, err = s.levelsAsked(ctx, c.levels); err == nil {
				return result, nil
			}
		}
		if err != nil {
			return AdjustResult{}, fmt.Errorf("%s %q: %w", c.verb, c.id, err)
		}
	}
	if c.unknown != nil { // after the ledger has been asked: what was done stays done
		var f faults
		if c.unknown(&f); f.err() != nil {
			return AdjustResult{}, f.err()
		}
	}
	a := c.send()
	switch {
	case errors.Is(a.Err, ErrInvalid), errors.Is(a.Err, ErrInsufficient):
		return AdjustResult{}, a.Err
	case a.Err != nil:
		return AdjustResult{}, fmt.Errorf("%s %q: %w", c.verb, c.id, a.Err)
	case a.Status != wire.StatusDone && a.Status != wire.StatusRepeat:
		return AdjustResult{}, c.refused(a)
	}
	result, nonce, err := c.result(a)
	if err == nil {
		step := wire.Step{Operation: true, ID: c.id, CreationNonce: nonce, Version: 1}
		err = s.await(ctx, wire.Awaited{Step: step, Epoch: a.Epoch})
	}
	if err != nil {
		return AdjustResult{}, fmt.Errorf("%s %q: %w", c.verb, c.id, err)
	}
	result.Durable = s.durable()
	return result, nil
}

// operated reports whether the ledger has an operation, and when it was applied. Redis forgets
// operations, the ledger does not. One round trip to the ledger.
func (s *Store) operated(ctx context.Context, id, fingerprint string) (at time.Time, known bool, err error) {
	if s.options.Ledger == nil {
		return time.Time{}, false, nil
	}
	op, err := s.options.Ledger.Operation(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return time.Time{}, false, nil
	case err != nil:
		return time.Time{}, false, err
	case op.Fingerprint != fingerprint:
		return time.Time{}, false, ErrIDConflict
	default:
		return op.At, true, nil
	}
}

// levelsAsked reads the levels of some changes, in their order. All counts of a level that was
// removed since are 0.
func (s *Store) levelsAsked(ctx context.Context, changes []Change) ([]AdjustedLevel, error) {
	names := make([]string, len(changes))
	for i := range changes {
		names[i] = wire.LevelField(changes[i].SKU, changes[i].Location)
	}
	found, err := s.levelsNamed(ctx, s.keys, names)
	if err != nil {
		return nil, err
	}
	levels := make([]AdjustedLevel, len(changes))
	for i := range changes {
		levels[i].SKU, levels[i].Location = changes[i].SKU, changes[i].Location
		if len(found) > 0 && found[0].SKU == changes[i].SKU && found[0].Location == changes[i].Location {
			levels[i].Level, found = found[0], found[1:]
		}
	}
	return levels, nil
}

// result decodes the answer of a script, and the nonce of the entry that made the operation.
func (c *operationCall) result(a shard.Answer) (result AdjustResult, nonce string, err error) {
	head, rest, _ := strings.Cut(a.Payload, wire.RecordSeparator)
	f := wire.FieldReader{Rest: head}
	result.At, nonce = time.UnixMilli(f.Number()).UTC(), f.Text()
	result.Replay = a.Status == wire.StatusRepeat && nonce != a.Resent
	result.Levels = make([]AdjustedLevel, len(c.levels))
	for i := range c.levels {
		var part string
		part, rest, _ = strings.Cut(rest, wire.RecordSeparator)
		l := wire.FieldReader{Rest: part}
		level := levelOf(c.levels[i].SKU, c.levels[i].Location, &l)
		level.setAvailable(l.Number())
		result.Levels[i] = AdjustedLevel{Level: level, Created: l.Text() == "1"}
		f.Failed = f.Failed || l.Failed
	}
	if f.Failed || rest != "" {
		return AdjustResult{}, "", fmt.Errorf("answered %q: %w", a.Payload, ErrCorrupt)
	}
	return result, nonce, nil
}
