package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// batcher is a connection, a pool or a transaction.
type batcher interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}

// queueRead queues the reads of the rows that events touch into a working set. The position is
// locked, so nobody else writes rows of this shard.
func queueRead(set *ledger.WorkingSet, batch *pgx.Batch, shard int32, t *ledger.RowKeys) {
	if t.Checkpoints {
		queueRefusals(set, batch, shard, t)
	}
	if len(t.Reservations)+len(t.Compared) > 0 {
		queueReservations(batch, t.ReservationIDs(), set.Reservations)
	}
	queueCounted(set, batch, t)
	if len(t.Operations) > 0 {
		batch.Queue(`select id from operations where id = any($1)`, ledger.SortedKeys(t.Operations)).Query(func(rows pgx.Rows) error {
			var id string
			_, err := pgx.ForEachRow(rows, []any{&id}, func() error { set.Operations[id] = true; return nil })
			return err
		})
	}
}

// queueCounted queues the reads of levels and of limit counts.
func queueCounted(set *ledger.WorkingSet, batch *pgx.Batch, t *ledger.RowKeys) {
	if len(t.Levels) > 0 {
		queueLevels(set, batch, t.LevelKeys())
	}
	if len(t.Limits) > 0 {
		queueLimits(set, batch, t.LimitKeys())
	}
}

// readRest reads the levels and limits of the ledger's reservations that their events do not name.
// It takes a round trip only if there are any.
func readRest(ctx context.Context, db batcher, set *ledger.WorkingSet, t *ledger.RowKeys) error {
	if err := readRefused(ctx, db, set); err != nil {
		return err
	}
	rest := ledger.RowKeysOf(nil)
	for id, r := range set.Reservations {
		if t.Reservations[id] {
			rest.Add(&r.Record)
		}
	}
	rest.Without(t)
	if len(rest.Levels)+len(rest.Limits) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	queueCounted(set, batch, rest)
	return db.SendBatch(ctx, batch).Close()
}

// queueLevels queues the reads of levels.
func queueLevels(set *ledger.WorkingSet, batch *pgx.Batch, keys []ledger.LevelKey) {
	const query = selectLevels + `where (sku, location) in (select * from unnest($1::text[], $2::text[]))`
	skus, locations := levelColumns(keys)
	batch.Queue(query, skus, locations).Query(func(rows pgx.Rows) error { return collectIntoSet(set, rows) })
}

// levelColumns returns the columns of levels, as unnest takes them.
func levelColumns(keys []ledger.LevelKey) ([]location.SKU, []location.ID) {
	return ledger.Column(keys, func(k ledger.LevelKey) location.SKU { return k.SKU }),
		ledger.Column(keys, func(k ledger.LevelKey) location.ID { return k.Location })
}

// limitColumns returns the columns of purchase limits, as unnest takes them. The column customer has
// the identity.
func limitColumns(keys []wire.LimitKey) (limits, customers []string) {
	return ledger.Column(keys, func(k wire.LimitKey) string { return k.Limit }),
		ledger.Column(keys, func(k wire.LimitKey) string { return k.Identity })
}

// collectIntoSet adds levels to a working set, as they are and as they were before it.
func collectIntoSet(set *ledger.WorkingSet, rows pgx.Rows) error {
	list, err := pgx.CollectRows(rows, scanLevel)
	for i := range list {
		l := &list[i]
		set.Levels[l.LevelName], set.Before[l.LevelName] = &l.Level, l.Level
	}
	return err
}

// queueLimits queues the reads of limit counts.
func queueLimits(set *ledger.WorkingSet, batch *pgx.Batch, keys []wire.LimitKey) {
	const query = `
select limit_id, customer, units from limit_counts
where (limit_id, customer) in (select * from unnest($1::text[], $2::text[]))`
	limits, customers := limitColumns(keys)
	batch.Queue(query, limits, customers).Query(func(rows pgx.Rows) error {
		var key wire.LimitKey
		var units int64
		_, err := pgx.ForEachRow(rows, []any{&key.Limit, &key.Identity, &units}, func() error {
			set.Limits[key] = units
			return nil
		})
		return err
	})
}

// readReservations reads reservations with their lines. It leaves out ids that do not exist. One
// round trip.
func readReservations(ctx context.Context, db batcher, ids []string) (map[string]*ledger.Reservation, error) {
	found := map[string]*ledger.Reservation{}
	batch := &pgx.Batch{}
	queueReservations(batch, ids, found)
	return found, db.SendBatch(ctx, batch).Close()
}

