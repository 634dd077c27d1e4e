package reconcile

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
)

// shortPart is what a confirmed reservation has committed at a level, with all of its lines.
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
		if left[part.level] > 0 {
			lists[part.level] = append(lists[part.level], part.ShortReservation)
			left[part.level] -= part.Quantity
		}
	}
	return lists
}

// Short names reservations. It reads as many lines of each SKU as it takes to find limit reservations that are
// confirmed, the newest first; where that takes too long, it says nothing of how the ledger is. One round trip.
func (p *Postgres) Short(ctx context.Context, levels []cache.LevelShort, limit int) (lists [][]cache.ShortReservation, err error) {
	const query = `
select u.n - 1, s.id, s."order", s.customer, s.units
from unnest($1::text[], $2::text[]) with ordinality as u (sku, location, n) cross join lateral (
    select r.id, r."order", r.customer, l.created_at, sum(f.quantity - f.fulfilled)::bigint as units
    from reservation_lines l join reservations r on r.id = l.reservation_id
        cross join unnest(l.locations, l.quantities, l.fulfilled) as f (location, quantity, fulfilled)
    where l.sku = u.sku and f.location = u.location and f.quantity > f.fulfilled
        and r.state = 'confirmed' and r.resolved_at is null
    group by l.created_at, r.id order by l.created_at desc, r.id desc limit $3
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
			if units := committedAt(&r.record, level.LevelName); r.record.State == cache.StateConfirmed && units > 0 {
				list = append(list, shortPart{i, cache.ShortReservation{
					ID: id, Order: r.record.Order, Customer: r.record.Customer, Quantity: units,
				}})
			}
		}
		slices.SortFunc(list, func(a, b shortPart) int {
			return cmp.Or(cmp.Compare(m.reservations[b.ID].record.Created, m.reservations[a.ID].record.Created), strings.Compare(b.ID, a.ID))
		})
		parts = append(parts, list[:min(limit, len(list))]...)
	}
	return shortOf(levels, parts), nil
}

// committedAt is what the lines of a confirmed reservation have committed at a level.
func committedAt(r *cache.Record, at cache.LevelName) (units int64) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			if line.SKU == at.SKU && a.Location == at.Location {
				units += a.Quantity - a.Fulfilled
			}
		}
	}
	return units
}
