package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/setup"
)

// prepare makes Redis the one in the ledger's position: it checks it, adopts or rebuilds it if necessary,
// and loads the scripts. found is a reason to rebuild that the caller knows already, or "".
func (a *applier) prepare(ctx context.Context, found string) error {
	a.ahead = nil
	p, known, err := a.session.Position(ctx)
	if err != nil {
		return err
	}
	if known {
		if err := a.checkConfiguration(&p); err != nil {
			return err
		}
		a.at, a.forgottenTo = p.Position, p.ForgottenTo
	}
	if err := a.checkOtherLedger(ctx); err != nil {
		return err
	}
	if err := a.giveWay(ctx, p.Claim); err != nil {
		return err
	}
	if err := a.checkEviction(ctx); err != nil {
		return err
	}
	dropped, err := a.shard.DropOtherTypes(ctx)
	if err != nil {
		return err
	}
	if dropped != "" {
		found = cmp.Or(found, "deleted, because they had another type than the scripts wrote: "+dropped)
	}
	why, err := a.rebuildReason(ctx, known, p.Rebuild)
	if why = cmp.Or(why, found); err == nil && why != "" {
		mayAdopt := known && found == "" && !p.Rebuild && !a.givingUp
		err = a.renew(ctx, known, mayAdopt, why)
	}
	if err == nil && a.seen.LedgerID == "" && a.at.LedgerID != "" { // both are from before ids, or Redis was rebuilt just now
		err = a.shard.NoteLedger(ctx, a.at.LedgerID)
	}
	if err != nil {
		return err
	}
	return a.loadScripts(ctx)
}

// checkEviction returns setup.ErrUnsafe if Redis may evict keys.
func (a *applier) checkEviction(ctx context.Context) error {
	facts, err := a.shard.Facts(ctx)
	if policy, said := facts["maxmemory_policy"]; err == nil && said && policy != "noeviction" {
		return fmt.Errorf("%w: redis: maxmemory-policy is %s: set it to noeviction", setup.ErrUnsafe, policy)
	}
	if errors.Is(err, cache.ErrCorrupt) { // the embedded engine does not know INFO
		return nil
	}
	return err
}

// rebuildReason returns why Redis must be rebuilt, or "" if it is the one in the position. known
// says whether the ledger has a position; asked says that an operator wants a rebuild.
func (a *applier) rebuildReason(ctx context.Context, known, asked bool) (why string, err error) {
	if err := a.inspect(ctx); err != nil {
		return "", err
	}
	if known && !a.seen.Primary {
		return "", fmt.Errorf("%w: it is a replica", cache.ErrUnavailable)
	}
	if err := a.checkLedger(ctx, known, asked || a.AcceptOlderLedger); err != nil {
		return "", err
	}
	if !known {
		return "the ledger has no position yet", nil
	}
	if why = a.seen.Foreign(a.at); why != "" {
		return why, nil
	}
	applied, err := a.shard.LastApplied(ctx, a.at)
	switch {
	case err != nil:
		return "", err
	case !applied:
		return lastAppliedMissing, nil
	}
	last, _, err := a.shard.Last(ctx)
	if err != nil {
		return "", err
	}
	switch id, err := ledger.ParseEntryID(last.ID); {
	case err != nil || id.Epoch != a.at.Epoch:
		return "entry " + last.ID + " was not written by a script", nil
	case a.seen.Closed():
		return "a rebuild was not finished", nil
	case asked:
		return operatorAsked, nil
	default:
		return a.shard.Damage(ctx)
	}
}

// Reasons to rebuild that are found in two places.
const (
	lastAppliedMissing = "the last applied entry is missing"
	operatorAsked      = "an operator asked for it"
)

// inspect asks Redis for its identity. One round trip.
func (a *applier) inspect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	seen, err := a.shard.Inspect(ctx)
	if err != nil {
		return err
	}
	a.seen, a.seenAt = seen, time.Now()
	return nil
}

// now returns the time of Redis's clock, Unix ms.
func (a *applier) now() int64 { return a.seen.Now + time.Since(a.seenAt).Milliseconds() }

// loadScripts loads the scripts that are missing, under the ledger's script-loading lock.
func (a *applier) loadScripts(ctx context.Context) error {
	return a.Ledger.Loading(ctx, func(ctx context.Context, p wire.Position) error {
		if !ledger.SamePosition(p, a.at) {
			return ledger.ErrMoved
		}
		return a.shard.Load(ctx, a.at.Epoch, a.seen)
	})
}
