package cache

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// RemoveRequest takes a level away.
type RemoveRequest struct {
	ID       string // the operation's id and idempotency key; "" is a random one
	SKU      location.SKU
	Location location.ID
	Reason   string // optional, kept with the event
	Actor    string // optional: who did it
}

// Removal is what a Remove has done.
type Removal struct {
	At      time.Time // when the level was removed, by Redis's clock
	Replay  bool      // the id was used before for the same request; nothing was changed
	Durable bool      // the ledger has it; false where there is no ledger

	birth string // nonce of the entry that made it
}

// gonePoll is how often the ledger is asked whether a level is gone from it, too.
const gonePoll = 20 * time.Millisecond

// Remove takes away a level of which nothing is held or committed; what is on hand there is written off.
// It is safe to repeat: the same id answers as before, and without one there is no such level any more.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding, ErrIDConflict, ErrNotFound (no such level,
// in the ledger neither), *InUseError, ErrNotDurable. One round trip, shared with its batch; with a ledger
// also one to that where an id is given, and the wait for it.
func (s *Store) Remove(ctx context.Context, r RemoveRequest) (result Removal, err error) {
	started := time.Now()
	defer func() { s.observe(VerbRemove, started, result.Replay, err) }()
	if err := r.validate(); err != nil {
		return Removal{}, err
	}
	call := &removeCall{request: &r, fingerprint: r.fingerprint()}
	if r.ID == "" {
		r.ID = "remove-" + rand.Text()
	} else if at, known, err := s.operated(ctx, VerbRemove, r.ID, call.fingerprint); known || err != nil {
		return Removal{At: at, Replay: known, Durable: known && s.durable()}, err
	}
	a := s.send(ctx, VerbRemove, call)
	switch {
	case a.Err != nil:
		return Removal{}, fmt.Errorf("remove %s at %s: %w", r.SKU, r.Location, a.Err)
	case a.Status == wire.StatusNoLevel:
		return Removal{}, s.gone(ctx, &r)
	case a.Status != wire.StatusDone && a.Status != wire.StatusRepeat:
		return Removal{}, r.refused(a)
	}
	f := wire.FieldReader{Rest: a.Payload}
	result = Removal{At: time.UnixMilli(f.Number()).UTC(), birth: f.Text()}
	if f.Failed {
		return Removal{}, fmt.Errorf("remove %q: answered %q: %w", r.ID, a.Payload, ErrCorrupt)
	}
	result.Replay = a.Status == wire.StatusRepeat && result.birth != a.Resent
	if err := s.awaitOperation(ctx, r.ID, result.birth, a.Epoch); err != nil {
		return Removal{}, fmt.Errorf("remove %s at %s: %w", r.SKU, r.Location, err)
	}
	result.Durable = s.durable()
	return result, nil
}

// gone answers that there is no such level once the ledger has none either: else a rebuild could bring it
// back after its removal was answered.
func (s *Store) gone(ctx context.Context, r *RemoveRequest) error {
	what := fmt.Sprintf("remove %s at %s", r.SKU, r.Location)
	ctx, cancel := context.WithTimeout(ctx, s.options.DurableWait)
	defer cancel()
	for s.options.Ledger != nil {
		levels, err := s.options.Ledger.Levels(ctx, r.SKU)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", what, err)
		case !hasLevel(levels, r.Location):
			return fmt.Errorf("%s: no such level: %w", what, ErrNotFound)
		}
		select {
		case <-time.After(gonePoll):
		case <-ctx.Done():
			return fmt.Errorf("%s: it is gone from Redis, and not from the ledger yet: %w", what, ErrNotDurable)
		}
	}
	return fmt.Errorf("%s: no such level: %w", what, ErrNotFound)
}

func hasLevel(levels []Level, at location.ID) bool {
	for i := range levels {
		if levels[i].Location == at {
			return true
		}
	}
	return false
}

func (r *RemoveRequest) validate() error {
	var f faults
	f.optional("/id", r.ID)
	f.identifier("/sku", string(r.SKU))
	f.identifier("/location", string(r.Location))
	f.short("/reason", r.Reason)
	f.short("/actor", r.Actor)
	return f.err()
}

func (r *RemoveRequest) refused(a shard.Answer) error {
	if a.Status != wire.StatusInUse {
		return refusal(VerbRemove, r.ID, a)
	}
	f := wire.FieldReader{Rest: a.Payload}
	used := &InUseError{What: fmt.Sprintf("%s at %s", r.SKU, r.Location), Held: f.Number(), Committed: f.Number()}
	if f.Failed {
		return fmt.Errorf("remove %q: answered %q: %w", r.ID, a.Payload, ErrCorrupt)
	}
	return used
}

// fingerprint identifies a removal without its id.
func (r *RemoveRequest) fingerprint() string {
	f := fingerprinter{}
	f.text(string(VerbRemove))
	f.text(r.Reason)
	f.text(r.Actor)
	f.text(string(r.SKU))
	f.text(string(r.Location))
	return f.sum()
}

// removeCall is a RemoveRequest as its script takes it.
type removeCall struct {
	request     *RemoveRequest
	fingerprint string
}

func (c *removeCall) ID() string { return c.request.ID }

func (c *removeCall) Weight() int { return 1 }

func (c *removeCall) Arguments(b *shard.Batch) {
	r := c.request
	b.Add(c.fingerprint, r.Reason, r.Actor, wire.LevelField(r.SKU, r.Location))
}
