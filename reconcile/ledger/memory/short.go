package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Short names confirmed reservations of short levels: first those with lines that may be backordered,
// each the newest first.
func (m *Ledger) Short(_ context.Context, levels []cache.LevelShort, limit int) ([][]cache.ShortReservation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var parts []ledger.ShortPart
	for i, level := range levels {
		for _, backorder := range []bool{true, false} {
			var list []ledger.ShortPart
			for id, r := range m.reservations {
				units := ledger.CommittedAt(&r.Record, level.LevelName, backorder)
				if r.Record.State == cache.StateConfirmed && units > 0 {
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
	}
	return ledger.Shortfalls(levels, parts, limit), nil
}
