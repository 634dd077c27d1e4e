package postgres

import (
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/reconcile/ledger"
)

// write queues the changes of a working set: each row once, each table in one statement, all in one
// round trip.
func write(set *ledger.WorkingSet, batch *pgx.Batch, shard int32) {
	writeLevels(set, batch)
	writeCounts(set, batch)
	writeLimits(set, batch)
	writeReservations(set, batch)
	writeOperations(set, batch, shard)
	writeMovements(set, batch, shard)
	writeSettled(set, batch)
	writeRefusals(set, batch, shard)
	writeAudited(set, batch)
}

// moment returns a Redis time, Unix ms, as a column keeps it.
func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// writeLevels updates the levels that changed and inserts the new ones. One insert with "on
// conflict do update" would serve both, but takes twice as long.
func writeLevels(set *ledger.WorkingSet, batch *pgx.Batch) {
	const update = `
with written as (
    update levels l set on_hand = u.on_hand, held = u.held, committed = u.committed, safety_stock = u.safety_stock,
        backorder_limit = u.backorder_limit, committed_backorder = u.committed_backorder
    from unnest($1::level_step[]) u
    where l.sku = u.sku and l.location = u.location and l.on_hand = u.on_hand_before and l.held = u.held_before
        and l.committed = u.committed_before and l.safety_stock = u.safety_stock_before
        and l.backorder_limit = u.backorder_limit_before and l.committed_backorder = u.committed_backorder_before
    returning 1)
select expect(count(*), $2) from written`
	const insert = `
insert into levels (sku, location, on_hand, held, committed, safety_stock, backorder_limit, committed_backorder)
select sku, location, on_hand, held, committed, safety_stock, backorder_limit, committed_backorder
from unnest($1::level_step[])`
	var changed, made []ledger.LevelKey
	for key, l := range set.Levels {
		before, there := set.Before[key]
		switch {
		case !there:
			made = append(made, key)
		case before != *l:
			changed = append(changed, key)
		}
	}
	if len(changed) > 0 {
		batch.Queue(update, levelSteps(set, changed), len(changed))
	}
	if len(made) > 0 {
		batch.Queue(insert, levelSteps(set, made))
	}
	deleteLevels(set, batch)
}

// levelSteps encodes levels as level_step rows, in the order in which they are locked.
func levelSteps(set *ledger.WorkingSet, keys []ledger.LevelKey) *rowArray {
	slices.SortFunc(keys, ledger.CompareLevels)
	steps := newRowArray(14, len(keys))
	for _, key := range keys {
		before, now := set.Before[key], set.Levels[key]
		steps.add(func() {
			steps.text(string(key.SKU), string(key.Location))
			steps.bigint(before.OnHand, before.Held, before.Committed, before.SafetyStock, before.BackorderLimit)
			steps.bigint(now.OnHand, now.Held, now.Committed, now.SafetyStock, now.BackorderLimit)
			steps.bigint(before.CommittedBackorder, now.CommittedBackorder)
		})
	}
	return steps
}

// deleteLevels deletes the levels that were removed. Their movements stay.
func deleteLevels(set *ledger.WorkingSet, batch *pgx.Batch) {
	const query = `
delete from levels where (sku, location) in (select * from unnest($1::text[], $2::text[]))`
	var gone []ledger.LevelKey
	for key := range set.Before {
		if set.Levels[key] == nil {
			gone = append(gone, key)
		}
	}
	if len(gone) == 0 {
		return
	}
	slices.SortFunc(gone, ledger.CompareLevels)
	skus, locations := levelColumns(gone)
	batch.Queue(query, skus, locations)
}

// writeCounts writes which count of a level is in force. It stays when the level is removed.
func writeCounts(set *ledger.WorkingSet, batch *pgx.Batch) {
	const query = `
insert into level_counts (sku, location, operation_id, made_at)
select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
on conflict on constraint level_counts_key do update set operation_id = excluded.operation_id, made_at = excluded.made_at`
	if len(set.Counts) == 0 {
		return
	}
	keys := slices.SortedFunc(maps.Keys(set.Counts), ledger.CompareLevels)
	skus, locations := levelColumns(keys)
	batch.Queue(query, skus, locations,
		ledger.Column(keys, func(k ledger.LevelKey) string { return set.Counts[k].Operation }),
		ledger.Column(keys, func(k ledger.LevelKey) time.Time { return set.Counts[k].At }))
}

func writeOperations(set *ledger.WorkingSet, batch *pgx.Batch, shard int32) {
	const query = `
insert into operations (id, fingerprint, birth, applied_at, shard, reason, actor, verb, on_behalf_of, request_id)
select id, fingerprint, birth, applied_at, $10, reason, actor, verb, on_behalf_of, request_id
from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
    as u (id, fingerprint, birth, applied_at, reason, actor, verb, on_behalf_of, request_id)`
	if len(set.NewOperations) == 0 {
		return
	}
	batch.Queue(query,
		ledger.Column(set.NewOperations, func(o ledger.Operation) string { return o.ID }),
		ledger.Column(set.NewOperations, func(o ledger.Operation) string { return o.Fingerprint }),
		ledger.Column(set.NewOperations, func(o ledger.Operation) string { return o.CreationNonce }),
		ledger.Column(set.NewOperations, func(o ledger.Operation) time.Time { return moment(o.At) }),
		ledger.Column(set.NewOperations, func(o ledger.Operation) string { return o.Reason }),
		ledger.Column(set.NewOperations, func(o ledger.Operation) string { return o.Actor }),
		ledger.Column(set.NewOperations, func(o ledger.Operation) string { return string(o.Verb) }),
		ledger.Column(set.NewOperations, func(o ledger.Operation) string { return o.OnBehalfOf }),
		ledger.Column(set.NewOperations, func(o ledger.Operation) string { return o.RequestID }), shard)
}

func writeMovements(set *ledger.WorkingSet, batch *pgx.Batch, shard int32) {
	const query = `
insert into movements (shard, epoch, sequence, event, sku, location, on_hand, held, committed, safety_stock,
    backorder_limit, verb, reason, actor, reservation_id, operation_id, at)
select shard, epoch, sequence, event, sku, location, on_hand, held, committed, safety_stock, backorder_limit, verb, reason,
    actor, reservation_id, operation_id, at
from unnest($1::movements[])`
	if len(set.Movements) == 0 {
		return
	}
	array := newRowArray(17, len(set.Movements))
	for i := range set.Movements {
		m := &set.Movements[i]
		array.add(func() {
			array.integer(shard)
			array.bigint(int64(m.Entry.Epoch), int64(m.Entry.Sequence)) //nolint:gosec // few; one for each script call
			array.integer(int32(m.Event))                               //nolint:gosec // at most a batch
			array.text(string(m.Key.SKU), string(m.Key.Location))
			array.bigint(m.Delta.OnHand, m.Delta.Held, m.Delta.Committed, m.Delta.SafetyStock, m.Delta.BackorderLimit)
			array.text(string(m.Verb), m.Reason, m.Actor)
			array.textOrNull(m.Reservation)
			array.textOrNull(m.Operation)
			array.moment(m.At)
		})
	}
	batch.Queue(query, array)
}
