package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	claimEvery = time.Second // between two questions of a process that waits for the lock
	askTimeout = time.Second // of one question
)

// errGivesWay ends a lease term in favour of a process that knows another server as the primary.
var errGivesWay = errors.New("another process knows another server as the primary")

// claim asks which server is the primary. If it is not the one in the position, the process that holds the
// lock may be cut off together with an old primary: claim tells it.
func (r *Reconciler) claim(ctx context.Context) error {
	if r.AskPrimary == nil || time.Since(r.asked) < claimEvery {
		return nil
	}
	r.asked = time.Now()
	at, known, err := r.Ledger.Position(ctx)
	if err != nil || !known {
		return err
	}
	primary, err := r.askPrimary(ctx)
	if err != nil || primary == at.RunID { // nobody to ask is no reason for a claim
		return nil
	}
	if at.Claim != primary {
		r.Logger.Warn("another server is the primary than the one that the ledger applies; claiming the shard for it",
			"primary", primary, "applied", at.RunID)
	}
	return r.Ledger.Claim(ctx, primary)
}

// giveWay returns errGivesWay if another process claims the shard for another server than this one, unless
// the answer to this process is that this one is the primary.
func (a *applier) giveWay(ctx context.Context, claim string) error {
	if claim == "" || claim == a.seen.RunID {
		return nil
	}
	if a.AskPrimary != nil {
		if primary, err := a.askPrimary(ctx); err == nil && primary == a.seen.RunID {
			return nil
		}
	}
	return fmt.Errorf("%w: it has the run id %s, and the one that this process reaches has %s", errGivesWay, claim, a.seen.RunID)
}

func (r *Reconciler) askPrimary(ctx context.Context) (runID string, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return r.AskPrimary(ctx)
}
