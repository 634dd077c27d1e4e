package cache

import (
	"context"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/location"
)

// UnfulfillRequest asks for units that have left to go back to their reservation, because their
// shipment was cancelled.
type UnfulfillRequest struct {
	ID          string // id of the unfulfill, which is an operation, and idempotency key; required
	Reservation string
	Version     int64          // the version that the reservation must have; 0 allows any
	Lines       []LineQuantity // units, or kits, that left and did not come back; required
	To          location.ID    // the location that takes them; "" for those that they left from
}

// Unfulfill makes units that have left confirmed units of the same reservation again. They are on
// hand and committed in the same step, so that available does not change and nobody else can take
// them. The reservation is confirmed afterwards, also if it was fulfilled. Purchase limits count it
// as before, and a kit comes back whole.
//
// Units come back to the location that they left from. If a line was served from several, those that
// left last come back first. With To all come back there, and To serves them from then on. A location
// without a level gets one. If Redis has forgotten the reservation, Unfulfill uses the ledger's
// record. Units that were returned, or that a released sale has shipped, can't be unfulfilled: take
// them back with Return.
//
// Unfulfill is safe to repeat: the same ID with the same request changes nothing and answers the
// reservation as it is now.
//
// Errors, in order of precedence:
//   - *InvalidError
//   - ErrNotDurable, if the ledger does not answer; nothing was changed
//   - ErrIDConflict, if the ledger has another operation with this ID
//   - *InvalidError, if the directory does not have To
//   - ErrRebuilding
//   - ErrNotFound
//   - ErrIDConflict, if the reservation's ID or the unfulfill's ID belongs to another
//   - *WrongStateError, if it is neither confirmed nor fulfilled
//   - *VersionError
//   - ErrNotDurable, if the ledger has not decided the step before
//   - *InvalidError, if there is no such line or fewer units are out, on hand would exceed
//     QuantityMax, or the locations LocationsMax
//   - ErrNotDurable, if the ledger did not decide in time; repeat with the same ID
//
// Unfulfill costs one round trip to the ledger, two to Redis, each shared with its batch, and the
// wait for the ledger. Without a ledger it costs one round trip to Redis.
func (s *Store) Unfulfill(ctx context.Context, r UnfulfillRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(VerbUnfulfill, started, result.Replay, err) }()
	if err := r.validate(); err != nil {
		return Result{}, err
	}
	call := &transitionCall{
		verb: VerbUnfulfill, request: &TransitionRequest{ID: r.Reservation, Version: r.Version, Lines: r.Lines},
		operation: r.ID, fingerprint: stepFingerprint(VerbUnfulfill, r.Reservation, r.Version, r.To, r.Lines...), back: &backArguments{to: r.To},
	}
	if r.To != "" {
		call.unknown = func(f *faults) { s.unknown(f, "/to", r.To) }
	}
	return s.transit(ctx, call, func(verb Verb, a shard.Answer) error { return refusedBack(verb, r.ID, r.Reservation, a) })
}

func (r *UnfulfillRequest) validate() error {
	var f faults
	f.identifier("/id", r.ID)
	f.identifier("/reservation", r.Reservation)
	f.version("/version", r.Version)
	f.optional("/to", string(r.To))
	f.requiredQuantities(r.Lines)
	return f.err()
}
