package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/reconcile/ledger"
)

// queueRefusals queues the reads of an audit: the refusals that may explain a difference, which are
// the open ones and those of the compared reservations, and ranges of levels.
func queueRefusals(set *ledger.WorkingSet, batch *pgx.Batch, shard int32, t *ledger.RowKeys) {
	const refused = `select reservation_id, birth, settled_at is null from refusals where reservation_id = any($1)`
	batch.Queue(selectOpen, shard).Query(func(rows pgx.Rows) (err error) {
		set.Open, err = pgx.CollectRows(rows, scanRefusal)
		return err
	})
	queueRanges(set, batch, t)
	set.Refused = map[string][]ledger.RefusedNonce{}
	if len(t.Compared) == 0 {
		return
	}
	batch.Queue(refused, ledger.SortedKeys(t.Compared)).Query(func(rows pgx.Rows) error {
		var id string
		var r ledger.RefusedNonce
		_, err := pgx.ForEachRow(rows, []any{&id, &r.Nonce, &r.Open}, func() error {
			set.Refused[id] = append(set.Refused[id], r)
			return nil
		})
		return err
	})
}

// queueRanges queues the reads of adjacent levels, a range at a time.
func queueRanges(set *ledger.WorkingSet, batch *pgx.Batch, t *ledger.RowKeys) {
	const query = `
select sku, location, on_hand, held, committed, safety_stock, backorder_limit from levels
where (sku, location) >= ($1, $2) and (sku, location) <= ($3, $4)`
	for _, r := range t.Ranges {
		batch.Queue(query, r[0].SKU, r[0].Location, r[1].SKU, r[1].Location).Query(func(rows pgx.Rows) error { return collectIntoSet(set, rows) })
	}
}

// readRefused reads the reservations of open refusals, if an audit compares something and there are
// any.
func readRefused(ctx context.Context, db batcher, set *ledger.WorkingSet) error {
	var ids []string
	for i := range set.Open {
		if s := &set.Open[i].Step; !s.Operation && set.Reservations[s.ID] == nil {
			ids = append(ids, s.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	queueReservations(batch, ids, set.Reservations)
	return db.SendBatch(ctx, batch).Close()
}

// writeAudited queues the findings of audits, in the transaction that applies the entry they
// compared at.
func writeAudited(set *ledger.WorkingSet, batch *pgx.Batch) {
	writeCompared(set, batch)
	writeFound(set, batch)
	writeCleared(set, batch)
	writeRepaired(set, batch)
}

func writeCompared(set *ledger.WorkingSet, batch *pgx.Batch) {
	const query = `
update audits set levels = levels + $2, reservations = reservations + $3, limits = limits + $4, deadlines = deadlines + $5
where id = $1`
	for audit, n := range set.Compared {
		batch.Queue(query, audit, n.Levels, n.Reservations, n.Limits, n.Deadlines)
	}
}

func writeFound(set *ledger.WorkingSet, batch *pgx.Batch) {
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
	list := lastOfEach(set.Found)
	if len(list) == 0 {
		return
	}
	texts := func(of func(ledger.Found) string) []string { return ledger.Column(list, of) }
	batch.Queue(query,
		texts(func(f ledger.Found) string { return f.Audit }), texts(func(f ledger.Found) string { return f.ID }),
		texts(func(f ledger.Found) string { return string(f.Kind) }), texts(func(f ledger.Found) string { return string(f.SKU) }),
		texts(func(f ledger.Found) string { return string(f.Location) }), texts(func(f ledger.Found) string { return f.Reservation }),
		texts(func(f ledger.Found) string { return f.Limit }), texts(func(f ledger.Found) string { return f.Customer }),
		texts(func(f ledger.Found) string { return f.Name }),
		ledger.Column(list, func(f ledger.Found) int64 { return int64(f.Entry.Epoch) }),    //nolint:gosec // epochs are few
		ledger.Column(list, func(f ledger.Found) int64 { return int64(f.Entry.Sequence) }), //nolint:gosec // one for each script call
		texts(func(f ledger.Found) string { return ledger.EncodeSide(f.Redis) }), texts(func(f ledger.Found) string { return ledger.EncodeSide(f.Ledger) }),
		ledger.Column(list, func(f ledger.Found) int64 { return f.Units }),
		texts(func(f ledger.Found) string { return ledger.EncodeJSON(f.Seen) }), texts(func(f ledger.Found) string { return f.Note }))
}

// lastOfEach keeps the last finding of each id and audit: a statement cannot change a row twice.
func lastOfEach(list []ledger.Found) []ledger.Found {
	last := map[ledger.Cleared]int{}
	for i := range list {
		last[ledger.Cleared{Audit: list[i].Audit, Finding: list[i].ID}] = i
	}
	out := make([]ledger.Found, 0, len(last))
	for i := range list {
		if last[ledger.Cleared{Audit: list[i].Audit, Finding: list[i].ID}] == i {
			out = append(out, list[i])
		}
	}
	return out
}

func writeCleared(set *ledger.WorkingSet, batch *pgx.Batch) {
	const gone = `
update audit_findings f set state = 'gone' from unnest($1::text[], $2::text[]) as u (audit_id, id)
where f.audit_id = u.audit_id and f.id = u.id and f.state = 'open' and f.kind <> 'undecided'`
	const decided = `
delete from audit_findings f using unnest($1::text[], $2::text[]) as u (audit_id, id)
where f.audit_id = u.audit_id and f.id = u.id and f.kind = 'undecided'`
	if len(set.Cleared) == 0 {
		return
	}
	for _, query := range []string{gone, decided} {
		batch.Queue(query,
			ledger.Column(set.Cleared, func(c ledger.Cleared) string { return c.Audit }), ledger.Column(set.Cleared, func(c ledger.Cleared) string { return c.Finding }))
	}
}

func writeRepaired(set *ledger.WorkingSet, batch *pgx.Batch) {
	const query = `
update audit_findings f set state = 'repaired', repair_epoch = u.epoch, repair_sequence = u.sequence
from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) as u (audit_id, id, epoch, sequence)
where f.audit_id = u.audit_id and f.id = u.id`
	list := set.Repaired
	if len(list) == 0 {
		return
	}
	batch.Queue(query,
		ledger.Column(list, func(r ledger.RepairedFinding) string { return r.Audit }),
		ledger.Column(list, func(r ledger.RepairedFinding) string { return r.Finding }),
		ledger.Column(list, func(r ledger.RepairedFinding) int64 { return int64(r.Entry.Epoch) }),    //nolint:gosec // epochs are few
		ledger.Column(list, func(r ledger.RepairedFinding) int64 { return int64(r.Entry.Sequence) })) //nolint:gosec // one for each script call
}
