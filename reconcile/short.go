package reconcile

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
)

// shortPart is what one line of a confirmed reservation has committed at a level.
type shortPart struct {
	level int // which of those asked for
	cache.ShortReservation
}

// shortOf makes of parts, those of a level the newest first, the reservations that add up to what each level
// is short of.
func shortOf(levels []cache.LevelShort, parts []shortPart) [][]cache.ShortReservation {
	lists, left := make([][]cache.ShortReservation, len(levels)), make([]int64, len(levels))
	for i := range levels {
		left[i] = levels[i].Units
	}
	for _, part := range parts {
		list := lists[part.level]
		switch last := len(list) - 1; {
		case last >= 0 && list[last].ID == part.ID:
			list[last].Quantity += part.Quantity
		case left[part.level] > 0:
			lists[part.level] = append(list, part.ShortReservation)
		default:
			continue
		}
		left[part.level] -= part.Quantity
	}
	return lists
}

// Short names reservations. It reads as many lines of each SKU as it takes to find limit that are confirmed,
// the newest first; where that takes too long, it says nothing of how the ledger is. One round trip.
func (p *Postgres) Short(ctx context.Context, levels []cache.LevelShort, limit int) (lists [][]cache.ShortReservation, err error) {
	const query = `
select u.n - 1, s.id, s."order", s.customer, s.units
from unnest($1::text[], $2::text[]) with ordinality as u (sku, location, n) cross join lateral (
    select r.id, r."order", r.customer, l.created_at, f.quantity - f.fulfilled as units
    from reservation_lines l join reservations r on r.id = l.reservation_id
        cross join unnest(l.locations, l.quantities, l.fulfilled) as f (location, quantity, fulfilled)
    where l.sku = u.sku and f.location = u.location and f.quantity > f.fulfilled
        and r.state = 'confirmed' and r.resolved_at is null
    order by l.created_at desc, l.reservation_id desc limit $3
) s order by u.n, s.created_at desc, s.id desc`
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	err = p.ask(ctx, func(ctx context.Context) error {
		rows, _ := p.pool.Query(ctx, query, // its error is that of the rows
			column(levels, func(l cache.LevelShort) string { return string(l.SKU) }),
			column(levels, func(l cache.LevelShort) string { return string(l.Location) }), limit)
		parts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s shortPart, err error) {
			return s, row.Scan(&s.level, &s.ID, &s.Order, &s.Customer, &s.Quantity)
		})
		lists = shortOf(levels, parts)
		return err
	})
	return lists, err
}

// Short names reservations.
func (m *Memory) Short(_ context.Context, levels []cache.LevelShort, limit int) ([][]cache.ShortReservation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var parts []shortPart
	for i, level := range levels {
		var list []shortPart
		for id, r := range m.reservations {
			if r.record.State == cache.StateConfirmed {
				list = append(list, partsAt(i, id, &r.record, level.LevelName)...)
			}
		}
		slices.SortFunc(list, func(a, b shortPart) int {
			return cmp.Or(cmp.Compare(m.reservations[b.ID].record.Created, m.reservations[a.ID].record.Created), strings.Compare(b.ID, a.ID))
		})
		parts = append(parts, list[:min(limit, len(list))]...)
	}
	return shortOf(levels, parts), nil
}

// partsAt is what the lines of a reservation have committed at a level.
func partsAt(level int, id string, r *cache.Record, at cache.LevelName) (parts []shortPart) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			if line.SKU == at.SKU && a.Location == at.Location && a.Quantity > a.Fulfilled {
				parts = append(parts, shortPart{level, cache.ShortReservation{
					ID: id, Order: r.Order, Customer: r.Customer, Quantity: a.Quantity - a.Fulfilled,
				}})
			}
		}
	}
	return parts
}
