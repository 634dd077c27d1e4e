package reconcile

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// queueRefusals queues the reading of the refusals that explain a difference: those that are open, and those
// of the reservations that are compared.
func (b *book) queueRefusals(batch *pgx.Batch, shard int32, t *touched) {
	const births = `select reservation_id, birth, settled_at is null from refusals where reservation_id = any($1)`
	batch.Queue(selectOpen, shard).Query(func(rows pgx.Rows) (err error) {
		b.open, err = pgx.CollectRows(rows, scanRefusal)
		return err
	})
	b.queueRanges(batch, t)
	b.refused = map[string][]refusedBirth{}
	if len(t.compared) == 0 {
		return
	}
	batch.Queue(births, sortedKeys(t.compared)).Query(func(rows pgx.Rows) error {
		var id string
		var r refusedBirth
		_, err := pgx.ForEachRow(rows, []any{&id, &r.birth, &r.open}, func() error {
			b.refused[id] = append(b.refused[id], r)
			return nil
		})
		return err
	})
}

// queueRanges queues the reading of levels that lie together: in their order, and not one by one.
func (b *book) queueRanges(batch *pgx.Batch, t *touched) {
	const query = `
select sku, location, on_hand, held, committed, safety_stock, backorder_limit from levels
where (sku, location) >= ($1, $2) and (sku, location) <= ($3, $4)`
	for _, r := range t.ranges {
		batch.Queue(query, r[0].sku, r[0].at, r[1].sku, r[1].at).Query(func(rows pgx.Rows) error { return b.collectLevels(rows) })
	}
}

// readRefused reads the reservations of open refusals, where an audit compares something and there are any.
func (b *book) readRefused(ctx context.Context, db batcher) error {
	var ids []string
	for i := range b.open {
		if s := &b.open[i].step; !s.Operation && b.reservations[s.ID] == nil {
			ids = append(ids, s.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	queueReservations(batch, ids, b.reservations)
	return db.SendBatch(ctx, batch).Close()
}

// writeAudited queues what audits have found, in the transaction of the place where they looked.
func (b *book) writeAudited(batch *pgx.Batch) {
	b.writeCompared(batch)
	b.writeFound(batch)
	b.writeCleared(batch)
	b.writeRepaired(batch)
}

func (b *book) writeCompared(batch *pgx.Batch) {
	const query = `
update audits set levels = levels + $2, reservations = reservations + $3, limits = limits + $4, deadlines = deadlines + $5
where id = $1`
	for audit, n := range b.compared {
		batch.Queue(query, audit, n.levels, n.reservations, n.limits, n.deadlines)
	}
}

func (b *book) writeFound(batch *pgx.Batch) {
	const query = `
insert into audit_findings (audit_id, id, kind, sku, location, reservation_id, limit_id, customer, name, epoch, sequence,
    in_redis, in_ledger, units, seen, note)
select u.* from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::bigint[], $15::text[], $16::text[])
    as u (audit_id, id, kind, sku, location, reservation_id, limit_id, customer, name, epoch, sequence, in_redis, in_ledger,
    units, seen, note)
join audits a on a.id = u.audit_id
on conflict on constraint audit_findings_key do update set state = 'open', epoch = excluded.epoch, sequence = excluded.sequence,
    in_redis = excluded.in_redis, in_ledger = excluded.in_ledger, units = excluded.units, seen = excluded.seen, note = excluded.note`
	list := lastOfEach(b.found)
	if len(list) == 0 {
		return
	}
	texts := func(of func(auditFound) string) []string { return column(list, of) }
	batch.Queue(query,
		texts(func(f auditFound) string { return f.audit }), texts(func(f auditFound) string { return f.ID }),
		texts(func(f auditFound) string { return string(f.Kind) }), texts(func(f auditFound) string { return string(f.SKU) }),
		texts(func(f auditFound) string { return string(f.Location) }), texts(func(f auditFound) string { return f.Reservation }),
		texts(func(f auditFound) string { return f.Limit }), texts(func(f auditFound) string { return f.Customer }),
		texts(func(f auditFound) string { return f.Name }),
		column(list, func(f auditFound) int64 { return int64(f.entry.epoch) }),    //nolint:gosec // epochs are few
		column(list, func(f auditFound) int64 { return int64(f.entry.sequence) }), //nolint:gosec // one for each script call
		texts(func(f auditFound) string { return encodeSide(f.Redis) }), texts(func(f auditFound) string { return encodeSide(f.Ledger) }),
		column(list, func(f auditFound) int64 { return f.Units }),
		texts(func(f auditFound) string { return encodeJSON(f.seen) }), texts(func(f auditFound) string { return f.Note }))
}

// lastOfEach is the last of those of an audit that have one id: a statement changes no row twice.
func lastOfEach(list []auditFound) []auditFound {
	last := map[cleared]int{}
	for i := range list {
		last[cleared{list[i].audit, list[i].ID}] = i
	}
	out := make([]auditFound, 0, len(last))
	for i := range list {
		if last[cleared{list[i].audit, list[i].ID}] == i {
			out = append(out, list[i])
		}
	}
	return out
}

func (b *book) writeCleared(batch *pgx.Batch) {
	const gone = `
update audit_findings f set state = 'gone' from unnest($1::text[], $2::text[]) as u (audit_id, id)
where f.audit_id = u.audit_id and f.id = u.id and f.state = 'open' and f.kind <> 'undecided'`
	const decided = `
delete from audit_findings f using unnest($1::text[], $2::text[]) as u (audit_id, id)
where f.audit_id = u.audit_id and f.id = u.id and f.kind = 'undecided'`
	if len(b.cleared) == 0 {
		return
	}
	for _, query := range []string{gone, decided} {
		batch.Queue(query,
			column(b.cleared, func(c cleared) string { return c.audit }), column(b.cleared, func(c cleared) string { return c.finding }))
	}
}

func (b *book) writeRepaired(batch *pgx.Batch) {
	const query = `
update audit_findings f set state = 'repaired', repair_epoch = u.epoch, repair_sequence = u.sequence
from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) as u (audit_id, id, epoch, sequence)
where f.audit_id = u.audit_id and f.id = u.id`
	list := b.audited.repaired
	if len(list) == 0 {
		return
	}
	batch.Queue(query,
		column(list, func(r repairedFinding) string { return r.audit }),
		column(list, func(r repairedFinding) string { return r.finding }),
		column(list, func(r repairedFinding) int64 { return int64(r.entry.epoch) }),    //nolint:gosec // epochs are few
		column(list, func(r repairedFinding) int64 { return int64(r.entry.sequence) })) //nolint:gosec // one for each script call
}
