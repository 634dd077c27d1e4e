package audit

import (
	"context"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

const (
	readBehind = 128 // entries that the ledger may be behind: the more there are, the less is sure
	readTries  = 3   // readings of a page before all its names go into a checkpoint
)

// page is one page of the ledger, and the position it was read at.
type page[R any] struct {
	at   ledger.AsOf
	rows []R
	err  error
}

// readAhead returns a function that returns the next page. If nobody else works, it reads the page
// at once, while Redis answers about the page before it. If others work, it reads the page when it
// is asked for: read ahead it would be old by then, with more entries between the two sides, and it
// would take back the time that a rest leaves to others.
func readAhead[R any](busy bool, read func() page[R]) func() page[R] {
	if busy {
		return read
	}
	next := make(chan page[R], 1)
	go func() {
		var p page[R]
		defer func() { next <- p }()
		defer wire.Recovered(&p.err)
		p = read()
	}()
	return func() page[R] { return <-next }
}

// reading is what Redis has of a page of the ledger, and what the stream entries between the
// positions of the two touch. The ledger will be at the position of Redis with the same values for
// every name that is not touched. A reading compares those exactly as a checkpoint would, without a
// write. Other names, and those that differ, go into a checkpoint.
type reading struct {
	shard.Reading
	between *ledger.RowKeys
	sure    bool // false: some entries between are not known, or a refusal may explain a difference
}

// readSure reads the names of a page from Redis. If that is not sure, it reads both sides again, up
// to readTries times, and returns the page that it read last.
func readSure[R any](
	ctx context.Context, r *run, p page[R], names func([]R) shard.Names, reread func() page[R],
) (page[R], reading, error) {
	for try := 1; ; try++ {
		got, err := r.read(ctx, p.at, names(p.rows))
		if err != nil || got.sure || p.at.Refused || try == readTries {
			return p, got, err
		}
		if err := shard.Pause(ctx, pollInterval); err != nil {
			return p, got, err
		}
		if p = reread(); p.err != nil || len(p.rows) == 0 {
			return p, got, p.err
		}
	}
}

// read reads names from Redis, and the entries of the stream since the ledger was at a position.
func (r *run) read(ctx context.Context, at ledger.AsOf, names shard.Names) (got reading, err error) {
	if !at.There {
		return got, nil
	}
	got.Reading, err = onShard(ctx, r, func(s *shard.Conn, ctx context.Context) (shard.Reading, error) {
		return s.Read(ctx, at.Position, names, readBehind+2)
	})
	if err != nil {
		return got, err
	}
	r.point("read")
	if entries, known := got.behind(at.Position); known {
		r.noteBusy(at.Position, entries)
		got.between = ledger.RowKeysOf(ledger.EventRefs(entries))
		got.sure = !at.Refused && nameAll(entries)
	}
	return got, nil
}

// behind returns the entries since the ledger was at a position. known is false if some are
// missing, or if the position is not of this Redis.
func (g *reading) behind(at wire.Position) (list []ledger.Entry, known bool) {
	n := len(g.Entries)
	if g.Epoch != at.Epoch || !g.Open || n == 0 || n > readBehind+1 || g.Entries[0].ID != at.EntryID() ||
		g.Entries[0].Values["n"] != at.Nonce {
		return nil, false
	}
	for _, m := range g.Entries[1:] {
		e, err := ledger.ReadEntry(m)
		if err != nil || e.Fault != nil || !e.WrittenIn(at.Epoch) {
			return nil, false
		}
		list = append(list, e)
	}
	return list, true
}

// nameAll says whether entries name every level that they change. A step of a reservation does if
// it leaves the allocations as they were. Any other step may return units to a level that the new
// record no longer names.
func nameAll(entries []ledger.Entry) bool {
	for i := range entries {
		for _, e := range entries[i].Events {
			switch e.Verb {
			case cache.VerbReserve, cache.VerbConfirm, cache.VerbExtend, cache.VerbExpire, cache.VerbFulfill,
				cache.VerbAdjust, cache.VerbRemove, cache.VerbTransfer, wire.VerbAudit, wire.VerbRepair:
			case cache.VerbRelease:
				if e.Record.State != cache.StateReleased { // a release of a part
					return false
				}
			default:
				return false
			}
		}
	}
	return true
}

// noteBusy notes whether others wrote to the stream since it was last read: whether there are more
// new entries than checkpoints sent.
func (r *run) noteBusy(p wire.Position, entries []ledger.Entry) {
	end := ledger.EntryID{Epoch: p.Epoch, Sequence: p.Sequence}
	if n := len(entries); n > 0 {
		end = entries[n-1].ID
	}
	if end.Epoch == r.streamEnd.Epoch && end.Sequence >= r.streamEnd.Sequence {
		r.busy = end.Sequence-r.streamEnd.Sequence > r.sent
	}
	r.streamEnd, r.sent = end, 0
}
