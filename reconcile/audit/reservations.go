package audit

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// stepBytesMax is the size of the records in one step, about.
const stepBytesMax = 256 << 10

// compareReservations compares every reservation that was made before the audit began. Later ones
// are left to the next audit: otherwise those that arrive while this one rests would keep it
// running.
//
// It compares the live reservations of the ledger first, in the ledger's order, which is the
// cheapest way to read them, and then the other records of Redis. The ledger has applied every
// reservation in scope before the first page is read. So a reservation that is live when the second
// pass asks was in the first, unless it had expired and was confirmed in between, which is left to
// the next audit.
func (r *run) compareReservations(ctx context.Context) error {
	if err := r.catchUp(ctx); err != nil {
		return err
	}
	before, err := r.lastEntry(ctx)
	if err != nil {
		return err
	}
	same, err := r.compareLive(ctx)
	if err != nil {
		return err
	}
	if none, err := r.noExtraReservations(ctx, before, same); err != nil || none {
		return err
	}
	return r.compareExtraReservations(ctx)
}

// lastEntry returns the id of the last entry of the stream.
func (r *run) lastEntry(ctx context.Context) (string, error) {
	return onShard(ctx, r, func(s *shard.Conn, ctx context.Context) (string, error) {
		last, _, err := s.Last(ctx)
		return last.ID, err
	})
}

// compareLive compares the live reservations of the ledger, and counts those that are not in doubt.
func (r *run) compareLive(ctx context.Context) (same int64, err error) {
	read := func(after ledger.LiveKey) func() page[ledger.RecordRow] {
		return func() page[ledger.RecordRow] {
			at, rows, err := r.ledger.LiveAt(ctx, after, r.scope, r.page)
			return page[ledger.RecordRow]{at, rows, err}
		}
	}
	for next := read(ledger.LiveKey{}); ; {
		p := next()
		if p.err != nil || len(p.rows) == 0 {
			return same, p.err
		}
		if r.younger(p.rows[0].Record.Created) { // so are those that follow, up to now
			next = read(ledger.LiveKey{Created: r.latestNow()})
			continue
		}
		next = readAhead(r.busy, read(p.rows[len(p.rows)-1].Key()))
		r.progress(len(p.rows))
		older := slices.DeleteFunc(p.rows, func(row ledger.RecordRow) bool { return r.younger(row.Record.Created) })
		for rows := range steps(older, func(row ledger.RecordRow) int { return len(row.ID) + len(row.Text) }) {
			n, err := r.compareRecords(ctx, page[ledger.RecordRow]{at: p.at, rows: rows})
			if err != nil {
				return same, err
			}
			same += n
		}
	}
}

// younger says whether a reservation was made since the audit began. One that claims a time in the
// future is not, and is compared.
func (r *run) younger(created int64) bool {
	return created > r.beganRedis && created <= r.latestNow()
}

// latestNow is the latest time that the Redis clock may show now, Unix ms.
func (r *run) latestNow() int64 {
	const skew = time.Second // of the Redis clock against ours since the audit began
	return r.beganRedis + (time.Since(r.began) + skew).Milliseconds()
}

// steps divides a list into steps of stepBytesMax or a little more.
func steps[T any](list []T, bytes func(T) int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		from, sum := 0, 0
		for i, item := range list {
			if sum += bytes(item); sum >= stepBytesMax {
				if !yield(list[from : i+1]) {
					return
				}
				from, sum = i+1, 0
			}
		}
		if from < len(list) {
			yield(list[from:])
		}
	}
}

// compareRecords compares some records, and counts those that are not in doubt.
func (r *run) compareRecords(ctx context.Context, p page[ledger.RecordRow]) (same int64, err error) {
	if p.err != nil || len(p.rows) == 0 {
		return 0, p.err
	}
	ids := recordNames(p.rows).Reservations
	p, got, err := readSure(ctx, r, p, recordNames, func() page[ledger.RecordRow] { return r.recordsOf(ctx, ids) })
	if err != nil {
		return 0, err
	}
	doubtful := ids
	if got.sure {
		var watched []shard.Deadline
		doubtful, watched = r.doubtfulRecords(&got, p.rows)
		unwatched, err := r.unwatched(ctx, watched)
		if err != nil {
			return 0, err
		}
		doubtful = append(doubtful, unwatched...)
	}
	same = int64(len(ids) - len(doubtful))
	r.same.Reservations += same
	return same, r.checkpoint(ctx, shard.CheckpointRequest{Reservations: doubtful})
}

