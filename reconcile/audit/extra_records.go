package audit

import (
	"context"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// extraRecords has those records of Redis compared that are of no live reservation of the ledger: those that came to
// rest, and those that it does not know.
func (r *auditRun) extraRecords(ctx context.Context) error {
	return r.scan(ctx, cache.PartReservations, func(ctx context.Context, fields []cache.Field) error {
		extra, err := r.notLive(ctx, fields)
		if err != nil {
			return err
		}
		if len(extra) == 0 {
			return r.stepped(ctx)
		}
		r.progressed(len(extra))
		for some := range steps(extra, func(f cache.Field) int { return len(f.Name) + len(f.Value) }) {
			ids := ledger.Column(some, func(f cache.Field) string { return f.Name })
			if _, err := r.someRecords(ctx, r.recordPage(ctx, ids)); err != nil {
				return err
			}
		}
		return nil
	})
}

// nothingBeside says whether there can be no extra records: Redis has as many as there are live reservations that it
// has too, and nothing has happened to it since the end of the stream was at before. Likewise with the deadlines: where
// there are as many as were seen to stand alone, each with its record, none of them is an orphan.
func (r *auditRun) nothingBeside(ctx context.Context, before string, same int64) (noExtra, noOrphans bool, err error) {
	if !r.scope.All() {
		return false, false, nil
	}
	var sizes [5]int64
	err = r.onShard(ctx, func(ctx context.Context) error {
		sizes, err = r.shard.Sizes(ctx)
		return err
	})
	if err != nil || sizes[cache.PartReservations] != same {
		return false, false, err
	}
	end, err := r.streamEnd(ctx)
	noExtra = err == nil && end == before
	return noExtra, noExtra && sizes[cache.PartDeadlines] == r.alone, err
}

// streamEnd is the last entry of the stream.
func (r *auditRun) streamEnd(ctx context.Context) (id string, err error) {
	err = r.onShard(ctx, func(ctx context.Context) error {
		last, _, err := r.shard.Last(ctx)
		id = last.ID
		return err
	})
	return id, err
}

// notLive is those of some records that are of no live reservation of the ledger, and belong to what is audited.
func (r *auditRun) notLive(ctx context.Context, fields []cache.Field) (list []cache.Field, err error) {
	var audited []cache.Field
	var ids []string
	for _, f := range fields {
		record, err := cache.DecodeRecord(f.Value)
		if (err != nil || !r.younger(record.Created)) && (r.scope.All() || err == nil && r.scope.HasRecord(&record)) {
			audited = append(audited, f)
			ids = append(ids, f.Name)
		}
	}
	if ids = ledger.Identifiers(ids); len(ids) > 0 {
		ids, err = r.Ledger.Live(ctx, ids)
	}
	live := make(map[string]bool, len(ids))
	for _, id := range ids {
		live[id] = true
	}
	for _, f := range audited {
		if !live[f.Name] {
			list = append(list, f)
		}
	}
	return list, err
}
