package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

func (m *Main) reconcileApplyCommand() *cobra.Command {
	options := audit.ApplyOptions{}
	most := &maxChange{units: audit.MaxUnitsDefault}
	c := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Repair what a plan lists, and nothing else",
		Long: "Repair what a plan of `holdfast reconcile plan` lists. Each finding is looked at again first, while\n" +
			"sales go on: what is right by now is not touched, and what would be repaired by another change than\n" +
			"the plan says is left, and said to be. To apply a plan twice, or twice at once, changes nothing more.\n\n" +
			"PLAN is its file, or - for standard input. Repairs may be struck from it; with anything else changed,\n" +
			"or made of another deployment, nothing of it is applied.\n\n" +
			"Exit status: 0 all that it lists is repaired or right already; 1 something was left, would be more\n" +
			"than --max-change, or the plan was refused; 2 it could not run.",
		Example: "  holdfast reconcile plan --output plan.json\n" +
			"  holdfast reconcile apply plan.json\n" +
			"  holdfast reconcile apply --max-change 200,1 --actor \"$USER\" plan.json",
		Args: oneArg("PLAN"),
	}
	config.AddFlags(c.Flags())
	format := addFormat(c)
	c.Flags().Var(most, "max-change", "units that may change in all, and their share of all on hand")
	c.Flags().StringVar(&options.Actor, "actor", "holdfast reconcile apply", "who repairs, kept with each repair")
	c.RunE = func(c *cobra.Command, args []string) error {
		settings, err := m.configuration(c)
		if err != nil {
			return err
		}
		plan, err := m.readPlan(args[0])
		if err != nil {
			return err
		}
		options.MaxUnits, options.MaxPercent = most.units, most.percent
		return m.apply(c.Context(), settings, plan, options, *format)
	}
	return c
}

// readPlan reads a plan from a file or standard input.
func (m *Main) readPlan(path string) (plan *audit.Plan, err error) {
	from := m.Stdin
	if path != stdio {
		file, err := os.Open(path) //nolint:gosec // whoever runs the command names it
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		from = file
	}
	return audit.DecodePlan(from)
}

// errLeft is found: what was left has been printed.
var errLeft = errors.New("not all of the plan was repaired: see what was left above")

// apply applies a plan, and prints what became of it.
func (m *Main) apply(ctx context.Context, c config.Config, plan *audit.Plan, o audit.ApplyOptions, f format) error {
	var applied audit.Applied
	run := func(auditor *audit.Auditor) (err error) {
		applied, err = auditor.Apply(ctx, plan, o)
		return err
	}
	return m.reconciling(ctx, c, run, func(ledger.Audits) error {
		if err := m.printApplied(f, plan, &applied); err != nil {
			return err
		}
		if left := countOutcome(&applied, audit.OutcomeLeft); left > 0 && applied.Audit.State == ledger.AuditDone {
			return errLeft
		}
		return nil
	})
}

// appliedSummary is what became of a plan as JSON.
type appliedSummary struct {
	ID       string                `json:"id"`
	State    string                `json:"state"`
	Plan     string                `json:"plan"` // the audit that it was made of
	Actor    string                `json:"actor"`
	Failure  string                `json:"failure,omitempty"`
	Repaired int                   `json:"repaired"`
	Gone     int                   `json:"gone"`
	Left     int                   `json:"left"`
	Repairs  []audit.AppliedRepair `json:"repairs"`
}

func (m *Main) printApplied(f format, p *audit.Plan, a *audit.Applied) error {
	out := appliedSummary{
		ID: a.Audit.ID, State: a.Audit.State, Plan: p.Audit, Actor: a.Audit.Actor, Failure: a.Audit.Failure,
		Repaired: countOutcome(a, audit.OutcomeRepaired), Gone: countOutcome(a, audit.OutcomeGone),
		Left: countOutcome(a, audit.OutcomeLeft), Repairs: a.Repairs,
	}
	return m.print(f, out, func(w io.Writer) {
		if len(a.Repairs) > 0 {
			fmt.Fprintln(w, "finding\twhat\tabout\tplanned\toutcome")
		}
		for i := range a.Repairs {
			r := &a.Repairs[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.ID, r.Kind, r.About(), r.Would, r.Outcome)
			if r.Reason != "" {
				fmt.Fprintf(w, "\t%s\n", r.Reason)
			}
		}
		fmt.Fprintf(w, "%s%s: %d planned; %d repaired, %d not needed any more, %d left\n",
			separatorAfter(len(a.Repairs)), out.ID, len(a.Repairs), out.Repaired, out.Gone, out.Left)
	})
}

func countOutcome(a *audit.Applied, of audit.Outcome) (n int) {
	for i := range a.Repairs {
		if a.Repairs[i].Outcome == of {
			n++
		}
	}
	return n
}
