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

// TransferRequest asks to move units of a SKU from one location to another.
type TransferRequest struct {
	ID         string // id of the operation, and idempotency key; required
	SKU        location.SKU
	From, To   location.ID
	Quantity   int64  // units, 1 to QuantityMax
	Reason     string // optional, kept with the event
	Actor      string // optional: who did it
	OnBehalfOf string // optional: the person for whom the actor did it
	RequestID  string // optional: of the call, kept with the event; a repeat may have another

	// NotAfter is the last moment at which the call may take units, by the clock of this process. A
	// later call is refused and takes nothing, even if it is a repeat. Zero is no bound.
	NotAfter time.Time
}

// TransferResult is the two levels after a transfer.
type TransferResult struct {
	From, To AdjustedLevel
	At       time.Time // when the transfer was applied, by Redis's clock
	Replay   bool      // an earlier call with this ID made the transfer; this one changed nothing
	Durable  bool      // the ledger has it; false without a ledger
}

// Transfer moves units from one location to another in one step. Only units that are on hand and
// available move: held and committed units and safety stock stay. Transfer makes the level at To if
// there is none. If units are short, it first gives back the units of overdue holds.
//
// Transfer is safe to repeat: the same ID with the same request moves nothing and answers the
// levels as they are now.
//
// Errors, in order of precedence:
//   - *InvalidError
//   - *ExpiredRequestError
//   - ErrNotDurable, if the ledger does not answer; nothing was changed
//   - ErrIDConflict, if the ledger has another operation with this ID
//   - *InvalidError, if the directory does not have To
//   - ErrRebuilding
//   - ErrIDConflict, if Redis has another operation with this ID
//   - ErrNotFound, if there is no level at From
//   - *InsufficientError
//   - *InvalidError, if on hand at To would exceed QuantityMax, or the locations LocationsMax
//   - ErrNotDurable, if the ledger did not decide in time; repeat with the same ID
//
// Transfer costs one round trip to the ledger, one to Redis, shared with its batch, and the wait
// for the ledger. Without a ledger it costs one round trip to Redis.
func (s *Store) Transfer(ctx context.Context, r TransferRequest) (result TransferResult, err error) {
	started := time.Now()
	defer func() { s.observe(VerbTransfer, started, result.Replay, err) }()
	if err := r.validate(); err != nil {
		return TransferResult{}, err
	}
	if err := s.inTime(r.NotAfter); err != nil {
		return TransferResult{}, err
	}
	ctx, cancel := s.within(ctx, s.options.DurableWait)
	defer cancel()
	call := &transferCall{request: &r, fingerprint: r.fingerprint()}
	done, err := s.operate(ctx, operationCall{
		verb: VerbTransfer, id: r.ID, fingerprint: call.fingerprint,
		levels: []Change{{SKU: r.SKU, Location: r.From}, {SKU: r.SKU, Location: r.To}},
		send:   func() shard.Answer { return s.send(ctx, VerbTransfer, call) }, refused: r.refused,
		unknown: func(f *faults) { s.unknown(f, "/to", r.To) },
	})
	if err != nil {
		return TransferResult{}, err
	}
	return TransferResult{From: done.Levels[0], To: done.Levels[1], At: done.At, Replay: done.Replay, Durable: done.Durable}, nil
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
	f.short("/on_behalf_of", r.OnBehalfOf)
	f.short("/request_id", r.RequestID)
	return f.err()
}

// fingerprint identifies the request without its ID.
func (r *TransferRequest) fingerprint() string {
	f := fingerprinter{}
	f.text(string(VerbTransfer))
	f.text(r.Reason)
	f.text(r.Actor)
	f.text(string(r.SKU))
	f.text(string(r.From))
	f.text(string(r.To))
	f.number(r.Quantity)
	f.onBehalfOf(r.OnBehalfOf)
	return f.sum()
}

// transferCall is a TransferRequest as its script takes it.
type transferCall struct {
	request     *TransferRequest
	fingerprint string
}

func (c *transferCall) ID() string { return c.request.ID }

func (c *transferCall) Weight() int { return 3 }

func (c *transferCall) NotAfter() time.Time { return c.request.NotAfter }

func (c *transferCall) Arguments(b *shard.Batch) {
	r := c.request
	b.Add(c.fingerprint, r.Reason, wire.By(r.Actor, r.OnBehalfOf, r.RequestID), wire.LevelField(r.SKU, r.From), wire.LevelField(r.SKU, r.To), strconv.FormatInt(r.Quantity, 10))
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
		err = invalid("/quantity", "would take on hand at %s from %d over %d", r.To, f.Number(), QuantityMax)
	case wire.StatusTooManyLocations:
		return invalid("/to", "would be one location more than %d", LocationsMax)
	default:
		return refusal(VerbTransfer, r.ID, a)
	}
	if f.Failed {
		return fmt.Errorf("transfer %q: answered %q: %w", r.ID, a.Payload, ErrCorrupt)
	}
	return err
}
