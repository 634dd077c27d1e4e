package audit

import (
	"context"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// recordPage is what the ledger has of some reservations, and which place of the stream it is of.
type recordPage struct {
	at   ledger.AsOf
	rows []ledger.RecordRow
	err  error
}

// recordPage reads reservations by their ids. The ledger is asked about those only that it may know: Postgres takes no
// others.
func (r *auditRun) recordPage(ctx context.Context, ids []string) (page recordPage) {
	var known map[string]cache.Record
	page.at, known, page.err = r.Ledger.RecordsAt(ctx, ledger.Identifiers(ids))
	page.rows = ledger.Column(ids, func(id string) ledger.RecordRow {
		if record, there := known[id]; there {
			return ledger.RowOf(id, record)
		}
		return ledger.RecordRow{ID: id}
	})
	return page
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
	r.same.Reservations += same
	return same, r.mark(ctx, cache.Marking{Reservations: doubtful})
}

// doubtfulRecords lists those of a page of which a reading does not say that both sides have the same, and those that
// would never expire. The page is read again where it was of too long ago.
func (r *auditRun) doubtfulRecords(ctx context.Context, page recordPage) ([]string, error) {
	ids := ledger.Column(page.rows, func(row ledger.RecordRow) string { return row.ID })
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
		if page.at.Refused {
			break
		}
	}
	return ids, nil
}

// recordsInDoubt lists the ids that something between the two sides touches, or whose records differ, and of the
// others the deadlines that are still to be looked for: most stand alone, where the reading has seen them, and are
// counted. One that came to rest may be forgotten.
func (g *reading) recordsInDoubt(rows []ledger.RecordRow) (doubtful []string, watched []cache.Deadline, alone int64) {
	for i := range rows {
		row, seen := &rows[i], &g.Records[i]
		known := row.Text != ""
		same := known && seen.There && row.Text == seen.Text || !seen.There && (!known || ledger.Resolved(row.Record.State))
		switch {
		case !same || g.between.Reservations[row.ID] || g.between.Compared[row.ID]:
			doubtful = append(doubtful, row.ID)
		case !seen.There || row.Record.State != cache.StateHeld:
		case row.Record.Expires != 0 && g.Deadlines[i] == float64(row.Record.Expires):
			alone++
		default:
			watched = append(watched, cache.Deadline{ID: row.ID, Expires: row.Record.Expires})
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
