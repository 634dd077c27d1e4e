package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Short names the newest confirmed reservations of short levels.
func (m *Ledger) Short(_ context.Context, levels []cache.LevelShort, limit int) ([][]cache.ShortReservation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var parts []ledger.ShortPart
	for i, level := range levels {
		var list []ledger.ShortPart
		for id, r := range m.reservations {
			if units := ledger.CommittedAt(&r.Record, level.LevelName); r.Record.State == cache.StateConfirmed && units > 0 {
				list = append(list, ledger.ShortPart{Level: i, ShortReservation: cache.ShortReservation{
					ID: id, Order: r.Record.Order, Customer: r.Record.Customer, Quantity: units,
				}})
			}
		}
		slices.SortFunc(list, func(a, b ledger.ShortPart) int {
			return cmp.Or(cmp.Compare(m.reservations[b.ID].Record.Created, m.reservations[a.ID].Record.Created), strings.Compare(b.ID, a.ID))
		})
		parts = append(parts, list[:min(limit, len(list))]...)
	}
	return ledger.Shortfalls(levels, parts), nil
}
