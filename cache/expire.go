package cache

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

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
	reply, err := s.shard.Expire(ctx)
	if err != nil {
		return 0, false, err
	}
	if len(reply) != 6 {
		return 0, false, fmt.Errorf("%w: expire answered %d values", ErrCorrupt, len(reply))
	}
	var numbers [2]int
	for i := range numbers {
		text, _ := reply[3+i].(string)
		if numbers[i], err = strconv.Atoi(text); err != nil {
			return 0, false, fmt.Errorf("%w: expire answered %q", ErrCorrupt, text)
		}
	}
	if numbers[1] > 0 {
		s.options.Logger.Error("overdue reservations cannot be expired: their levels are missing or broken; audit this shard",
			"reservations", numbers[1])
	}
	return numbers[0], reply[5] == "1", nil
}
