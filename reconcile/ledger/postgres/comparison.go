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
	const query = selectLevels + `where (sku, location) >= ($1, $2) and (sku, location) <= ($3, $4)`
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
select id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16 from audits where id = $1
on conflict on constraint audit_findings_key do update set state = 'open', epoch = excluded.epoch, sequence = excluded.sequence,
    in_redis = excluded.in_redis, in_ledger = excluded.in_ledger, units = excluded.units, seen = excluded.seen, note = excluded.note`
	for i := range set.Found {
		f := &set.Found[i]
		batch.Queue(query, f.Audit, f.ID, f.Kind, f.SKU, f.Location, f.Reservation, f.Limit, f.Customer, f.Name, f.Entry.Epoch,
			f.Entry.Sequence, ledger.EncodeSide(f.Redis), ledger.EncodeSide(f.Ledger), f.Units, ledger.EncodeJSON(f.Seen), f.Note)
	}
}

func writeCleared(set *ledger.WorkingSet, batch *pgx.Batch) {
	const gone = `
update audit_findings set state = 'gone' where audit_id = $1 and id = $2 and state = 'open' and kind <> 'undecided'`
	const decided = `delete from audit_findings where audit_id = $1 and id = $2 and kind = 'undecided'`
	for _, c := range set.Cleared {
		batch.Queue(gone, c.Audit, c.Finding)
		batch.Queue(decided, c.Audit, c.Finding)
	}
}

func writeRepaired(set *ledger.WorkingSet, batch *pgx.Batch) {
	const query = `
update audit_findings set state = 'repaired', repair_epoch = $3, repair_sequence = $4 where audit_id = $1 and id = $2`
	for _, r := range set.Repaired {
		batch.Queue(query, r.Audit, r.Finding, r.Entry.Epoch, r.Entry.Sequence)
	}
}
