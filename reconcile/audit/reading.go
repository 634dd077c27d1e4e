package audit

import (
	"context"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

const (
	readBehind = 128 // entries that the ledger may be behind by; the more there are, the less is sure
	readTries  = 3   // readings of a step before it is marked whole
)

// reading is what both sides have of some names: the ledger as of a place of the stream, Redis at a later one,
// and what stands between the two. Nothing was written for it, and nobody waits for it. What no entry between
// touches is in the ledger, at Redis's place, as it was read: it is compared there, exactly as a mark would be.
// What is touched, or differs, is marked: only a mark finds anything.
type reading struct {
	cache.Reading
	between *ledger.RowKeys
	sure    bool // false: not all that stands between is known, or a refusal may explain what differs
}

// read reads names from Redis behind what the ledger was read as of.
func (r *auditRun) read(ctx context.Context, at ledger.AsOf, names cache.Names) (got reading, err error) {
	if !at.There {
		return got, nil
	}
	err = r.onShard(ctx, func(ctx context.Context) (err error) {
		got.Reading, err = r.shard.Read(ctx, at.Position, names, readBehind+2)
		return err
	})
	if err != nil {
		return got, err
	}
	r.Point("read")
	entries, known := got.behind(at.Position)
	if known {
		r.beside(at.Epoch, entries, at.Sequence)
		got.between = ledger.RowKeysOf(ledger.EventRefs(entries))
		got.sure = !at.Refused && nameAll(entries)
	}
	return got, nil
}

// behind is the entries between the two sides; known is false where those are not all, or where Redis is not the
// one that the position tells of.
func (g *reading) behind(at cache.Position) (list []ledger.Entry, known bool) {
	n := len(g.Entries)
	if g.Epoch != at.Epoch || !g.Open || n == 0 || n > readBehind+1 || g.Entries[0].ID != at.EntryID() ||
		g.Entries[0].Values["n"] != at.Nonce {
		return nil, false
	}
	for _, m := range g.Entries[1:] {
		e, err := ledger.ReadEntry(m)
		if err != nil || e.Fault != nil || !e.Of(at.Epoch) {
			return nil, false
		}
		list = append(list, e)
	}
	return list, true
}

// nameAll says whether entries name every level that they change. Those steps of a reservation do that leave its
// allocations as they were; after any other, units may have come back to where its record no longer says.
func nameAll(entries []ledger.Entry) bool {
	for i := range entries {
		for _, e := range entries[i].Events {
			switch e.Verb {
			case cache.VerbReserve, cache.VerbConfirm, cache.VerbExtend, cache.VerbExpire, cache.VerbFulfill,
				cache.VerbAdjust, cache.VerbRemove, cache.VerbTransfer, cache.VerbAudit, cache.VerbRepair:
			case cache.VerbRelease:
				if e.Record.State != cache.StateReleased { // only a part of it
					return false
				}
			default:
				return false
			}
		}
	}
	return true
}

// beside notes whether others write to the stream too.
func (r *auditRun) beside(epoch uint64, entries []ledger.Entry, sequence uint64) {
	at := ledger.EntryID{Epoch: epoch, Sequence: sequence}
	if n := len(entries); n > 0 {
		at = entries[n-1].ID
	}
	if at.Epoch == r.last.Epoch && at.Sequence >= r.last.Sequence {
		r.busy = at.Sequence-r.last.Sequence > r.marks
	}
	r.last, r.marks = at, 0
}
