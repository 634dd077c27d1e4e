package audit

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// ApplyOptions say how to apply a plan.
type ApplyOptions struct {
	Actor      string  // who applies it; recorded with each repair
	MaxUnits   int64   // as in Options
	MaxPercent float64 // as in Options
}

// Applied is the result of applying a plan.
type Applied struct {
	Audit   ledger.Audit // the audit that checked the plan again and repaired
	Repairs []AppliedRepair
}

// AppliedRepair is a planned repair and its outcome.
type AppliedRepair struct {
	Planned
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"` // why it was not made
}

// Outcome is the outcome of a planned repair.
type Outcome string

// Outcomes of a planned repair.
const (
	OutcomeRepaired Outcome = "repaired"
	OutcomeGone     Outcome = "gone" // the two sides agree again: somebody repaired it before
	OutcomeLeft     Outcome = "left" // not repaired, for the given Reason
)

// Apply makes the repairs that a plan lists, and no others. It checks all findings of the plan's
// audit again, in an audit of its own. It skips a finding that is gone, and leaves one that now
// needs another repair than the plan says. It is safe to repeat and to run twice at once. If it
// fails half-way, apply the plan again to make the remaining repairs.
//
// Errors, in order of precedence: ErrPlanInvalid and ErrPlanForeign, before anything is checked;
// then those of Run. With ErrTooMuch nothing was repaired, and Repairs says why.
func (a *Auditor) Apply(ctx context.Context, p *Plan, o ApplyOptions) (Applied, error) {
	found, err := a.checkPlan(ctx, p)
	if err != nil {
		return Applied{}, err
	}
	plan := newAppliedPlan(p, found)
	done, err := a.Run(ctx, Options{
		ID: p.Audit + "-apply-" + strings.ToLower(rand.Text()[:6]), SKU: p.SKU, Location: p.Location, Actor: o.Actor,
		Repair: true, MaxUnits: o.MaxUnits, MaxPercent: o.MaxPercent, plan: plan,
	})
	out := Applied{Audit: done}
	if err != nil && !errors.Is(err, ErrTooMuch) {
		return out, err
	}
	now, readErr := a.drift(context.WithoutCancel(ctx), done.ID, math.MaxInt)
	if readErr == nil {
		out.Repairs = plan.outcomes(p, now, err)
	}
	return out, errors.Join(err, readErr)
}

// checkPlan compares a plan with the ledger's record of its audit, and returns all findings of that
// audit. A plan may lack findings, but must not differ in anything else.
func (a *Auditor) checkPlan(ctx context.Context, p *Plan) ([]ledger.Finding, error) {
	if err := checkVersion(p.Version); err != nil {
		return nil, err
	}
	if p.Prefix != a.prefix() {
		return nil, fmt.Errorf("%w: its key prefix is %q, and the prefix here is %q", ErrPlanForeign, p.Prefix, a.prefix())
	}
	if p.Audit == "" {
		return nil, fmt.Errorf("%w: it names no audit", ErrPlanInvalid)
	}
	done, err := a.Ledger.Audit(ctx, p.Audit)
	switch {
	case errors.Is(err, cache.ErrNotFound):
		return nil, fmt.Errorf("%w: the ledger has no audit %q: plan again", ErrPlanForeign, p.Audit)
	case err != nil:
		return nil, err
	case done.State != ledger.AuditDone || done.Repair:
		return nil, fmt.Errorf("%w: audit %s did not make a plan", ErrPlanInvalid, p.Audit)
	}
	found, err := a.drift(ctx, done.ID, PlanFindingsMax)
	if err != nil {
		return nil, err
	}
	whole := a.planOf(&done, found)
	if ledger.EncodeJSON(p.head()) != ledger.EncodeJSON(whole.head()) {
		return nil, fmt.Errorf("%w: its description of audit %s differs from the ledger's: delete repairs, and change nothing else",
			ErrPlanInvalid, p.Audit)
	}
	if err := checkPart(p.Repairs, whole.Repairs); err != nil {
		return nil, err
	}
	return found, checkPart(p.Left, whole.Left)
}

// head returns a plan without its findings and their sum.
func (p *Plan) head() Plan {
	head := *p
	head.Units, head.Repairs, head.Left = 0, nil, nil
	head.MadeAt = head.MadeAt.UTC()
	return head
}

// checkPart returns an error unless each of some findings appears once and is the same in all.
func checkPart(some, all []Planned) error {
	known := make(map[string]*Planned, len(all))
	for i := range all {
		known[all[i].ID] = &all[i]
	}
	seen := make(map[string]bool, len(some))
	for i := range some {
		id := some[i].ID
		switch {
		case seen[id]:
			return fmt.Errorf("%w: finding %s appears twice", ErrPlanInvalid, id)
		case known[id] == nil:
			return fmt.Errorf("%w: finding %s does not belong in this list of the plan", ErrPlanInvalid, id)
		case ledger.EncodeJSON(some[i]) != ledger.EncodeJSON(known[id]):
			return fmt.Errorf("%w: finding %s differs from what the audit found: it may be deleted, not changed", ErrPlanInvalid, id)
		}
		seen[id] = true
	}
	return nil
}

