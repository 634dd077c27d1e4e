package cache

import (
	"context"

	"github.com/holdfast/holdfast/internal/wire"
)

// nameShort says of levels that have a shortfall which reservations it concerns. What was counted stays
// counted where the ledger does not say: the call is answered without.
func (s *Store) nameShort(ctx context.Context, levels []AdjustedLevel) {
	var asked []LevelShort
	var of []int
	for i := range levels {
		if units := levels[i].Shortfall(); units > 0 {
			asked = append(asked, LevelShort{wire.LevelName{SKU: levels[i].SKU, Location: levels[i].Location}, units})
			of = append(of, i)
		}
	}
	if len(asked) == 0 || s.options.Ledger == nil {
		return
	}
	short, err := s.options.Ledger.Short(ctx, asked, ShortReservationsMax)
	if err != nil || len(short) != len(asked) {
		s.options.Logger.Warn("a count is below what is sold, and the ledger does not say which reservations", "levels", len(asked), "error", err)
		return
	}
	for i, list := range short {
		levels[of[i]].Short = list
	}
}
