package audit

import (
	"bytes"
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
	// PlanVersion is the version of a plan's format; another one is refused.
	PlanVersion = 1
	// PlanFindingsMax is how many findings a plan has at most: more are no repair that a person reads.
	PlanFindingsMax = 20_000
)

// Plan is what a repair would change, for a person to read, to strike repairs from, and to have applied.
type Plan struct {
	Version  int          `json:"version"`
	Audit    string       `json:"audit"` // whose findings these are
	MadeAt   time.Time    `json:"made_at"`
	Actor    string       `json:"actor"`
	SKU      location.SKU `json:"sku,omitempty"`      // "": all
	Location location.ID  `json:"location,omitempty"` // "": all
	Prefix   string       `json:"prefix"`             // of the keys in Redis
	Units    int64        `json:"units"`              // that all repairs together would change at most
	Repairs  []Planned    `json:"repairs"`            // what would be repaired; any of them may be struck
	Left     []Planned    `json:"left"`               // drift that would not be
}

// Planned is a finding, and what would become of it.
type Planned struct {
	ledger.Finding
	Would string   `json:"would,omitempty"` // what is done in Redis
	Needs []string `json:"needs,omitempty"` // ids of reservations' findings: where one is left, so is this
	Why   string   `json:"why,omitempty"`   // why nothing is done
}

// What is wrong with a plan.
var (
	// ErrPlanInvalid refuses what is no plan, a plan of another version, and one in which something was
	// changed: repairs may be struck from a plan, nothing else.
	ErrPlanInvalid = errors.New("this plan can't be applied")
	// ErrPlanForeign refuses a plan of another deployment, or whose findings the ledger no longer has.
	ErrPlanForeign = errors.New("this plan is not of this deployment, or too old")
	// ErrPlanTooLong says that there is more to repair than a plan holds.
	ErrPlanTooLong = fmt.Errorf("a plan has at most %d findings", PlanFindingsMax)
)

// Plan audits as Run does, and says what a repair of what it found would change. Nothing is changed.
//
// Its error is ErrPlanTooLong, or one of Run.
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

// planOf makes the plan of an audit that has ended, and of what it found.
func (a *Auditor) planOf(done *ledger.Audit, found []ledger.Finding) *Plan {
	p := &Plan{
		Version: PlanVersion, Audit: done.ID, MadeAt: done.FinishedAt, Actor: done.Actor, SKU: done.SKU, Location: done.Location,
		Prefix: a.prefix(), Repairs: []Planned{}, Left: []Planned{},
	}
	inconsistent, drawn := entangled(found)
	for i := range found {
		f := &found[i]
		key := ledger.LevelKey{SKU: f.SKU, Location: f.Location}
		switch why := whyNeverRepaired[f.Kind]; {
		case f.State != ledger.FindingOpen:
		case why != "":
			p.Left = append(p.Left, Planned{Finding: *f, Why: why})
		case f.OfCounter() && inconsistent[key]:
			p.Left = append(p.Left, Planned{Finding: *f, Why: whyInconsistent})
		case doubtful(f, inconsistent):
			p.Left = append(p.Left, Planned{Finding: *f, Why: whyDoubtful})
		case f.OfCounter():
			p.Repairs = append(p.Repairs, Planned{Finding: *f, Would: would(f), Needs: drawn[key]})
		default:
			p.Repairs = append(p.Repairs, Planned{Finding: *f, Would: would(f)})
		}
	}
	for i := range p.Repairs {
		p.Units = ledger.AddUnits(p.Units, p.Repairs[i].Units)
	}
	return p
}

// drift reads what an audit has found that is drift: at most so much.
func (a *Auditor) drift(ctx context.Context, audit string, most int) (found []ledger.Finding, err error) {
	f := ledger.FindingFilter{Kinds: slices.DeleteFunc(slices.Clone(ledger.FindingKinds), func(k ledger.FindingKind) bool { return !k.Drift() })}
	for {
		list, err := a.Ledger.AuditFindings(ctx, audit, f, PageDefault)
		if err != nil || len(list) == 0 {
			return found, err
		}
		if found = append(found, list...); len(found) > most {
			return nil, fmt.Errorf("%w, and %s has more: plan a SKU or a location, or rebuild Redis with `holdfast reconcile rebuild`",
				ErrPlanTooLong, audit)
		}
		f.After = list[len(list)-1].ID
	}
}

// entangled is the levels whose row of the ledger is inconsistent, and those that a reservation's finding
// draws on, with its id.
func entangled(found []ledger.Finding) (inconsistent map[ledger.LevelKey]bool, drawn map[ledger.LevelKey][]string) {
	inconsistent, drawn = map[ledger.LevelKey]bool{}, map[ledger.LevelKey][]string{}
	for i := range found {
		f := &found[i]
		switch {
		case f.State != ledger.FindingOpen:
		case f.Kind == ledger.KindLedgerInconsistent:
			inconsistent[ledger.LevelKey{SKU: f.SKU, Location: f.Location}] = true
		case f.Kind == ledger.KindReservationExtra || f.Kind == ledger.KindReservationState:
			for _, key := range drawsOn(f) {
				drawn[key] = append(drawn[key], f.ID)
			}
		}
	}
	return inconsistent, drawn
}

// DecodePlan reads a plan that Encode wrote. Refusals: ErrPlanInvalid.
func DecodePlan(r io.Reader) (*Plan, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("%w: it is not one JSON document: %w", ErrPlanInvalid, err)
	}
	if head.Version != PlanVersion {
		return nil, fmt.Errorf("%w: its version is %d, and this program knows %d", ErrPlanInvalid, head.Version, PlanVersion)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	p := &Plan{}
	if err := decoder.Decode(p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPlanInvalid, err)
	}
	return p, nil
}

// Encode writes a plan as an indented JSON document.
func (p *Plan) Encode(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(p)
}
