package reconcile

import (
	"context"

	"github.com/holdfast/holdfast/cache"
)

// records has every record of Redis compared that was there when the audit began: else those that come in while it
// rests would keep it going.
func (r *auditRun) records(ctx context.Context) error {
	return r.scan(ctx, cache.PartReservations, func(ctx context.Context, fields []cache.Field) error {
		var ids []string
		bytes := 0
		for _, f := range fields {
			record, err := cache.DecodeRecord(f.Value)
			if err == nil && r.younger(record.Created) || !r.scope.all() && (err != nil || !r.scope.hasRecord(&record)) {
				continue
			}
			ids = append(ids, f.Name)
			if bytes += len(f.Name) + len(f.Value); bytes >= auditBytesMax {
				if err := r.someRecords(ctx, ids); err != nil {
					return err
				}
				ids, bytes = nil, 0
			}
		}
		return r.someRecords(ctx, ids)
	})
}

// someRecords has some records compared.
func (r *auditRun) someRecords(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	doubtful, err := r.doubtfulRecords(ctx, ids)
	if err != nil {
		return err
	}
	r.same.reservations += int64(len(ids) - len(doubtful))
	return r.mark(ctx, cache.Marking{Reservations: doubtful})
}

// doubtfulRecords lists those of ids of which a reading does not say that both sides have the same, and those that
// would never expire. A name that can be no id is in doubt: the ledger is not asked for it.
func (r *auditRun) doubtfulRecords(ctx context.Context, names []string) ([]string, error) {
	var ids, others []string
	for _, name := range names {
		if cache.IsIdentifier(name) {
			ids = append(ids, name)
		} else {
			others = append(others, name)
		}
	}
	doubtful, err := r.doubtfulIDs(ctx, ids)
	return append(doubtful, others...), err
}

// doubtfulIDs is doubtfulRecords of ids.
func (r *auditRun) doubtfulIDs(ctx context.Context, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	for range readTries {
		at, known, err := r.Ledger.recordsAt(ctx, ids)
		if err != nil {
			return nil, err
		}
		got, err := r.read(ctx, at, cache.Names{Reservations: ids})
		if err != nil {
			return nil, err
		}
		if got.sure {
			doubtful, watched := got.recordsInDoubt(ids, known)
			err := r.onShard(ctx, func(ctx context.Context) error {
				unwatched, err := r.shard.Unwatched(ctx, watched)
				if err == nil {
					doubtful = append(doubtful, unwatched...)
				}
				return err
			})
			return doubtful, err
		}
		if at.refused {
			break
		}
		if err := pauseFor(ctx, auditPoll); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// recordsInDoubt lists the ids that something between the two sides touches, or whose records differ, and of the
// others the deadlines that should be watched. One that came to rest may be forgotten.
func (g *reading) recordsInDoubt(ids []string, known map[string]cache.Record) (doubtful []string, watched []cache.Deadline) {
	for i, id := range ids {
		record, is := known[id]
		seen := g.Records[i]
		same := is && seen.There && record.Encode() == seen.Text || !seen.There && (!is || resolved(record.State))
		switch {
		case !same || g.between.ids[id] || g.between.compared[id]:
			doubtful = append(doubtful, id)
		case seen.There && record.State == cache.StateHeld:
			watched = append(watched, cache.Deadline{ID: id, Expires: record.Expires})
		}
	}
	return doubtful, watched
}
