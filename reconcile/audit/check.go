package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Check compares a plan with what the ledger has of its audit, and returns all that the audit found. A plan
// may have fewer findings than its audit, and nothing else in it may be another.
func (a *Auditor) Check(ctx context.Context, p *Plan) ([]ledger.Finding, error) {
	if p.Version != PlanVersion {
		return nil, fmt.Errorf("%w: its version is %d, and this program knows %d", ErrPlanInvalid, p.Version, PlanVersion)
	}
	if p.Prefix != a.prefix() {
		return nil, fmt.Errorf("%w: its keys begin with %q, and those here with %q", ErrPlanForeign, p.Prefix, a.prefix())
	}
	done, err := a.planned(ctx, p.Audit)
	if err != nil {
		return nil, err
	}
	found, err := a.drift(ctx, done.ID, PlanFindingsMax)
	if err != nil {
		return nil, err
	}
	whole := a.planOf(&done, found)
	if ledger.EncodeJSON(p.head()) != ledger.EncodeJSON(whole.head()) {
		return nil, fmt.Errorf("%w: what it says of %s is not what the ledger says: nothing but findings may be struck", ErrPlanInvalid, p.Audit)
	}
	if err := partOf(p.Repairs, whole.Repairs); err != nil {
		return nil, err
	}
	if err := partOf(p.Left, whole.Left); err != nil {
		return nil, err
	}
	return found, nil
}

// planned reads the audit of a plan.
func (a *Auditor) planned(ctx context.Context, id string) (ledger.Audit, error) {
	if id == "" {
		return ledger.Audit{}, fmt.Errorf("%w: it names no audit", ErrPlanInvalid)
	}
	done, err := a.Ledger.Audit(ctx, id)
	switch {
	case errors.Is(err, cache.ErrNotFound):
		return done, fmt.Errorf("%w: the ledger has no audit %q", ErrPlanForeign, id)
	case err == nil && (done.State != ledger.AuditDone || done.Repair):
		return done, fmt.Errorf("%w: %s is no audit that a plan was made of", ErrPlanInvalid, id)
	default:
		return done, err
	}
}

// head is a plan without its findings, and what they add up to.
func (p *Plan) head() Plan {
	head := *p
	head.Units, head.Repairs, head.Left = 0, nil, nil
	head.MadeAt = head.MadeAt.UTC()
	return head
}

// partOf says whether each of some findings is as it is in all, and there once.
func partOf(some, all []Planned) error {
	known := make(map[string]*Planned, len(all))
	for i := range all {
		known[all[i].ID] = &all[i]
	}
	seen := make(map[string]bool, len(some))
	for i := range some {
		id := some[i].ID
		switch {
		case seen[id]:
			return fmt.Errorf("%w: finding %s is there twice", ErrPlanInvalid, id)
		case known[id] == nil:
			return fmt.Errorf("%w: finding %s is not there among what the audit found", ErrPlanInvalid, id)
		case ledger.EncodeJSON(some[i]) != ledger.EncodeJSON(known[id]):
			return fmt.Errorf("%w: finding %s is not what the audit found: it may be struck, not changed", ErrPlanInvalid, id)
		}
		seen[id] = true
	}
	return nil
}
