package audit

import (
	"context"
	"iter"
	"slices"

	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Records has every reservation compared that was there when the audit began: else those that come in while it
// rests would keep it going. First those that are live in the ledger, in its order, which is the cheapest way to read
// it; then what Redis has beside those. All that was there is in the ledger before the first are read, so what is live
// in it, when it is asked about the second, was among the first: but for one that had expired and was confirmed
// meanwhile, which is the next one's.
func (r *auditRun) Records(ctx context.Context) error {
	if err := r.caughtUp(ctx); err != nil {
		return err
	}
	before, err := r.streamEnd(ctx)
	if err != nil {
		return err
	}
	same, err := r.liveRecords(ctx)
	if err != nil {
		return err
	}
	noExtra, noOrphans, err := r.nothingBeside(ctx, before, same)
	if r.noOrphans = noOrphans; err != nil || noExtra {
		return err
	}
	return r.extraRecords(ctx)
}

// liveRecords has every live reservation of the ledger compared, and counts those that are not in doubt.
func (r *auditRun) liveRecords(ctx context.Context) (same int64, err error) {
	read := func(after ledger.LiveKey) func() recordPage {
		return func() recordPage {
			at, rows, err := r.Ledger.LiveAt(ctx, after, r.scope, r.Page)
			return recordPage{at, rows, err}
		}
	}
	for next := ahead[recordPage](read(ledger.LiveKey{})); ; {
		page := next()
		if page.err != nil || len(page.rows) == 0 {
			return same, page.err
		}
		if r.younger(page.rows[0].Record.Created) { // and those that follow, but for what claims to be of a time to come
			next = read(ledger.LiveKey{Created: r.soon()})
			continue
		}
		next = readAhead(r.busy, read(page.rows[len(page.rows)-1].Key()))
		r.progressed(len(page.rows))
		older := slices.DeleteFunc(page.rows, func(row ledger.RecordRow) bool { return r.younger(row.Record.Created) })
		for rows := range steps(older, func(row ledger.RecordRow) int { return len(row.ID) + len(row.Text) }) {
			n, err := r.someRecords(ctx, recordPage{at: page.at, rows: rows})
			if err != nil {
				return same, err
			}
			same += n
		}
	}
}

// steps divides a list into what is looked at in one step each, of auditBytesMax or little more.
func steps[T any](list []T, bytes func(T) int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		from, sum := 0, 0
		for i, item := range list {
			if sum += bytes(item); sum >= auditBytesMax {
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
