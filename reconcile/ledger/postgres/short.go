package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Short names confirmed reservations of short levels: first those with lines that may be backordered,
// each the newest first. It reads the lines of each SKU in that order, until it has limit confirmed
// reservations. If that takes too long, the ledger still counts as healthy. One round trip.
func (p *Ledger) Short(ctx context.Context, levels []cache.LevelShort, limit int) (lists [][]cache.ShortReservation, err error) {
	const committed = `
    select r.id, r."order", r.customer, l.created_at, sum(f.quantity - f.fulfilled)::bigint as units
    from reservation_lines l join reservations r on r.id = l.reservation_id
        cross join unnest(l.locations, l.quantities, l.fulfilled) as f (location, quantity, fulfilled)
    where l.sku = u.sku and f.location = u.location and f.quantity > f.fulfilled
        and r.state = 'confirmed' and r.resolved_at is null and `
	const newest = ` group by l.created_at, r.id order by l.created_at desc, r.id desc limit $3`
	const query = `
select u.n - 1, s.id, s."order", s.customer, s.units
from unnest($1::text[], $2::text[]) with ordinality as u (sku, location, n) cross join lateral (
    select true as backorder, b.* from (` + committed + `l.backorder` + newest + `) b
    union all
    select false, b.* from (` + committed + `not l.backorder` + newest + `) b
) s order by u.n, s.backorder desc, s.created_at desc, s.id desc`
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	err = p.ask(ctx, func(ctx context.Context) error {
		skus, locations := levelColumns(ledger.Column(levels, func(l cache.LevelShort) ledger.LevelKey { return l.LevelName }))
		parts, err := collect(ctx, p.pages, func(row pgx.CollectableRow) (s ledger.ShortPart, err error) {
			err = row.Scan(&s.Level, &s.ID, &s.Order, &s.Customer, &s.Quantity)
			return s, err
		}, query, skus, locations, limit)
		lists = ledger.Shortfalls(levels, parts, limit)
		return err
	})
	return lists, err
}
