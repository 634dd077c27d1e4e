package cache

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// ExtendRequest asks to move the deadline of a held reservation to now + TTL.
type ExtendRequest struct {
	ID      string
	TTL     time.Duration // whole seconds; 0 is Options.TTL
	Version int64         // the version that the reservation must have; 0 allows any

	// NotAfter is the last moment at which the call may be made, by the clock of this process. A later
	// call is refused and changes nothing, even if it is a repeat. Zero is no bound.
	NotAfter time.Time
}

// Extend moves the deadline of a held reservation to now + TTL.
//
// With Version, Extend is safe to repeat. Without it, each call counts from its own now and raises
// the version.
//
// Errors, in order of precedence:
//   - *InvalidError
//   - *ExpiredRequestError
//   - ErrRebuilding
//   - ErrNotFound, or ErrNotDurable if Redis does not have the ID and the ledger does not answer
//   - ErrIDConflict, if the ledger has another reservation with this ID
//   - *WrongStateError, if it is not held, or its deadline has passed
//   - *VersionError
//
// Extend costs one round trip, shared with its batch, and one to the ledger if Redis does not have
// the ID.
func (s *Store) Extend(ctx context.Context, r ExtendRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(VerbExtend, started, result.Replay, err) }()
	if err := r.validate(s.options.TTLMax); err != nil {
		return Result{}, err
	}
	if err := s.inTime(r.NotAfter); err != nil {
		return Result{}, err
	}
	if r.TTL == 0 {
		r.TTL = s.options.TTL
	}
	a := s.send(ctx, VerbExtend, &extendCall{request: &r})
	switch {
	case a.Err != nil:
		return Result{}, fmt.Errorf("extend %q: %w", r.ID, a.Err)
	case a.Status == wire.StatusDone || a.Status == wire.StatusRepeat:
		result, err := s.result(r.ID, a, a.Status == wire.StatusRepeat)
		s.countBackordered(ctx, time.Now().Add(s.options.Timeout), &result.Reservation)
		return result, err
	case a.Status == wire.StatusNotFound && s.options.Ledger != nil:
		return Result{}, s.forgottenHold(ctx, r.ID, a)
	default:
		return Result{}, refusal(VerbExtend, r.ID, a)
	}
}

// forgottenHold returns why a reservation that Redis does not have can't be extended. What Redis
// has forgotten is not held any more.
func (s *Store) forgottenHold(ctx context.Context, id string, a shard.Answer) error {
	ctx, cancel := s.within(ctx, 0)
	defer cancel()
	row, err := s.options.Ledger.Reservation(ctx, id)
	switch state := row.Record.State; {
	case err != nil:
		return fmt.Errorf("%s %q: %w", VerbExtend, id, err)
	case state == StateHeld || state == StateConfirmed: // made since, or lost by Redis
		return refusal(VerbExtend, id, a)
	default:
		return &WrongStateError{State: state}
	}
}

// extendCall is an ExtendRequest as its script takes it.
type extendCall struct{ request *ExtendRequest }

func (c *extendCall) ID() string { return c.request.ID }

func (c *extendCall) Weight() int { return 1 }

func (c *extendCall) NotAfter() time.Time { return c.request.NotAfter }

func (c *extendCall) Arguments(b *shard.Batch) {
	version, ttl := versionText(c.request.Version), strconv.FormatInt(c.request.TTL.Milliseconds(), 10)
	b.Add(version, "extend/"+version+"/"+ttl, ttl)
}

// Expire gives back the units of reservations whose deadline has passed, the oldest first: one call
// gives back at most four groups of up to 64 reservations. It returns the number of reservations it
// expired, and whether more may be due. It is safe to repeat, and to call from several processes at
// once. It need not be called in time: Reserve gives back overdue units before it refuses for lack
// of units.
//
// Refusals: ErrRebuilding. One round trip.
func (s *Store) Expire(ctx context.Context) (expired int, more bool, err error) {
	started := time.Now()
	defer func() { s.observe(VerbExpire, started, false, err) }()
	done, broken, more, err := s.shard.Expire(ctx)
	if broken > 0 {
		s.options.Logger.Error("overdue reservations cannot be expired: their levels are missing or broken; audit this shard",
			"reservations", broken)
	}
	return int(done), more, err
}
