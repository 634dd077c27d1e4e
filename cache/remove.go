package cache

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// RemoveRequest asks to remove a level.
type RemoveRequest struct {
	ID         string // id of the operation, and idempotency key; "" makes a random one
	SKU        location.SKU
	Location   location.ID
	Reason     string // optional, kept with the event
	Actor      string // optional: who did it
	OnBehalfOf string // optional: the person for whom the actor did it
	RequestID  string // optional: of the call, kept with the event; a repeat may have another
}

// Removal is the result of a Remove.
type Removal struct {
	At      time.Time // when the level was removed, by Redis's clock
	Replay  bool      // an earlier call with this ID removed it; this one changed nothing
	Durable bool      // the ledger has it; false without a ledger
}

// Remove removes a level of which nothing is held or committed, and writes off what is on hand. If
// units are held, it first gives back those of overdue holds.
//
// Remove is safe to repeat: the same ID answers as before. A repeat without an ID answers
// ErrNotFound, because the level is gone.
//
// Errors, in order of precedence:
//   - *InvalidError
//   - with an ID: ErrNotDurable, if the ledger does not answer; nothing was changed
//   - with an ID: ErrIDConflict, if the ledger has another operation with this ID
//   - ErrRebuilding
//   - with an ID: ErrIDConflict, if Redis has another operation with this ID
//   - ErrNotFound, if neither Redis nor the ledger has the level; ErrNotDurable, if only the ledger
//     still has it, or does not answer
//   - *InUseError
//   - ErrNotDurable, if the ledger did not decide in time; repeat with the same ID
//
// Remove costs one round trip to the ledger if there is an ID, one to Redis, shared with its batch,
// and the wait for the ledger. Without a ledger it costs one round trip to Redis.
func (s *Store) Remove(ctx context.Context, r RemoveRequest) (result Removal, err error) {
	started := time.Now()
	defer func() { s.observe(VerbRemove, started, result.Replay, err) }()
	if err := r.validate(); err != nil {
		return Removal{}, err
	}
	ctx, cancel := s.within(ctx, s.options.DurableWait)
	defer cancel()
	isNew := r.ID == ""
	if isNew {
		r.ID = "remove-" + rand.Text()
	}
	call := &removeCall{request: &r, fingerprint: r.fingerprint()}
	done, err := s.operate(ctx, operationCall{
		verb: VerbRemove, id: r.ID, isNew: isNew, fingerprint: call.fingerprint,
		send:    func() shard.Answer { return s.send(ctx, VerbRemove, call) },
		refused: func(a shard.Answer) error { return s.notRemoved(ctx, &r, a) },
	})
	return Removal{At: done.At, Replay: done.Replay, Durable: done.Durable}, err
}

func (r *RemoveRequest) validate() error {
	var f faults
	f.optional("/id", r.ID)
	f.identifier("/sku", string(r.SKU))
	f.identifier("/location", string(r.Location))
	f.short("/reason", r.Reason)
	f.short("/actor", r.Actor)
	f.short("/on_behalf_of", r.OnBehalfOf)
	f.short("/request_id", r.RequestID)
	return f.err()
}

// fingerprint identifies the request without its ID.
func (r *RemoveRequest) fingerprint() string {
	f := fingerprinter{}
	f.text(string(VerbRemove))
	f.text(r.Reason)
	f.text(r.Actor)
	f.text(string(r.SKU))
	f.text(string(r.Location))
	f.onBehalfOf(r.OnBehalfOf)
	return f.sum()
}

// removeCall is a RemoveRequest as its script takes it.
type removeCall struct {
	request     *RemoveRequest
	fingerprint string
}

func (c *removeCall) ID() string { return c.request.ID }

func (c *removeCall) Weight() int { return 2 }

func (c *removeCall) NotAfter() time.Time { return time.Time{} }

func (c *removeCall) Arguments(b *shard.Batch) {
	r := c.request
	b.Add(c.fingerprint, r.Reason, wire.By(r.Actor, r.OnBehalfOf, r.RequestID), wire.LevelField(r.SKU, r.Location))
}

// notRemoved turns a refusal of the script into an error.
func (s *Store) notRemoved(ctx context.Context, r *RemoveRequest, a shard.Answer) error {
	switch a.Status {
	case wire.StatusNoLevel:
		return s.gone(ctx, r)
	case wire.StatusInUse:
		f := wire.FieldReader{Rest: a.Payload}
		used := &InUseError{What: fmt.Sprintf("%s at %s", r.SKU, r.Location), Held: f.Number(), Committed: f.Number()}
		if f.Failed {
			return fmt.Errorf("remove %q: answered %q: %w", r.ID, a.Payload, ErrCorrupt)
		}
		return used
	default:
		return refusal(VerbRemove, r.ID, a)
	}
}

// gonePoll is how often gone asks the ledger.
const gonePoll = 20 * time.Millisecond

// gone returns ErrNotFound once the ledger does not have the level either. Before that, a rebuild
// could still bring it back.
func (s *Store) gone(ctx context.Context, r *RemoveRequest) error {
	what := fmt.Sprintf("remove %s at %s", r.SKU, r.Location)
	ctx, cancel := context.WithTimeout(ctx, s.options.DurableWait)
	defer cancel()
	for s.options.Ledger != nil {
		levels, err := s.options.Ledger.Levels(ctx, r.SKU)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if !slices.ContainsFunc(levels, func(l Level) bool { return l.Location == r.Location }) {
			break
		}
		if shard.Pause(ctx, gonePoll) != nil {
			return fmt.Errorf("%s: Redis has removed it, the ledger has not yet: %w", what, ErrNotDurable)
		}
	}
	return fmt.Errorf("%s: no such level: %w", what, ErrNotFound)
}
