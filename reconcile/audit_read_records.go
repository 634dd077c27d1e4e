package reconcile

import (
	"context"
	"slices"

	"github.com/holdfast/holdfast/cache"
)

// recordPage is what the ledger has of some reservations, and which place of the stream it is of.
type recordPage struct {
	at   asOf
	rows []recordRow
	err  error
}

// recordPage reads reservations by their ids. The ledger is asked about those only that it may know: Postgres takes no
// others.
func (r *auditRun) recordPage(ctx context.Context, ids []string) (page recordPage) {
	var known map[string]cache.Record
	page.at, known, page.err = r.Ledger.recordsAt(ctx, identifiers(ids))
	page.rows = column(ids, func(id string) recordRow {
		if record, there := known[id]; there {
			return rowOf(id, record)
		}
		return recordRow{id: id}
	})
	return page
}

// identifiers is those of ids that can be one.
func identifiers(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !cache.IsIdentifier(id) })
}

// someRecords has some records compared, and counts those that are not in doubt.
func (r *auditRun) someRecords(ctx context.Context, page recordPage) (same int64, err error) {
	if page.err != nil || len(page.rows) == 0 {
		return 0, page.err
	}
	doubtful, err := r.doubtfulRecords(ctx, page)
	if err != nil {
		return 0, err
	}
	same = int64(len(page.rows) - len(doubtful))
	r.same.reservations += same
	return same, r.mark(ctx, cache.Marking{Reservations: doubtful})
}

// doubtfulRecords lists those of a page of which a reading does not say that both sides have the same, and those that
// would never expire. The page is read again where it was of too long ago.
func (r *auditRun) doubtfulRecords(ctx context.Context, page recordPage) ([]string, error) {
	ids := column(page.rows, func(row recordRow) string { return row.id })
	for try := range readTries {
		if try > 0 {
			if err := pauseFor(ctx, auditPoll); err != nil {
				return nil, err
			}
			if page = r.recordPage(ctx, ids); page.err != nil {
				return nil, page.err
			}
		}
		got, err := r.read(ctx, page.at, cache.Names{Reservations: ids})
		if err != nil {
			return nil, err
		}
		if got.sure {
			doubtful, watched, alone := got.recordsInDoubt(page.rows)
			r.alone += alone
			unwatched, err := r.unwatched(ctx, watched)
			return append(doubtful, unwatched...), err
		}
		if page.at.refused {
			break
		}
	}
	return ids, nil
}

// recordsInDoubt lists the ids that something between the two sides touches, or whose records differ, and of the
// others the deadlines that are still to be looked for: most stand alone, where the reading has seen them, and are
// counted. One that came to rest may be forgotten.
func (g *reading) recordsInDoubt(rows []recordRow) (doubtful []string, watched []cache.Deadline, alone int64) {
	for i := range rows {
		row, seen := &rows[i], &g.Records[i]
		known := row.text != ""
		same := known && seen.There && row.text == seen.Text || !seen.There && (!known || resolved(row.record.State))
		switch {
		case !same || g.between.ids[row.id] || g.between.compared[row.id]:
			doubtful = append(doubtful, row.id)
		case !seen.There || row.record.State != cache.StateHeld:
		case row.record.Expires != 0 && g.Deadlines[i] == float64(row.record.Expires):
			alone++
		default:
			watched = append(watched, cache.Deadline{ID: row.id, Expires: row.record.Expires})
		}
	}
	return doubtful, watched, alone
}

// unwatched lists the ids of those that do not stand among the deadlines.
func (r *auditRun) unwatched(ctx context.Context, list []cache.Deadline) (ids []string, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	err = r.onShard(ctx, func(ctx context.Context) (err error) {
		ids, err = r.shard.Unwatched(ctx, list)
		return err
	})
	return ids, err
}
