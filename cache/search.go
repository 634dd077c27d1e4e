package cache

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// Search reads reservations from the ledger, the newest first. The ledger is usually less than a
// second behind Redis.
//
// Errors, in order of precedence: *InvalidError; ErrNotDurable if there is no ledger, or it does
// not answer.
//
// Search costs one round trip to the ledger, and one to Redis for its clock. If Redis does not
// answer, the clock of this process decides which holds are overdue.
func (s *Store) Search(ctx context.Context, filter ReservationFilter) (ReservationPage, error) {
	if err := filter.validate(); err != nil {
		return ReservationPage{}, err
	}
	if s.options.Ledger == nil {
		return ReservationPage{}, fmt.Errorf("search: %w: this store has no ledger to search", ErrNotDurable)
	}
	now := time.Now().UnixMilli()
	var clock *redis.TimeCmd
	if err := s.shard.Read(ctx, func(pipe redis.Pipeliner) { clock = pipe.Time(ctx) }); err == nil {
		now = clock.Val().UnixMilli()
	}
	page, err := s.options.Ledger.Search(ctx, filter, now)
	if err != nil {
		return ReservationPage{}, fmt.Errorf("search: %w", err)
	}
	return page, nil
}

func (f *ReservationFilter) validate() error {
	var wrong faults
	switch f.State {
	case "", StateHeld, StateConfirmed, StateFulfilled, StateReleased, StateExpired:
	default:
		wrong.add("/state", "is %q, must be held, confirmed, fulfilled, released or expired", f.State)
	}
	wrong.optional("/order", f.Order)
	wrong.optional("/customer", f.Customer)
	wrong.optional("/line", f.Line)
	wrong.optional("/sku", string(f.SKU))
	wrong.optional("/location", string(f.Location))
	f.Limit = orDefault(f.Limit, ReservationPageDefault)
	if f.Limit < 1 || f.Limit > ReservationPageMax {
		wrong.add("/limit", "must be from 1 to %d", ReservationPageMax)
	}
	if _, _, ok := f.After(); !ok {
		wrong.add("/cursor", "was not issued by this server")
	}
	return wrong.err()
}

// endOfTime is later than any clock, Unix ms.
const endOfTime = 1 << 45

// After returns the reservation after which the page begins, by the cursor: when it was made, Unix
// ms, and its id. ok is false if the cursor is malformed. The first page begins at the end of time.
func (f *ReservationFilter) After() (created int64, id string, ok bool) {
	if f.Cursor == "" {
		return endOfTime, "", true
	}
	raw, err := base64.RawURLEncoding.DecodeString(f.Cursor)
	text, id, found := strings.Cut(string(raw), wire.UnitSeparator)
	created, wrong := strconv.ParseInt(text, 10, 64)
	return created, id, err == nil && wrong == nil && found && location.IsIdentifier(id) && created >= 0 && created <= endOfTime
}

// ReservationCursor returns the cursor of the page that begins after a reservation.
func ReservationCursor(created int64, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(created, 10) + wire.UnitSeparator + id))
}
