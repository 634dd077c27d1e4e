package reconcile

import (
	"context"
	"time"
)

// forgetAgain is how far an adoption goes back in what Redis was told to forget: the replica may not have
// heard of the last of it.
const forgetAgain = time.Minute

// renew starts the next epoch: it adopts Redis if it may and can, else it rebuilds it. It does nothing to a Redis
// that takes no writes. known says whether the ledger has a position.
func (a *applier) renew(ctx context.Context, known, mayAdopt bool, why string) error {
	if err := a.shard.CheckWrites(ctx, a.seen, false); err != nil { // no gate can be closed otherwise
		return err
	}
	if mayAdopt {
		if adopted, err := a.adopt(ctx); adopted || err != nil {
			return err
		}
	}
	return a.rebuild(ctx, known, why)
}

// adopt starts the next epoch on a promoted replica that continues the ledger's history. Its data is that
// of some entry of the stream. So the ledger applies the stream to its end, and both are the same: nothing
// is loaded. adopt returns false if Redis must be rebuilt instead.
//
// If the process dies before the ledger has the new epoch, the gate is closed, and the next process begins
// again. If it dies later, Redis lacks the first entry of that epoch, and the next process rebuilds it.
func (a *applier) adopt(ctx context.Context) (adopted bool, err error) {
	started := time.Now()
	if ok, err := a.continues(ctx); !ok || err != nil {
		return false, err
	}
	a.Point("adopt/begun")
	if err := a.shard.CloseGate(ctx, false); err != nil {
		return false, err
	}
	a.Point("adopt/closed")
	before := a.at
	if err := a.drain(ctx); err != nil {
		return false, err
	}
	last, there, err := a.shard.Last(ctx)
	if err != nil || !there || last.ID != a.at.EntryID() { // somebody wrote an entry by hand
		return false, err
	}
	if err := a.inspect(ctx); err != nil || !a.seen.Continues(a.at) {
		return false, err
	}
	if err := a.shard.CheckWrites(ctx, a.seen, false); err != nil { // before an epoch is used up
		return false, err
	}
	a.Point("adopt/drained")
	from, to := a.at, a.nextEpoch()
	if err := a.session.Adopt(ctx, from, to); err != nil {
		return false, err
	}
	a.at = to
	a.Point("adopt/moved")
	if err := a.loadScripts(ctx); err != nil {
		return false, err
	}
	a.Point("adopt/scripts")
	away := max(0, a.now()-from.SeenAt)
	if err := a.shard.Adopt(ctx, from, to.Nonce, a.now()+away); err != nil {
		return false, err
	}
	a.Point("adopt/open")
	a.forgottenTo -= forgetAgain.Milliseconds()
	a.counters.update(func(s *Stats) { s.Adopted++ })
	a.countEpoch(to.Epoch)
	a.Adopted()
	a.Logger.Warn("redis is a promoted replica: it is adopted and open", "epoch", to.Epoch, "applied", from.Sequence-before.Sequence,
		"away", (time.Duration(away) * time.Millisecond).String(), "took", time.Since(started).Round(time.Millisecond).String())
	return true, nil
}

// continues reports whether this Redis has the ledger's history up to some entry at or after the position,
// and every key.
func (a *applier) continues(ctx context.Context) (bool, error) {
	if !a.seen.Continues(a.at) {
		return false, nil
	}
	if whole, err := a.shard.Whole(ctx); !whole || err != nil {
		return false, err
	}
	return a.shard.LastApplied(ctx, a.at)
}
