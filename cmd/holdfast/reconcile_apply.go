package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// errLeft means that apply has printed repairs that it left.
var errLeft = errors.New("not all of the plan was repaired: see above what was left and why")

func (m *Main) reconcileApplyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Repair what a plan lists",
		Long: "Repair what a plan from `holdfast reconcile plan` lists, and nothing else. PLAN is a file, or - for\n" +
			"standard input. The command checks each finding again first, while sales go on. It skips a finding\n" +
			"that is gone, and leaves one that now needs another repair than the plan says. Applying a plan\n" +
			"twice, even at once, changes nothing more.\n\n" +
			"You may delete repairs from a plan. If anything else in it was changed, or if it belongs to another\n" +
			"deployment, the command applies nothing.\n\n" +
			"Exit status: 0 all listed findings are repaired or gone; 1 some are left, the repair would exceed\n" +
			"--max-change, or the plan was refused; 2 the command could not run.",
		Example: "  holdfast reconcile plan --output plan.json\n" +
			"  holdfast reconcile apply plan.json\n" +
			"  holdfast reconcile apply --max-change 200,1 --actor \"$USER\" plan.json",
		Args: oneArg("PLAN"),
	}
	options := audit.ApplyOptions{}
	f := addFormat(c)
	c.Flags().StringVar(&options.Actor, "actor", "holdfast reconcile apply", "who repairs, recorded with each repair")
	most := addMaxChange(c)
	return m.configured(c, func(c *cobra.Command, args []string, settings config.Config) error {
		_, text, err := m.readFile(args[0], planFile)
		if err != nil {
			return err
		}
		plan, err := audit.DecodePlan(bytes.NewReader(text))
		if err != nil {
			return err
		}
		options.MaxUnits, options.MaxPercent = most.units, most.percent
		return m.apply(c.Context(), settings, plan, options, *f)
	})
}

// apply applies a plan and prints the outcome of each repair.
func (m *Main) apply(ctx context.Context, c config.Config, plan *audit.Plan, o audit.ApplyOptions, f format) error {
	return m.withAuditor(ctx, c, func(auditor *audit.Auditor) (show func() error, err error) {
		applied, err := auditor.Apply(ctx, plan, o)
		summary := summarize(plan, &applied)
		return func() error {
			if err := m.print(f, summary, summary.text); err != nil {
				return err
			}
			if summary.Left > 0 && applied.Audit.State == ledger.AuditDone {
				return errLeft
			}
			return nil
		}, err
	})
}

// appliedSummary is the outcome of a plan as JSON.
type appliedSummary struct {
	ID       string                `json:"id"`
	State    string                `json:"state"`
	Plan     string                `json:"plan"` // id of the audit that made the plan
	Actor    string                `json:"actor"`
	Failure  string                `json:"failure,omitempty"`
	Repaired int                   `json:"repaired"`
	Gone     int                   `json:"gone"`
	Left     int                   `json:"left"`
	Repairs  []audit.AppliedRepair `json:"repairs"`
}

func summarize(p *audit.Plan, a *audit.Applied) appliedSummary {
	count := map[audit.Outcome]int{}
	for i := range a.Repairs {
		count[a.Repairs[i].Outcome]++
	}
	return appliedSummary{
		ID: a.Audit.ID, State: a.Audit.State, Plan: p.Audit, Actor: a.Audit.Actor, Failure: a.Audit.Failure,
		Repaired: count[audit.OutcomeRepaired], Gone: count[audit.OutcomeGone],
		Left: count[audit.OutcomeLeft], Repairs: a.Repairs,
	}
}

func (s *appliedSummary) text(w io.Writer) {
	if len(s.Repairs) > 0 {
		fmt.Fprintln(w, "finding\twhat\tabout\tplanned\toutcome")
	}
	for i := range s.Repairs {
		r := &s.Repairs[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.ID, r.Kind, r.About(), r.Would, r.Outcome)
		if r.Reason != "" {
			fmt.Fprintf(w, "\t%s\n", r.Reason)
		}
	}
	fmt.Fprintf(w, "%s%s: %d planned; %d repaired, %d not needed any more, %d left\n",
		blankLine(len(s.Repairs)), s.ID, len(s.Repairs), s.Repaired, s.Gone, s.Left)
}
