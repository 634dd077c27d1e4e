package cache

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// TransferRequest moves units of a SKU from one location to another.
type TransferRequest struct {
	ID       string // the operation's id and idempotency key; required
	SKU      location.SKU
	From, To location.ID
	Quantity int64  // units, 1 to QuantityMax
	Reason   string // optional, kept with the event
	Actor    string // optional: who did it
}

// TransferResult is what a transfer left behind.
type TransferResult struct {
	From, To AdjustedLevel
	At       time.Time // when it was applied, by Redis's clock
	Replay   bool      // the id was used before for the same request; nothing was changed
	Durable  bool      // the ledger has it; false where there is no ledger
}

// Transfer moves units that are there and available from one location to another, in one step; it makes
// the level they go to where there is none. It is safe to repeat: the same id with the same request
// answers the levels as they are now, and moves nothing.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding, ErrIDConflict, ErrNotFound (no level to
// take from), *InsufficientError, *InvalidError (on hand would exceed QuantityMax, the locations
// LocationsMax), ErrNotDurable. One round trip, shared with its batch; with a ledger also one to that, and
// the wait for it.
func (s *Store) Transfer(ctx context.Context, r TransferRequest) (result TransferResult, err error) {
	started := time.Now()
	defer func() { s.observe(VerbTransfer, started, result.Replay, err) }()
	if err := r.validate(); err != nil {
		return TransferResult{}, err
	}
	call := &transferCall{request: &r, fingerprint: r.fingerprint()}
	at, known, err := s.operated(ctx, VerbTransfer, r.ID, call.fingerprint)
	switch {
	case err != nil:
		return TransferResult{}, err
	case known:
		return s.transferred(ctx, &r, at)
	}
	a := s.send(ctx, VerbTransfer, call)
	switch {
	case a.Err != nil:
		return TransferResult{}, fmt.Errorf("transfer %q: %w", r.ID, a.Err)
	case a.Status != wire.StatusDone && a.Status != wire.StatusRepeat:
		return TransferResult{}, r.refused(a)
	}
	done, err := operationResult(VerbTransfer, r.ID, r.levels(), a)
	if err != nil {
		return TransferResult{}, err
	}
	if err := s.awaitOperation(ctx, r.ID, done.birth, a.Epoch); err != nil {
		return TransferResult{}, fmt.Errorf("transfer %q: %w", r.ID, err)
	}
	return TransferResult{From: done.Levels[0], To: done.Levels[1], At: done.At, Replay: done.Replay, Durable: s.durable()}, nil
}

// transferred answers a transfer that the ledger has already.
func (s *Store) transferred(ctx context.Context, r *TransferRequest, at time.Time) (TransferResult, error) {
	levels, err := s.levelsAsked(ctx, r.levels())
	if err != nil {
		return TransferResult{}, fmt.Errorf("transfer %q: %w", r.ID, err)
	}
	return TransferResult{From: levels[0], To: levels[1], At: at, Replay: true, Durable: s.durable()}, nil
}

// levels names the two levels.
func (r *TransferRequest) levels() []Change {
	return []Change{{SKU: r.SKU, Location: r.From}, {SKU: r.SKU, Location: r.To}}
}

func (r *TransferRequest) validate() error {
	var f faults
	f.identifier("/id", r.ID)
	f.identifier("/sku", string(r.SKU))
	f.identifier("/from", string(r.From))
	f.identifier("/to", string(r.To))
	if r.From == r.To && r.To != "" {
		f.add("/to", "must be another location than from")
	}
	f.quantity("/quantity", r.Quantity)
	f.short("/reason", r.Reason)
	f.short("/actor", r.Actor)
	return f.err()
}

func (r *TransferRequest) refused(a shard.Answer) error {
	f := wire.FieldReader{Rest: a.Payload}
	var err error
	switch a.Status {
	case wire.StatusNoLevel:
		return fmt.Errorf("transfer %q: no level of %s at %s: %w", r.ID, r.SKU, r.From, ErrNotFound)
	case wire.StatusInsufficient:
		err = &InsufficientError{Shortages: []Shortage{{SKU: r.SKU, Requested: r.Quantity, Available: f.Number()}}}
	case wire.StatusExceeds:
		err = &InvalidError{Faults: []Fault{{Path: "/quantity",
			Message: fmt.Sprintf("would take on hand at %s from %d over %d", r.To, f.Number(), QuantityMax)}}}
	case wire.StatusTooManyLocations:
		return &InvalidError{Faults: []Fault{{Path: "/to", Message: fmt.Sprintf("would be one location more than %d", LocationsMax)}}}
	default:
		return refusal(VerbTransfer, r.ID, a)
	}
	if f.Failed {
		return fmt.Errorf("transfer %q: answered %q: %w", r.ID, a.Payload, ErrCorrupt)
	}
	return err
}

// fingerprint identifies a transfer without its id.
func (r *TransferRequest) fingerprint() string {
	f := fingerprinter{}
	f.text(string(VerbTransfer))
	f.text(r.Reason)
	f.text(r.Actor)
	f.text(string(r.SKU))
	f.text(string(r.From))
	f.text(string(r.To))
	f.number(r.Quantity)
	return f.sum()
}

// transferCall is a TransferRequest as its script takes it.
type transferCall struct {
	request     *TransferRequest
	fingerprint string
}

func (c *transferCall) ID() string { return c.request.ID }

func (c *transferCall) Weight() int { return 2 }

func (c *transferCall) Arguments(b *shard.Batch) {
	r := c.request
	b.Add(c.fingerprint, r.Reason, r.Actor, wire.LevelField(r.SKU, r.From), wire.LevelField(r.SKU, r.To), strconv.FormatInt(r.Quantity, 10))
}
