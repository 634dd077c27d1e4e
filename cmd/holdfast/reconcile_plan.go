package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

func (m *Main) reconcilePlanCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "plan",
		Short: "Write a plan of a repair, to read before it is applied",
		Long: "Audit as `holdfast reconcile audit` does, change nothing, and write what a repair would change as a\n" +
			"JSON document for `holdfast reconcile apply`. Read the plan and delete unwanted entries from its\n" +
			"`repairs`. Change nothing else in it.\n\n" +
			"Without --output the command prints the plan as text, or as JSON with --format json.\n\n" +
			"Exit status: 0 no drift; 1 drift, and the plan lists the repairs; 2 the command could not run.",
		Example: "  holdfast reconcile plan --output plan.json\n" +
			"  holdfast reconcile apply plan.json\n" +
			"  holdfast reconcile plan --sku TEE-M --format json",
		Args: noArgs,
	}
	var options audit.Options
	f := addFormat(c)
	output := c.Flags().String("output", "", "file for the plan, which is replaced if it exists; - means standard output")
	c.Flags().StringVar(&options.Actor, "actor", "holdfast reconcile plan", "who plans, recorded with the audit")
	addScope(c, &options)
	return m.configured(c, func(c *cobra.Command, _ []string, settings config.Config) error {
		if *output == stdio {
			*output, *f = "", formatJSON
		}
		return m.plan(c.Context(), settings, options, *output, *f)
	})
}

// plan runs an audit, writes the plan to the file output unless it is "", and prints the plan.
func (m *Main) plan(ctx context.Context, c config.Config, o audit.Options, output string, f format) error {
	if info, err := os.Stat(output); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file: name another, or - for standard output", output)
	}
	var plan *audit.Plan
	var done ledger.Audit
	err := writeWhole(cmp.Or(output, os.DevNull), 0o600, func(w io.Writer) error {
		return m.withAuditor(ctx, c, func(auditor *audit.Auditor) (show func() error, err error) {
			plan, done, err = auditor.Plan(ctx, o)
			return func() error { return plan.Encode(w) }, err
		})
	})
	if err != nil {
		return err
	}
	if err := m.printPlan(f, plan, &done, output); err != nil {
		return err
	}
	return checkDrift(&done)
}

func (m *Main) printPlan(f format, p *audit.Plan, done *ledger.Audit, output string) error {
	return m.print(f, p, func(w io.Writer) {
		if len(p.Repairs) > 0 {
			fmt.Fprintln(w, "finding\twhat\tabout\tredis\tledger\trepair")
		}
		for i := range p.Repairs {
			printPlanned(w, &p.Repairs[i], p.Repairs[i].Would)
		}
		if len(p.Left) > 0 {
			fmt.Fprintf(w, "%sfinding\twhat\tabout\tredis\tledger\tleft, because\n", blankLine(len(p.Repairs)))
		}
		for i := range p.Left {
			printPlanned(w, &p.Left[i], p.Left[i].Why)
		}
		fmt.Fprintf(w, "%s%s: %s compared; %d would be repaired, %d units at most, %d left\n",
			blankLine(len(p.Repairs)+len(p.Left)), p.Audit, comparedText(done), len(p.Repairs), p.Units, len(p.Left))
		if output != "" && len(p.Repairs) > 0 {
			fmt.Fprintf(w, "read %s, delete the repairs that you do not want, then run: holdfast reconcile apply %s\n",
				output, output)
		}
	})
}

// printPlanned prints a planned finding as a row and its notes; last is the last cell.
func printPlanned(w io.Writer, p *audit.Planned, last string) {
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.Kind, p.About(),
		sideText(p.Redis, p.Ledger), sideText(p.Ledger, p.Redis), last)
	if p.Note != "" {
		fmt.Fprintf(w, "\t%s\n", p.Note)
	}
	for _, id := range p.Needs {
		fmt.Fprintf(w, "\tonly together with %s\n", id)
	}
}
