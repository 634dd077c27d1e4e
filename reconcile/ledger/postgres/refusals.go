package postgres

import (
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

const selectOpen = `
select epoch, sequence, event, verb, operation_id is not null, coalesce(reservation_id, operation_id), birth, version,
    reason, detail, created_at
from refusals where shard = $1 and settled_at is null order by epoch, sequence, event `

func scanRefusal(row pgx.CollectableRow) (r ledger.Refusal, err error) {
	var detail string
	var at time.Time
	err = row.Scan(&r.Entry.Epoch, &r.Entry.Sequence, &r.Event, &r.Verb, &r.Step.Operation, &r.Step.ID, &r.Step.CreationNonce,
		&r.Step.Version, &r.Reason, &detail, &at)
	r.At = at.UnixMilli()
	return r, errors.Join(err, r.Detail.Decode(detail))
}

func writeRefusals(set *ledger.WorkingSet, batch *pgx.Batch, shard int32) {
	const query = `
insert into refusals (shard, epoch, sequence, event, verb, reservation_id, operation_id, birth, version, reason, detail,
    created_at, settled_at)
select $13, epoch, sequence, event, verb, case when not operation then id end, case when operation then id end, birth,
    version, reason, detail, created_at, settled_at
from unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::boolean[], $6::text[], $7::text[], $8::bigint[],
    $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[])
    as u (epoch, sequence, event, verb, operation, id, birth, version, reason, detail, created_at, settled_at)
on conflict do nothing`
	list := set.Refusals
	if len(list) == 0 {
		return
	}
	batch.Queue(query,
		ledger.Column(list, func(r ledger.Refusal) int64 { return int64(r.Entry.Epoch) }),    //nolint:gosec // as above
		ledger.Column(list, func(r ledger.Refusal) int64 { return int64(r.Entry.Sequence) }), //nolint:gosec // as above
		ledger.Column(list, func(r ledger.Refusal) int { return r.Event }),
		ledger.Column(list, func(r ledger.Refusal) string { return string(r.Verb) }),
		ledger.Column(list, func(r ledger.Refusal) bool { return r.Step.Operation }),
		ledger.Column(list, func(r ledger.Refusal) string { return r.Step.ID }),
		ledger.Column(list, func(r ledger.Refusal) string { return r.Step.CreationNonce }),
		ledger.Column(list, func(r ledger.Refusal) int64 { return r.Step.Version }),
		ledger.Column(list, func(r ledger.Refusal) string { return string(r.Reason) }),
		ledger.Column(list, func(r ledger.Refusal) string { return r.Detail.Encode() }),
		ledger.Column(list, func(r ledger.Refusal) time.Time { return moment(r.At) }),
		ledger.Column(list, func(r ledger.Refusal) *time.Time { return momentOrNone(r.SettledAt) }), shard)
}

// momentOrNone returns nil for 0.
func momentOrNone(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	at := moment(ms)
	return &at
}

func writeSettled(set *ledger.WorkingSet, batch *pgx.Batch) {
	at := map[wire.Step]int64{}
	below := make([]wire.Step, len(set.Settled))
	for i, s := range set.Settled {
		below[i] = s.Step
		at[s.Step] = s.At
	}
	settle(batch, below, func(step wire.Step) time.Time { return moment(at[step]) })
}

// settle queues the settling of refusals of these reservations and operations, below these
// versions.
func settle(batch *pgx.Batch, below []wire.Step, at func(wire.Step) time.Time) {
	const reservations = `
update refusals f set settled_at = u.at
from unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[]) as u (id, birth, version, at)
where f.settled_at is null and f.reservation_id = u.id and f.birth = u.birth and f.version < u.version`
	const operations = `
update refusals f set settled_at = u.at
from unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[]) as u (id, birth, version, at)
where f.settled_at is null and f.operation_id = u.id and f.birth = u.birth and f.version < u.version`
	for query, operation := range map[string]bool{reservations: false, operations: true} {
		list := slices.DeleteFunc(slices.Clone(below), func(s wire.Step) bool { return s.Operation != operation })
		if len(list) == 0 {
			continue
		}
		batch.Queue(query,
			ledger.Column(list, func(s wire.Step) string { return s.ID }),
			ledger.Column(list, func(s wire.Step) string { return s.CreationNonce }),
			ledger.Column(list, func(s wire.Step) int64 { return s.Version }), ledger.Column(list, at))
	}
}

func writeQuarantine(batch *pgx.Batch, shard int32, list []ledger.Quarantined) {
	const query = `
insert into quarantine (shard, entry, event, reason, body)
select $5, entry, event, reason, body from unnest($1::text[], $2::integer[], $3::text[], $4::bytea[])
    as u (entry, event, reason, body)
on conflict do nothing`
	if len(list) == 0 {
		return
	}
	batch.Queue(query,
		ledger.Column(list, func(q ledger.Quarantined) string { return q.Entry }),
		ledger.Column(list, func(q ledger.Quarantined) int { return q.Event }),
		ledger.Column(list, func(q ledger.Quarantined) string { return q.Reason }),
		ledger.Column(list, func(q ledger.Quarantined) []byte { return []byte(q.Body) }), shard)
}
