package reconcile

import (
	"context"
	"maps"
	"slices"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// orphansPerCall is how many holds are taken anew in one call.
const orphansPerCall = 64

// orphans are the holds of a history that was set aside, id -> how it was last.
type orphans map[string]cache.Again

// Note notes the holds that entries made, and what became of them since.
func (o *orphans) Note(entries []ledger.Entry) {
	if *o == nil {
		*o = orphans{}
	}
	for _, r := range ledger.EventRefs(entries) {
		e := r.Event()
		if !cache.IsIdentifier(e.ID) { // no script wrote it
			continue
		}
		known, there := (*o)[e.ID]
		switch {
		case e.Verb == cache.VerbReserve:
			(*o)[e.ID] = cache.Again{ID: e.ID, Record: e.Record, Extra: e.Extra}
		case there && e.Record.Birth == known.Record.Birth:
			known.Record = e.Record
			(*o)[e.ID] = known
		}
	}
}

// holdAgain takes anew what was held in a history that is no more, where the ledger does not know the id:
// its caller was told that it is held. What can't be had any more is lost, as holds may be.
func (t *tail) holdAgain(ctx context.Context) error {
	all := t.orphans
	t.orphans = nil
	known, err := t.session.Records(ctx, slices.Sorted(maps.Keys(all)))
	if err != nil {
		return err
	}
	var list []cache.Again
	for _, id := range slices.Sorted(maps.Keys(all)) {
		a := all[id]
		if _, there := known[id]; !there && !ledger.Resolved(a.Record.State) && a.Record.Expires > t.now() {
			list = append(list, a)
		}
	}
	taken := 0
	for chunk := range slices.Chunk(list, orphansPerCall) {
		n, err := t.shard.HoldAgain(ctx, chunk, func(r cache.Record) int64 { return r.Expires - t.now() })
		if err != nil {
			return err
		}
		taken += n
	}
	if len(all) > 0 {
		t.Logger.Warn("holds of another history were taken anew", "taken", taken, "lost", len(all)-taken)
	}
	return nil
}
