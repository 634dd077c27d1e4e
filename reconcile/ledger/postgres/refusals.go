package postgres

import (
	"errors"
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
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict do nothing`
	for i := range set.Refusals {
		r := &set.Refusals[i]
		var reservation, operation *string
		if reservation = &r.Step.ID; r.Step.Operation {
			reservation, operation = nil, &r.Step.ID
		}
		var settled *time.Time
		if r.SettledAt != 0 {
			at := moment(r.SettledAt)
			settled = &at
		}
		batch.Queue(query, shard, r.Entry.Epoch, r.Entry.Sequence, r.Event, r.Verb, reservation, operation,
			r.Step.CreationNonce, r.Step.Version, r.Reason, r.Detail.Encode(), moment(r.At), settled)
	}
}

func writeSettled(set *ledger.WorkingSet, batch *pgx.Batch) {
	for _, s := range set.Settled {
		settle(batch, s.Step, moment(s.At))
	}
}

// settle queues the settling of the refusals of a reservation below a version, or of an operation.
func settle(batch *pgx.Batch, below wire.Step, at time.Time) {
	const reservation = `
update refusals set settled_at = $4 where settled_at is null and reservation_id = $1 and birth = $2 and version < $3`
	const operation = `
update refusals set settled_at = $4 where settled_at is null and operation_id = $1 and birth = $2 and version < $3`
	query := reservation
	if below.Operation {
		query = operation
	}
	batch.Queue(query, below.ID, below.CreationNonce, below.Version, at)
}

func writeQuarantine(batch *pgx.Batch, shard int32, list []ledger.Quarantined) {
	const query = `
insert into quarantine (shard, entry, event, reason, body) values ($1, $2, $3, $4, $5) on conflict do nothing`
	for _, q := range list {
		batch.Queue(query, shard, q.Entry, q.Event, q.Reason, []byte(q.Body))
	}
}
