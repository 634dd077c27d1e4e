package postgres

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/location"
)

// prunable is the condition for archiving a reservation r; $1 is the time.
const prunable = `
r.resolved_at is not null and r.archived_at is null and r.resolved_at < least($1, (select min(forgotten_to) from positions))
    and not exists (select from reservation_lines l where l.reservation_id = r.id and l.limits <> '' and 0 < any(l.fulfilled))
    and not exists (select from refusals f where f.reservation_id = r.id and f.settled_at is null)`

// sumVerb is the verb of movements that are the sums of archived ones.
const sumVerb = "archive"

func countPrunable(ctx context.Context, db *pgx.Conn, shard int32, before time.Time) (there Pruned, err error) {
	const query = `
select (select count(*) from reservations r where ` + prunable + `),
    (select count(*) from movements where shard = $2 and at < $1 and verb <> '` + sumVerb + `')`
	err = db.QueryRow(ctx, query, before, shard).Scan(&there.Reservations, &there.Movements)
	return there, err
}

// archiveReservations archives the oldest reservations, and returns how many. It locks no row
// before the archive has synced all of them: that may take long, and the applier would wait. A
// reservation that changed meanwhile stays.
func archiveReservations(ctx context.Context, tx pgx.Tx, o *PruneOptions) (int64, error) {
	const oldest = `
select r.id, r.version, case when d.lines is null then json_build_object('reservation', to_json(r), 'lines', l.lines)
    else json_build_object('reservation', to_json(r), 'lines', l.lines, 'destinations', d.lines) end::text
from reservations r left join line_destinations d on d.reservation_id = r.id
    cross join lateral (select json_agg(l order by l.position) as lines from reservation_lines l where l.reservation_id = r.id) l
where ` + prunable + `
order by r.resolved_at, r.id limit $2`
	const reduce = `
with reduced as (
    update reservations r set archived_at = now(), fingerprint = '', transition = '', channel = '', customer = '', "order" = '',
        pickup = '', split = '', ship_to = null, metadata = null
    from unnest($2::text[], $3::bigint[]) as u (id, version)
    where r.id = u.id and r.version = u.version and ` + prunable + `
    returning r.id
), gone as (
    delete from reservation_lines l using reduced where l.reservation_id = reduced.id
), unsent as (
    delete from line_destinations d using reduced where d.reservation_id = reduced.id
)
select count(*) from reduced`
	rows, _ := tx.Query(ctx, oldest, o.Before, o.page) // its error is that of the rows
	var ids, texts []string
	var versions []int64
	var id, text string
	var version int64
	if _, err := pgx.ForEachRow(rows, []any{&id, &version, &text}, func() error {
		ids, versions, texts = append(ids, id), append(versions, version), append(texts, text)
		return nil
	}); err != nil || len(ids) == 0 {
		return 0, err
	}
	if err := appendTo(o.Archive, texts); err != nil {
		return 0, err
	}
	var reduced int64
	err := tx.QueryRow(ctx, reduce, o.Before, ids, versions).Scan(&reduced)
	return reduced, err
}

// movementKey is the key of a movement.
type movementKey struct {
	epoch, sequence, event int64
	sku                    location.SKU
	at                     location.ID
}

// lastMovement returns the last entry that may have a movement from before a time. Entries are only
// nearly in the order of their times.
func lastMovement(ctx context.Context, db *pgx.Conn, shard int32, before time.Time) (last movementKey, err error) {
	const query = `
select epoch, sequence from movements where shard = $1 and at < $2 and verb <> '` + sumVerb + `'
order by epoch desc, sequence desc limit 1`
	err = db.QueryRow(ctx, query, shard, before).Scan(&last.epoch, &last.sequence)
	if errors.Is(err, pgx.ErrNoRows) {
		return movementKey{}, nil
	}
	return last, err
}

// archiveMovements archives the first movements behind at, up to the entry last, adds them to their
// sums, and advances at. It returns how many it archived.
func archiveMovements(ctx context.Context, tx pgx.Tx, shard int32, o *PruneOptions, at *movementKey, last movementKey) (int64, error) {
	const oldest = `
select epoch, sequence, event, sku, location, json_build_object('movement', to_json(m))::text from movements m
where shard = $1 and at < $2 and verb <> '` + sumVerb + `'
    and (epoch, sequence, event, sku, location) > ($3, $4, $5, $6, $7) and (epoch, sequence) <= ($8, $9)
order by epoch, sequence, event, sku, location limit $10`
	// The sum of a level has a sequence behind all entries, so this loop never meets it.
	const sum = `
with gone as (
    delete from movements where shard = $1 and at < $2 and verb <> '` + sumVerb + `'
        and (epoch, sequence, event, sku, location) > ($3, $4, $5, $6, $7)
        and (epoch, sequence, event, sku, location) <= ($8, $9, $10, $11, $12)
    returning *
)
insert into movements (shard, epoch, sequence, event, sku, location, on_hand, held, committed, safety_stock, backorder_limit,
    verb, reason, operation_id, at)
select $1, $13, 0, 0, sku, location, sum(on_hand), sum(held), sum(committed), sum(safety_stock), sum(backorder_limit),
    '` + sumVerb + `', 'sum of what was archived', 'prune', max(at)
from gone group by sku, location
on conflict on constraint movements_key do update set on_hand = movements.on_hand + excluded.on_hand,
    held = movements.held + excluded.held, committed = movements.committed + excluded.committed,
    safety_stock = movements.safety_stock + excluded.safety_stock,
    backorder_limit = movements.backorder_limit + excluded.backorder_limit, at = greatest(movements.at, excluded.at)`
	rows, _ := tx.Query(ctx, oldest, shard, o.Before, at.epoch, at.sequence, at.event, at.sku, at.at,
		last.epoch, last.sequence, o.page) // its error is that of the rows
	var texts []string
	var text string
	next := *at
	if _, err := pgx.ForEachRow(rows, []any{&next.epoch, &next.sequence, &next.event, &next.sku, &next.at, &text}, func() error {
		texts = append(texts, text)
		return nil
	}); err != nil || len(texts) == 0 {
		return 0, err
	}
	if err := appendTo(o.Archive, texts); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, `set local holdfast.archiving = 'on'`); err != nil {
		return 0, err
	}
	_, err := tx.Exec(ctx, sum, shard, o.Before, at.epoch, at.sequence, at.event, at.sku, at.at,
		next.epoch, next.sequence, next.event, next.sku, next.at, int64(math.MaxInt64))
	*at = next
	return int64(len(texts)), err
}
