package audit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

const (
	// PlanVersion is the version of the plan format. Other versions are refused.
	PlanVersion = 1
	// PlanFindingsMax is the most findings in a plan. Nobody reads more.
	PlanFindingsMax = 20_000
)

// Plan lists what a repair would change. A person reads it, may delete repairs from it, and has it
// applied.
type Plan struct {
	Version  int          `json:"version"`
	Audit    string       `json:"audit"` // id of the audit that found this
	MadeAt   time.Time    `json:"made_at"`
	Actor    string       `json:"actor"`
	SKU      location.SKU `json:"sku,omitempty"`      // "": all
	Location location.ID  `json:"location,omitempty"` // "": all
	Prefix   string       `json:"prefix"`             // of the keys in Redis
	Units    int64        `json:"units"`              // the most that all repairs together would change
	Repairs  []Planned    `json:"repairs"`            // what would be repaired; any of them may be deleted
	Left     []Planned    `json:"left"`               // drift that would not be repaired
}

// Planned is a finding and its planned repair.
type Planned struct {
	ledger.Finding
	Would string   `json:"would,omitempty"` // what the repair does in Redis
	Needs []string `json:"needs,omitempty"` // ids of findings: if one of them is not repaired, neither is this
	Why   string   `json:"why,omitempty"`   // why it is not repaired
}

// Refusals of a plan.
var (
	// ErrPlanInvalid refuses a file that is no plan, a plan of another version, and a plan that
	// somebody changed other than by deleting repairs.
	ErrPlanInvalid = errors.New("this plan can't be applied")
	// ErrPlanForeign refuses a plan of another deployment, and one whose audit the ledger has
	// forgotten.
	ErrPlanForeign = errors.New("this plan belongs to another deployment, or is too old")
	// ErrPlanTooLong means that an audit has more findings than a plan may hold.
	ErrPlanTooLong = fmt.Errorf("a plan has at most %d findings", PlanFindingsMax)
)

// Plan audits as Run does, and lists what a repair would change. It changes nothing.
//
// Errors: ErrPlanTooLong, or one of Run.
func (a *Auditor) Plan(ctx context.Context, o Options) (*Plan, ledger.Audit, error) {
	o.Repair = false
	done, err := a.Run(ctx, o)
	if err != nil {
		return nil, done, err
	}
	found, err := a.drift(ctx, done.ID, PlanFindingsMax)
	if err != nil {
		return nil, done, err
	}
	return a.planOf(&done, found), done, nil
}

// drift reads the findings of an audit that are drift. It fails with ErrPlanTooLong if there are
// more than most.
func (a *Auditor) drift(ctx context.Context, audit string, most int) (found []ledger.Finding, err error) {
	f := ledger.FindingFilter{Kinds: slices.DeleteFunc(slices.Clone(ledger.FindingKinds), func(k ledger.FindingKind) bool { return !k.Drift() })}
	for list, err := range findings(ctx, a.Ledger, audit, f, PageDefault) {
		if err != nil {
			return found, err
		}
		if found = append(found, list...); len(found) > most {
			return nil, fmt.Errorf("%w, and %s has more: plan a SKU or a location, or rebuild Redis with `holdfast reconcile rebuild`",
				ErrPlanTooLong, audit)
		}
	}
	return found, nil
}

// planOf makes the plan of an audit that has ended and of its findings.
func (a *Auditor) planOf(done *ledger.Audit, found []ledger.Finding) *Plan {
	p := &Plan{
		Version: PlanVersion, Audit: done.ID, MadeAt: done.FinishedAt, Actor: done.Actor, SKU: done.SKU, Location: done.Location,
		Prefix: a.prefix(), Repairs: []Planned{}, Left: []Planned{},
	}
	open := slices.DeleteFunc(slices.Clone(found), func(f ledger.Finding) bool { return f.State != ledger.FindingOpen })
	c := newConflicts()
	for i := range open {
		c.add(&open[i])
	}
	for i := range open {
		f := &open[i]
		if why := cmp.Or(whyNeverRepaired[f.Kind], c.why(f)); why != "" {
			p.Left = append(p.Left, Planned{Finding: *f, Why: why})
			continue
		}
		p.Repairs = append(p.Repairs, Planned{Finding: *f, Would: describe(f), Needs: c.drawing(f)})
		p.Units = ledger.AddUnits(p.Units, f.Units)
	}
	return p
}

// DecodePlan reads a plan that Encode wrote. It refuses others with ErrPlanInvalid.
func DecodePlan(r io.Reader) (*Plan, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("%w: it is not a single JSON document: %w", ErrPlanInvalid, err)
	}
	if err := checkVersion(head.Version); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	p := &Plan{}
	if err := decoder.Decode(p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPlanInvalid, err)
	}
	return p, nil
}

func checkVersion(version int) error {
	if version != PlanVersion {
		return fmt.Errorf("%w: its version is %d, and this program supports %d: plan again", ErrPlanInvalid, version, PlanVersion)
	}
	return nil
}

// Encode writes the plan as an indented JSON document.
func (p *Plan) Encode(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(p)
}