func recordNames(rows []ledger.RecordRow) shard.Names {
	return shard.Names{Reservations: ledger.Column(rows, func(row ledger.RecordRow) string { return row.ID })}
}

// recordsOf reads reservations from the ledger by id. It asks only for ids that the ledger may
// know: Postgres refuses others.
func (r *run) recordsOf(ctx context.Context, ids []string) (p page[ledger.RecordRow]) {
	var known map[string]wire.Record
	p.at, known, p.err = r.ledger.RecordsAt(ctx, ledger.Identifiers(ids))
	p.rows = ledger.Column(ids, func(id string) ledger.RecordRow {
		if record, there := known[id]; there {
			return ledger.RecordRowOf(id, record)
		}
		return ledger.RecordRow{ID: id}
	})
	return p
}

// doubtfulRecords lists the ids whose records differ or that an entry between the two sides
// touches. Of the others it counts the deadlines that the reading found, and returns those still to
// look up. A resolved reservation may be missing in Redis.
func (r *run) doubtfulRecords(g *reading, rows []ledger.RecordRow) (doubtful []string, watched []shard.Deadline) {
	for i := range rows {
		row, seen := &rows[i], &g.Records[i]
		known := row.Text != ""
		same := known && seen.There && row.Text == seen.Text || !seen.There && (!known || ledger.Resolved(row.Record.State))
		switch {
		case !same || g.between.Reservations[row.ID] || g.between.Compared[row.ID]:
			doubtful = append(doubtful, row.ID)
		case !seen.There || row.Record.State != cache.StateHeld:
		case row.Record.Expires != 0 && g.Deadlines[i] == float64(row.Record.Expires):
			r.deadlinesSeen++
		default:
			watched = append(watched, shard.Deadline{ID: row.ID, Expires: row.Record.Expires})
		}
	}
	return doubtful, watched
}

// unwatched lists the ids that are not among the deadlines, and so would never expire.
func (r *run) unwatched(ctx context.Context, list []shard.Deadline) ([]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	return onShard(ctx, r, func(s *shard.Conn, ctx context.Context) ([]string, error) { return s.Unwatched(ctx, list) })
}

// noExtraReservations says that Redis can have no extra records: it has as many as compareLive
// found the same, and the stream still ends with the entry before. It sets noOrphans if, in
// addition, Redis has as many deadlines as compareLive found with a record each.
func (r *run) noExtraReservations(ctx context.Context, before string, same int64) (bool, error) {
	if !r.scope.All() {
		return false, nil
	}
	sizes, err := onShard(ctx, r, (*shard.Conn).Sizes)
	if err != nil || sizes[shard.PartReservations] != same {
		return false, err
	}
	end, err := r.lastEntry(ctx)
	none := err == nil && end == before
	r.noOrphans = none && sizes[shard.PartDeadlines] == r.deadlinesSeen
	return none, err
}

// compareExtraReservations compares the records of Redis that are no live reservation of the
// ledger: resolved ones, and those that the ledger does not know.
func (r *run) compareExtraReservations(ctx context.Context) error {
	return r.scan(ctx, shard.PartReservations, func(ctx context.Context, fields []shard.Field) error {
		extra, err := r.notLive(ctx, fields)
		if err != nil {
			return err
		}
		if len(extra) == 0 {
			return r.endStep(ctx)
		}
		r.progress(len(extra))
		for some := range steps(extra, func(f shard.Field) int { return len(f.Name) + len(f.Value) }) {
			ids := ledger.Column(some, func(f shard.Field) string { return f.Name })
			if _, err := r.compareRecords(ctx, r.recordsOf(ctx, ids)); err != nil {
				return err
			}
		}
		return nil
	})
}

// notLive lists the records in scope that are no live reservation of the ledger.
func (r *run) notLive(ctx context.Context, fields []shard.Field) ([]shard.Field, error) {
	extra := slices.DeleteFunc(fields, func(f shard.Field) bool {
		record, err := wire.DecodeRecord(f.Value)
		inScope := r.scope.All() || err == nil && r.scope.HasRecord(&record)
		return !inScope || err == nil && r.younger(record.Created)
	})
	ids := ledger.Identifiers(ledger.Column(extra, func(f shard.Field) string { return f.Name }))
	if len(ids) == 0 {
		return extra, nil
	}
	ids, err := r.ledger.FilterLive(ctx, ids)
	live := make(map[string]bool, len(ids))
	for _, id := range ids {
		live[id] = true
	}
	return slices.DeleteFunc(extra, func(f shard.Field) bool { return live[f.Name] }), err
}
