package audit

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/reconcile/ledger"
)

// ApplyOptions is how a plan is applied.
type ApplyOptions struct {
	Actor      string  // who applies it; kept with each repair
	MaxUnits   int64   // as in AuditOptions
	MaxPercent float64 // as in AuditOptions
}

// Applied is what became of a plan: the audit that looked at it again and repaired, and each repair in it.
type Applied struct {
	Audit   ledger.Audit
	Repairs []AppliedRepair
}

// AppliedRepair is a repair of a plan, and what became of it.
type AppliedRepair struct {
	Planned
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"` // why it was not made
}

// Outcome says what became of a planned repair.
type Outcome string

// The outcomes.
const (
	OutcomeRepaired Outcome = "repaired"
	OutcomeGone     Outcome = "gone" // it no longer differs: somebody has repaired it before
	OutcomeLeft     Outcome = "left" // not repaired: its reason says why
)

// Apply repairs what a plan lists, and nothing else. All that the plan's audit found is looked at again, by
// an audit of its own: what differs no longer is not touched, and what would be repaired by another change
// than the plan says is left. It is safe to repeat, and to do twice at once; where it ends half-way, another
// Apply does the rest.
//
// Refusals, in this order: ErrPlanInvalid and ErrPlanForeign, before anything is looked at; then those of
// Run. With ErrTooMuch nothing was repaired, and it says what became of the repairs.
func (a *Auditor) Apply(ctx context.Context, p *Plan, o ApplyOptions) (Applied, error) {
	found, err := a.Check(ctx, p)
	if err != nil {
		return Applied{}, err
	}
	plan := applyingOf(p, found)
	done, err := a.Run(ctx, Options{
		ID: p.Audit + "-apply-" + strings.ToLower(rand.Text()[:6]), SKU: p.SKU, Location: p.Location, Actor: o.Actor,
		Repair: true, MaxUnits: o.MaxUnits, MaxPercent: o.MaxPercent, plan: plan,
	})
	out := Applied{Audit: done}
	if err != nil && !errors.Is(err, ErrTooMuch) {
		return out, err
	}
	now, reading := a.drift(context.WithoutCancel(ctx), done.ID, math.MaxInt)
	if reading == nil {
		out.Repairs = plan.outcomes(p, now, err)
	}
	return out, errors.Join(err, reading)
}

// Why a finding is left alone where a plan is applied.
const (
	whyChanged   = "not repaired: it has changed since the plan; plan again"
	whyStruck    = "not repaired: it is not in the plan"
	whyShared    = "not repaired: it is stored together with a deadline that is not in the plan"
	whyTooMuch   = "not repaired: together it would be more than --max-change"
	whyMeanwhile = "not repaired: somebody else was repairing it; apply the plan again"
)

// applying is a plan while it is applied.
type applying struct {
	found   []ledger.Finding          // all that its audit found: those that were struck may bar others
	repairs map[thing]*ledger.Finding // what it lists
	shared  map[string]bool           // members of deadlines with ids that it does not list
	left    map[string]string         // finding -> why it was left
}

func applyingOf(p *Plan, found []ledger.Finding) *applying {
	listed := make(map[string]bool, len(p.Repairs))
	for i := range p.Repairs {
		listed[p.Repairs[i].ID] = true
	}
	a := &applying{found: found, repairs: map[thing]*ledger.Finding{}, shared: map[string]bool{}, left: map[string]string{}}
	for i := range found {
		if listed[found[i].ID] {
			a.repairs[thingOf(&found[i])] = &found[i]
		}
	}
	return a
}

// thing is what a finding is about. An audit has one open finding of each.
type thing struct {
	part ledger.Part
	name string
}

func thingOf(f *ledger.Finding) thing {
	name := string(f.Seen.Name)
	if f.Seen.Part == ledger.PartDeadline { // an id may stand in several members
		name += "\x1f" + f.Seen.Text(0).Text
	}
	return thing{f.Seen.Part, name}
}

// bars says why a finding is not repaired; "" where it is.
func (a *applying) bars(f *ledger.Finding) string {
	planned := a.repairs[thingOf(f)]
	switch {
	case planned == nil:
		return whyStruck
	case !sameRepair(f, planned):
		return whyChanged
	case f.Kind == ledger.KindDeadlineOrphaned && a.shared[f.Seen.Text(0).Text]:
		return whyShared
	default:
		return ""
	}
}

// outcomes says what became of each repair of a plan, of what is found now.
func (a *applying) outcomes(p *Plan, now []ledger.Finding, failure error) []AppliedRepair {
	repaired, open := map[string]bool{}, map[thing]*ledger.Finding{}
	for i := range now {
		f := &now[i]
		repaired[f.ID] = f.State == ledger.FindingRepaired
		if f.State == ledger.FindingOpen {
			open[thingOf(f)] = f
		}
	}
	list := make([]AppliedRepair, len(p.Repairs))
	about := make(map[string]thing, len(a.repairs))
	for of, planned := range a.repairs {
		about[planned.ID] = of
	}
	for i := range p.Repairs {
		r := AppliedRepair{Planned: p.Repairs[i]}
		switch left := open[about[r.ID]]; {
		case left != nil && failure != nil:
			r.Outcome, r.Reason = OutcomeLeft, cmp.Or(a.left[left.ID], whyTooMuch)
		case left != nil:
			r.Outcome, r.Reason = OutcomeLeft, cmp.Or(a.left[left.ID], whyMeanwhile)
		case repaired[r.ID]:
			r.Outcome, r.State = OutcomeRepaired, ledger.FindingRepaired
		default:
			r.Outcome, r.State = OutcomeGone, ledger.FindingGone
		}
		list[i] = r
	}
	return list
}

// planned has all that the plan's audit found looked at.
func (r *auditRun) planned(ctx context.Context) error {
	for list := range slices.Chunk(r.plan.found, min(r.Page, repairsMax)) {
		if err := r.mark(ctx, markingOf(list)); err != nil {
			return err
		}
		r.progressed(len(list))
	}
	return nil
}

// allowed is those of some findings that may be repaired: where a plan is applied, those that it lists, as it
// lists them.
func (r *auditRun) allowed(list []ledger.Finding) []ledger.Finding {
	if r.plan == nil {
		return list
	}
	var out []ledger.Finding
	for i := range list {
		if why := r.plan.bars(&list[i]); why != "" {
			r.leave(&list[i], why)
			continue
		}
		delete(r.left, list[i].ID)
		out = append(out, list[i])
	}
	return out
}

// shareMembers looks for members of deadlines that hold ids which a plan does not list: a member is taken out
// as a whole.
func (r *auditRun) shareMembers(ctx context.Context) error {
	if r.plan == nil {
		return nil
	}
	orphaned := ledger.FindingFilter{Kinds: []ledger.FindingKind{ledger.KindDeadlineOrphaned}, Open: true}
	return r.eachPage(ctx, orphaned, func(_ context.Context, list []ledger.Finding) error {
		for i := range list {
			if r.plan.repairs[thingOf(&list[i])] == nil {
				r.plan.shared[list[i].Seen.Text(0).Text] = true
			}
		}
		return nil
	})
}
