package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// stdio names standard input or output where a file is named.
const stdio = "-"

func (m *Main) reconcilePlanCommand() *cobra.Command {
	var options audit.Options
	var output string
	c := &cobra.Command{
		Use:   "plan",
		Short: "What a repair would change, for somebody to read first",
		Long: "Audit as `holdfast reconcile audit` does, change nothing, and write what a repair would change: a\n" +
			"JSON document that `holdfast reconcile apply` takes. Read it, and strike from its `repairs` what is\n" +
			"not to be repaired; nothing else in it may be changed.\n\n" +
			"Without --output it is printed for people, or with --format json as it is.\n\n" +
			"Exit status: 0 there is no drift; 1 there is, and the plan says what would be done; 2 it could not run.",
		Example: "  holdfast reconcile plan --output plan.json\n" +
			"  holdfast reconcile apply plan.json\n" +
			"  holdfast reconcile plan --sku TEE-M --format json",
		Args: noArgs,
	}
	config.AddFlags(c.Flags())
	format := addFormat(c)
	c.Flags().StringVar(&output, "output", "", `file to write the plan to, over one that is there; "-" is standard output`)
	scoped := addScope(c, &options)
	c.Flags().StringVar(&options.Actor, "actor", "holdfast reconcile plan", "who plans, kept with the audit")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := scoped(); err != nil {
			return err
		}
		settings, err := m.configuration(c)
		if err != nil {
			return err
		}
		if output == stdio {
			output, *format = "", formatJSON
		}
		return m.plan(c.Context(), settings, options, output, *format)
	}
	return c
}

// plan audits, writes the plan to a file where one is named, and prints it.
func (m *Main) plan(ctx context.Context, c config.Config, o audit.Options, output string, f format) (err error) {
	var file *planFile
	if output != "" { // before the audit, which takes long
		if file, err = newPlanFile(output); err != nil {
			return err
		}
		defer file.remove()
	}
	var plan *audit.Plan
	var done ledger.Audit
	run := func(auditor *audit.Auditor) (err error) {
		plan, done, err = auditor.Plan(ctx, o)
		return err
	}
	return m.reconciling(ctx, c, run, func(ledger.Audits) error {
		if file != nil {
			if err := file.write(plan); err != nil {
				return err
			}
		}
		if err := m.printPlan(f, plan, &done, output); err != nil {
			return err
		}
		if done.Drift > 0 {
			return errDrift
		}
		return nil
	})
}

// planFile is a file that is there whole, or not at all.
type planFile struct {
	path string
	part *os.File
}

func newPlanFile(path string) (*planFile, error) {
	if there, err := os.Lstat(path); err == nil && !there.Mode().IsRegular() { // it would be replaced
		return nil, fmt.Errorf("%s is there and no plain file: the plan can't be written; - is standard output", path)
	}
	part, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return nil, fmt.Errorf("the plan can't be written: %w", err)
	}
	return &planFile{path, part}, nil
}

func (p *planFile) write(plan *audit.Plan) error {
	err := errors.Join(plan.Encode(p.part), p.part.Sync(), p.part.Close())
	if err == nil {
		err = os.Rename(p.part.Name(), p.path)
	}
	if err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return nil
}

// remove removes what was not written to its end.
func (p *planFile) remove() {
	_ = p.part.Close()
	_ = os.Remove(p.part.Name())
}

// printPlan prints a plan: as it is, or for people.
func (m *Main) printPlan(f format, p *audit.Plan, done *ledger.Audit, output string) error {
	return m.print(f, p, func(w io.Writer) {
		if len(p.Repairs) > 0 {
			fmt.Fprintln(w, "finding\twhat\tabout\tredis\tledger\twould be done")
		}
		for i := range p.Repairs {
			fmt.Fprintf(w, "%s\t%s\n", plannedText(&p.Repairs[i]), p.Repairs[i].Would)
			printNote(w, &p.Repairs[i])
		}
		if len(p.Left) > 0 {
			fmt.Fprintf(w, "%sfinding\twhat\tabout\tredis\tledger\tleft, since\n", separatorAfter(len(p.Repairs)))
		}
		for i := range p.Left {
			fmt.Fprintf(w, "%s\t%s\n", plannedText(&p.Left[i]), p.Left[i].Why)
			printNote(w, &p.Left[i])
		}
		fmt.Fprintf(w, "%s%s: %s compared; %d would be repaired, %d units at most, %d left\n",
			separatorAfter(len(p.Repairs)+len(p.Left)), p.Audit, comparedText(done), len(p.Repairs), p.Units, len(p.Left))
		if output != "" && len(p.Repairs) > 0 {
			fmt.Fprintf(w, "read %s, strike what is not to be repaired, then: holdfast reconcile apply %s\n", output, output)
		}
	})
}

// plannedText is a planned finding as the first columns of a table.
func plannedText(p *audit.Planned) string {
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%s", p.ID, p.Kind, p.About(), shownSide(p.Redis, p.Ledger), shownSide(p.Ledger, p.Redis))
}

// printNote prints what else there is to say of a finding.
func printNote(w io.Writer, p *audit.Planned) {
	if p.Note != "" {
		fmt.Fprintf(w, "\t%s\n", p.Note)
	}
	for _, id := range p.Needs {
		fmt.Fprintf(w, "\tonly together with %s\n", id)
	}
}

// separatorAfter parts a table from what is before it.
func separatorAfter(lines int) string {
	if lines == 0 {
		return ""
	}
	return "\n"
}