// readRows reads reservations with their lines, and what only the ledger keeps. It leaves out ids
// that do not exist. One round trip.
func readRows(ctx context.Context, db batcher, ids []string) (map[string]*wire.ReservationRow, error) {
	// After the heads: metadata may be newer than its record, but is never older.
	const query = `
select r.id, r.metadata, r.ship_to, r.pickup, d.lines
from reservations r left join line_destinations d on d.reservation_id = r.id
where r.id = any($1) and (r.metadata is not null or r.ship_to is not null or r.pickup <> '' or d.lines is not null)`
	found, batch := map[string]*ledger.Reservation{}, &pgx.Batch{}
	queueReservations(batch, ids, found)
	kept := map[string]wire.ReservationRow{}
	batch.Queue(query, ids).Query(func(rows pgx.Rows) error {
		var row wire.ReservationRow
		_, err := pgx.ForEachRow(rows, []any{&row.ID, &row.Metadata, &row.ShipTo, &row.Pickup, &row.Lines}, func() error {
			kept[row.ID], row = row, wire.ReservationRow{}
			return nil
		})
		return err
	})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	list := make(map[string]*wire.ReservationRow, len(found))
	for id, r := range found {
		row := kept[id]
		row.ID, row.Record = id, r.Record
		if row.Metadata == nil {
			row.Metadata = map[string]string{}
		}
		list[id] = &row
	}
	return list, nil
}

// selectHeads and selectLines read reservations; their users add the condition.
const (
	selectHeads = `
select id, birth, state, version, created_at, expires_at, coalesce(resolved_at, 'epoch'), fingerprint, transition, channel,
    customer, "order"
from reservations r `
	selectLines = `
select reservation_id, line, kit, kit_quantity, limits, backorder, sku, requested, returned, locations, quantities, fulfilled
from reservation_lines `
)

// queueReservations queues the reads of reservations into found.
func queueReservations(batch *pgx.Batch, ids []string, found map[string]*ledger.Reservation) {
	const heads = selectHeads + `where id = any($1)`
	const lines = selectLines + `where reservation_id = any($1) order by reservation_id, position`
	batch.Queue(heads, ids).Query(func(rows pgx.Rows) error { return collectHeads(rows, found) })
	batch.Queue(lines, ids).Query(func(rows pgx.Rows) error { return collectLines(rows, found) })
}

func collectHeads(rows pgx.Rows, found map[string]*ledger.Reservation) error {
	var id string
	var r wire.Record
	var created, expires, resolvedAt time.Time
	_, err := pgx.ForEachRow(rows, []any{&id, &r.CreationNonce, &r.State, &r.Version, &created, &expires, &resolvedAt, &r.Fingerprint,
		&r.Transition, &r.Channel, &r.Customer, &r.Order}, func() error {
		record := r
		record.Created, record.Expires = created.UnixMilli(), expires.UnixMilli()
		read := ledger.Reservation{Record: record, At: resolvedAt.UnixMilli()}
		read = read.AsWritten()
		found[id] = &read
		return nil
	})
	return err
}

func collectLines(rows pgx.Rows, of map[string]*ledger.Reservation) error {
	var id string
	var l wire.RecordLine
	var places []string
	var quantities, fulfilled []int64
	var kit location.SKU
	var each int64
	var limits string
	_, err := pgx.ForEachRow(rows, []any{&id, &l.Line, &kit, &each, &limits, &l.Backorder, &l.SKU, &l.Requested, &l.Returned, &places, &quantities, &fulfilled}, func() error {
		line := l
		if kit != "" {
			line.Kit = &wire.RecordKit{SKU: kit, Each: each}
		}
		var err error
		if line.Limits, err = decodeLimits(limits); err != nil {
			return err
		}
		if len(quantities) != len(places) || len(fulfilled) != len(places) {
			return fmt.Errorf("line %q of reservation %q: %w: its allocations differ in length", l.Line, id, cache.ErrCorrupt)
		}
		for i := range places {
			line.From = append(line.From, wire.RecordAllocation{
				Location: location.ID(places[i]), Quantity: quantities[i], Fulfilled: fulfilled[i],
			})
		}
		if r := of[id]; r != nil {
			r.Record.Lines = append(r.Record.Lines, line)
		}
		return nil
	})
	return err
}
