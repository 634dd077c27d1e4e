package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// beginSnapshot begins a transaction whose reads are all as of one moment.
const beginSnapshot = `begin isolation level repeatable read read only`

// snapshot runs the queued reads in one snapshot, and returns the place in the stream that they are
// as of. It does not block the applier. One round trip.
func (p *Ledger) snapshot(ctx context.Context, queue func(batch *pgx.Batch)) (at ledger.AsOf, err error) {
	// A step has few ids: reach their rows by key, whatever the planner guesses. To compile such a query
	// takes longer than to run it.
	const byKey = `select set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`
	const refused = `select exists (select from refusals where shard = $1 and settled_at is null)`
	batch := &pgx.Batch{}
	batch.Queue(beginSnapshot)
	batch.Queue(byKey)
	batch.Queue(selectPosition, p.shard).Query(func(rows pgx.Rows) error {
		list, err := pgx.CollectRows(rows, scanPosition)
		if len(list) == 1 {
			at.Position, at.There = list[0].Position, true
		}
		return err
	})
	batch.Queue(refused, p.shard).QueryRow(func(row pgx.Row) error { return row.Scan(&at.Refused) })
	queue(batch)
	batch.Queue(`commit`)
	err = p.ask(ctx, func(ctx context.Context) error { return p.pool.SendBatch(ctx, batch).Close() })
	return at, err
}

// LevelsAt reads a page of levels.
func (p *Ledger) LevelsAt(ctx context.Context, after ledger.LevelKey, s ledger.Scope, limit int) (at ledger.AsOf, list []ledger.LevelRow, err error) {
	const query = selectLevels + `
where (sku, location) > ($1, $2) and ($3 = '' or sku = $3) and ($4 = '' or location = $4) order by sku, location limit $5`
	at, err = p.snapshot(ctx, func(batch *pgx.Batch) {
		batch.Queue(query, after.SKU, after.Location, s.SKU, s.Location, limit).Query(func(rows pgx.Rows) (err error) {
			list, err = pgx.CollectRows(rows, scanLevel)
			return err
		})
	})
	return at, list, err
}

// LiveAt reads a page of live reservations.
func (p *Ledger) LiveAt(ctx context.Context, after ledger.LiveKey, s ledger.Scope, limit int) (at ledger.AsOf, list []ledger.RecordRow, err error) {
	const live = `where resolved_at is null and (created_at, id) > ($1, $2)
    and ($3 = '' and $4 = '' or exists (select from reservation_lines l where l.reservation_id = r.id
        and ($3 = '' or l.sku = $3) and ($4 = '' or $4 = any(l.locations))))
order by created_at, id limit $5`
	const lines = selectLines + `where reservation_id = any(array(select id from reservations r ` + live + `))
order by reservation_id, position`
	found := make(map[string]*ledger.Reservation, limit)
	args := []any{time.UnixMilli(after.Created), after.ID, s.SKU, s.Location, limit}
	at, err = p.snapshot(ctx, func(batch *pgx.Batch) {
		batch.Queue(selectHeads+live, args...).Query(func(rows pgx.Rows) error { return collectHeads(rows, found) })
		batch.Queue(lines, args...).Query(func(rows pgx.Rows) error { return collectLines(rows, found) })
	})
	list = make([]ledger.RecordRow, 0, len(found))
	for id, r := range found {
		list = append(list, ledger.RecordRowOf(id, r.Record))
	}
	slices.SortFunc(list, func(a, b ledger.RecordRow) int { return ledger.CompareLive(a.Key(), b.Key()) })
	return at, list, err
}

// FilterLive returns the ids of live reservations.
func (p *Ledger) FilterLive(ctx context.Context, ids []string) (list []string, err error) {
	const query = `select id from reservations where id = any($1) and resolved_at is null`
	_, err = p.snapshot(ctx, func(batch *pgx.Batch) {
		batch.Queue(query, ids).Query(func(rows pgx.Rows) (err error) {
			list, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
	})
	return list, err
}

// RecordsAt reads reservations.
func (p *Ledger) RecordsAt(ctx context.Context, ids []string) (at ledger.AsOf, records map[string]wire.Record, err error) {
	found := map[string]*ledger.Reservation{}
	at, err = p.snapshot(ctx, func(batch *pgx.Batch) { queueReservations(batch, ids, found) })
	return at, recordsOf(found), err
}
