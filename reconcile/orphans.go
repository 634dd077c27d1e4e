package reconcile

import (
	"context"
	"maps"
	"slices"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// orphans are the holds of a history that went to quarantine, by id, each with its last record.
// Their callers were told that they are held.
type orphans map[string]shard.LostHold

// note notes the holds that entries created, and their changes since.
func (o *orphans) note(entries []ledger.Entry) {
	if *o == nil {
		*o = orphans{}
	}
	for _, r := range ledger.EventRefs(entries) {
		e := r.Event()
		if !location.IsIdentifier(e.ID) { // no script wrote it
			continue
		}
		known, there := (*o)[e.ID]
		switch {
		case e.Verb == cache.VerbReserve:
			(*o)[e.ID] = shard.LostHold{ID: e.ID, Record: e.Record, Extra: e.Extra}
		case there && e.Record.CreationNonce == known.Record.CreationNonce:
			known.Record = e.Record
			(*o)[e.ID] = known
		}
	}
}

// retakeOrphans takes the orphans again that are still held and that the ledger does not know. Those
// whose units are gone are lost, as holds may be.
func (a *applier) retakeOrphans(ctx context.Context) error {
	all := a.orphans
	a.orphans = nil
	ids := slices.Sorted(maps.Keys(all))
	known, err := a.session.Records(ctx, ids)
	if err != nil {
		return err
	}
	var list []shard.LostHold
	for _, id := range ids {
		hold := all[id]
		if _, there := known[id]; !there && !ledger.Resolved(hold.Record.State) && hold.Record.Expires > a.now() {
			hold.TTL = hold.Record.Expires - a.now()
			list = append(list, hold)
		}
	}
	answers, err := a.shard.HoldAgain(ctx, list)
	if err != nil {
		return err
	}
	taken := 0
	for i := range answers {
		if answers[i].Status == wire.StatusHeld {
			taken++
		}
	}
	if len(all) > 0 {
		a.Logger.Warn("holds of another history were taken again", "taken", taken, "lost", len(all)-taken)
	}
	return nil
}
