package reconcile

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// read reads what events touch into the working copy. The position is locked: nobody else writes what
// belongs to this shard.
func (b *book) read(ctx context.Context, tx pgx.Tx, t *touched) error {
	if len(t.ids) > 0 {
		found, err := readReservations(ctx, tx, sortedKeys(t.ids))
		if err != nil {
			return err
		}
		b.reservations = found
		for _, r := range found {
			t.add(&r.record)
		}
	}
	if len(t.levels) > 0 {
		if err := b.readLevels(ctx, tx, t.levelKeys()); err != nil {
			return err
		}
	}
	if len(t.operations) > 0 {
		rows, _ := tx.Query(ctx, `select id from operations where id = any($1)`, sortedKeys(t.operations))
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, id := range ids {
			b.operations[id] = true
		}
	}
	return nil
}

// readLevels reads levels, and what they were before.
func (b *book) readLevels(ctx context.Context, tx pgx.Tx, keys []levelKey) error {
	const query = `
select sku, location, on_hand, held, committed, safety_stock, backorder_limit from levels
where (sku, location) in (select * from unnest($1::text[], $2::text[]))`
	skus, places := make([]location.SKU, len(keys)), make([]location.ID, len(keys))
	for i, key := range keys {
		skus[i], places[i] = key.sku, key.at
	}
	var key levelKey
	var l level
	rows, err := tx.Query(ctx, query, skus, places)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, []any{&key.sku, &key.at, &l.onHand, &l.held, &l.committed, &l.safetyStock, &l.backorderLimit}, func() error {
		found := l
		b.levels[key], b.before[key] = &found, l
		return nil
	})
	return err
}

// readReservations reads reservations with their lines; those that are not there are missing.
func readReservations(ctx context.Context, db querier, ids []string) (map[string]*reservation, error) {
	const heads = `
select id, birth, state, version, created_at, expires_at, coalesce(resolved_at, 'epoch'), fingerprint, transition, channel,
    customer, "order"
from reservations where id = any($1)`
	found := map[string]*reservation{}
	var id string
	var r cache.Record
	var created, expires, resolvedAt time.Time
	rows, err := db.Query(ctx, heads, ids)
	if err != nil {
		return nil, err
	}
	_, err = pgx.ForEachRow(rows, []any{&id, &r.Birth, &r.State, &r.Version, &created, &expires, &resolvedAt, &r.Fingerprint,
		&r.Transition, &r.Channel, &r.Customer, &r.Order}, func() error {
		record := r
		record.Created, record.Expires = created.UnixMilli(), expires.UnixMilli()
		found[id] = &reservation{record: record, at: resolvedAt.UnixMilli()}
		return nil
	})
	if err != nil || len(found) == 0 {
		return found, err
	}
	return found, readLines(ctx, db, ids, found)
}

func readLines(ctx context.Context, db querier, ids []string, of map[string]*reservation) error {
	const query = `
select reservation_id, line, sku, requested, returned, locations, quantities, fulfilled
from reservation_lines where reservation_id = any($1) order by reservation_id, position`
	rows, err := db.Query(ctx, query, ids)
	if err != nil {
		return err
	}
	var id string
	var l cache.RecordLine
	var places []string
	var quantities, fulfilled []int64
	_, err = pgx.ForEachRow(rows, []any{&id, &l.Line, &l.SKU, &l.Requested, &l.Returned, &places, &quantities, &fulfilled}, func() error {
		line := l
		for i := range places {
			line.From = append(line.From, cache.RecordAllocation{
				Location: location.ID(places[i]), Quantity: quantities[i], Fulfilled: fulfilled[i],
			})
		}
		if r := of[id]; r != nil {
			r.record.Lines = append(r.record.Lines, line)
		}
		return nil
	})
	return err
}
