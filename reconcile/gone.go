package reconcile

import (
	"context"
	"slices"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// goneStep is a refused step of which Redis had nothing to be undone: it is settled once the ledger has
// applied what the stream had then. Its undoing may be there, and on its way: until that is applied the
// refusal is open, and explains what Redis counts.
type goneStep struct {
	step cache.Step
	upTo ledger.EntryID
}

// noteGone notes steps that Redis has nothing of to be undone.
func (t *tail) noteGone(ctx context.Context, steps []cache.Step) error {
	if len(steps) == 0 {
		return nil
	}
	last, there, err := t.shard.Last(ctx)
	if err != nil || !there {
		return err
	}
	upTo, err := ledger.ParseEntryID(last.ID)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if !slices.ContainsFunc(t.gone, func(g goneStep) bool { return g.step == step }) {
			t.gone = append(t.gone, goneStep{step, upTo})
		}
	}
	return nil
}

// settleGone settles those whose place the ledger has passed.
func (t *tail) settleGone(ctx context.Context) error {
	var passed []cache.Step
	t.gone = slices.DeleteFunc(t.gone, func(g goneStep) bool {
		reached := !ledger.IsAfter(g.upTo, t.at)
		if reached {
			passed = append(passed, g.step)
		}
		return reached
	})
	if len(passed) == 0 {
		return nil
	}
	return t.session.Settle(ctx, passed)
}
