package reconcile

import (
	"context"
	"errors"
	"slices"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// undoMax is how many refused steps are undone in one call.
const undoMax = 64

// logStuck logs that reservations cannot expire, if the ledger refused that for some.
func (a *applier) logStuck(refusals []ledger.Refusal) {
	n, example := 0, ""
	for i := range refusals {
		if refusals[i].Stuck() {
			n, example = n+1, refusals[i].Step.ID
		}
	}
	if n > 0 {
		a.Logger.Error("the ledger contradicts itself, so overdue reservations stay held; correct what `holdfast reconcile audit` reports "+
			"as ledger_inconsistent, then audit with --repair", "reservations", n, "one of them", example)
	}
}

// undo undoes refused steps in Redis. It is safe to repeat, and housekeeping repeats it until the
// ledger has applied the undoing. A step that cannot be undone, because somebody edited Redis,
// stays open and is tried again.
func (a *applier) undo(ctx context.Context, refusals []ledger.Refusal) error {
	for chunk := range slices.Chunk(refusals, undoMax) {
		undoings, revertings, err := a.undoings(ctx, chunk)
		if err != nil {
			return err
		}
		a.Point("refused")
		compensated, err := a.shard.Compensate(ctx, undoings)
		if err = a.logCorrupt(err); err != nil {
			return err
		}
		reverted, err := a.shard.Revert(ctx, revertings)
		if err = a.logCorrupt(err); err != nil {
			return err
		}
		if err := a.noteNothingToUndo(ctx, append(compensated, reverted...)); err != nil {
			return err
		}
	}
	return nil
}

// undoings returns the requests that undo refused steps, of reservations and of operations.
func (a *applier) undoings(ctx context.Context, refusals []ledger.Refusal) (undoings []shard.Undoing, revertings []shard.Reverting, err error) {
	var ids []string
	for _, r := range refusals {
		if !r.Step.Operation {
			ids = append(ids, r.Step.ID)
		}
	}
	records, err := a.session.Records(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	for i := range refusals {
		r := &refusals[i]
		if r.Step.Operation {
			revertings = append(revertings, shard.Reverting{Step: r.Step, Levels: r.Detail.Levels})
			continue
		}
		undoing := shard.Undoing{Step: r.Step, Unwatched: r.Stuck(), Operation: r.Detail.Operated(), Levels: r.Detail.Levels}
		if known, there := records[r.Step.ID]; there {
			undoing.Target = ledger.UndoTarget(r, &known)
		}
		undoings = append(undoings, undoing)
	}
	return undoings, revertings, nil
}

// logCorrupt logs a cache.ErrCorrupt and returns any other error.
func (a *applier) logCorrupt(err error) error {
	if errors.Is(err, cache.ErrCorrupt) {
		a.Logger.Error("a refused step cannot be undone in redis; rebuild it with: holdfast reconcile rebuild", "error", err)
		return nil
	}
	return err
}

// undoneStep is a refused step of which Redis has nothing to undo. Its undoing may still wait in
// the stream, and until that is applied the refusal explains the counters of Redis. So the step is
// settled once the ledger has applied upTo, which was the last entry of the stream.
type undoneStep struct {
	step wire.Step
	upTo ledger.EntryID
}

// noteNothingToUndo notes steps that settleUndone settles later. At most one round trip.
func (a *applier) noteNothingToUndo(ctx context.Context, steps []wire.Step) error {
	if len(steps) == 0 {
		return nil
	}
	last, there, err := a.shard.Last(ctx)
	if err != nil || !there {
		return err
	}
	upTo, err := ledger.ParseEntryID(last.ID)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if !slices.ContainsFunc(a.nothingToUndo, func(u undoneStep) bool { return u.step == step }) {
			a.nothingToUndo = append(a.nothingToUndo, undoneStep{step, upTo})
		}
	}
	return nil
}

// settleUndone settles the undone steps whose upTo the ledger has applied.
func (a *applier) settleUndone(ctx context.Context) error {
	var passed []wire.Step
	a.nothingToUndo = slices.DeleteFunc(a.nothingToUndo, func(u undoneStep) bool {
		reached := !ledger.IsAfter(u.upTo, a.at)
		if reached {
			passed = append(passed, u.step)
		}
		return reached
	})
	if len(passed) == 0 {
		return nil
	}
	return a.session.Settle(ctx, passed)
}