// appliedPlan is a plan while it is applied.
type appliedPlan struct {
	found      []ledger.Finding            // all findings of its audit: a deleted one may keep others from being repaired
	repairs    map[subject]*ledger.Finding // the findings that it lists
	shared     map[string]bool             // members of deadlines with ids that it does not list
	unrepaired map[string]string           // finding id -> why it was not repaired
}

func newAppliedPlan(p *Plan, found []ledger.Finding) *appliedPlan {
	listed := make(map[string]bool, len(p.Repairs))
	for i := range p.Repairs {
		listed[p.Repairs[i].ID] = true
	}
	a := &appliedPlan{found: found, repairs: map[subject]*ledger.Finding{}, shared: map[string]bool{}, unrepaired: map[string]string{}}
	for i := range found {
		if listed[found[i].ID] {
			a.repairs[subjectOf(&found[i])] = &found[i]
		}
	}
	return a
}

// subject is what a finding is about. An audit has one open finding about each.
type subject struct {
	part ledger.Part
	name string
}

func subjectOf(f *ledger.Finding) subject {
	name := string(f.Seen.Name)
	if f.Seen.Part == ledger.PartDeadline { // several members may hold an id
		name += "\x1f" + f.Seen.Text(0).Text
	}
	return subject{f.Seen.Part, name}
}

// comparePlanned compares the subjects of all findings of the plan's audit.
func (r *run) comparePlanned(ctx context.Context) error {
	for list := range slices.Chunk(r.options.plan.found, min(r.page, repairsMax)) {
		if err := r.checkpoint(ctx, markingOf(list)); err != nil {
			return err
		}
		r.progress(len(list))
	}
	return nil
}

// findSharedMembers finds the members of deadlines that hold ids the plan does not list. A repair
// removes a member as a whole.
func (r *run) findSharedMembers(ctx context.Context) error {
	plan := r.options.plan
	if plan == nil {
		return nil
	}
	orphaned := ledger.FindingFilter{Kinds: []ledger.FindingKind{ledger.KindDeadlineOrphaned}, Open: true}
	for list, err := range r.findings(ctx, orphaned) {
		if err != nil {
			return err
		}
		for i := range list {
			if plan.repairs[subjectOf(&list[i])] == nil {
				plan.shared[list[i].Seen.Text(0).Text] = true
			}
		}
	}
	return nil
}

// allowed returns the findings that may be repaired. If a plan is applied, these are the ones that
// need the repair that the plan lists.
func (r *run) allowed(list []ledger.Finding) []ledger.Finding {
	if r.options.plan == nil {
		return list
	}
	return slices.DeleteFunc(list, func(f ledger.Finding) bool {
		why := r.options.plan.why(&f)
		if r.unrepaired[f.ID] = why; why == "" {
			delete(r.unrepaired, f.ID)
		}
		return why != ""
	})
}

// why returns why the plan does not let a finding be repaired, or "" if it does.
func (a *appliedPlan) why(f *ledger.Finding) string {
	planned := a.repairs[subjectOf(f)]
	switch {
	case planned == nil:
		return whyDeleted
	case !sameRepair(f, planned):
		return whyChanged
	case f.Kind == ledger.KindDeadlineOrphaned && a.shared[f.Seen.Text(0).Text]:
		return whyShared
	default:
		return ""
	}
}

// outcomes returns the outcome of each repair in a plan, given the findings of the audit that
// applied it and the error of that audit.
func (a *appliedPlan) outcomes(p *Plan, now []ledger.Finding, failure error) []AppliedRepair {
	repaired, open := map[string]bool{}, map[subject]*ledger.Finding{}
	for i := range now {
		f := &now[i]
		repaired[f.ID] = f.State == ledger.FindingRepaired
		if f.State == ledger.FindingOpen {
			open[subjectOf(f)] = f
		}
	}
	about := make(map[string]subject, len(a.repairs))
	for of, planned := range a.repairs {
		about[planned.ID] = of
	}
	whyLeft := whyMeanwhile
	if failure != nil {
		whyLeft = whyTooMuch
	}
	list := make([]AppliedRepair, len(p.Repairs))
	for i := range p.Repairs {
		r := AppliedRepair{Planned: p.Repairs[i]}
		switch left := open[about[r.ID]]; {
		case left != nil:
			r.Outcome, r.Reason = OutcomeLeft, cmp.Or(a.unrepaired[left.ID], whyLeft)
		case repaired[r.ID]:
			r.Outcome, r.State = OutcomeRepaired, ledger.FindingRepaired
		default:
			r.Outcome, r.State = OutcomeGone, ledger.FindingGone
		}
		list[i] = r
	}
	return list
}
