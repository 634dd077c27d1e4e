package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// findingsPage is the number of findings that are read at once.
const findingsPage = 500

// finding is a finding of an audit as JSON.
type finding struct {
	contract.AuditFinding
	RepairedAt string `json:"repaired_at_position,omitempty"`
}

// eachFinding calls its argument for each finding of an audit.
type eachFinding func(print func(*ledger.Finding) error) error

// printAudit prints an audit and its findings. It reads them page by page, because there may be
// one for every level.
func (m *Main) printAudit(ctx context.Context, f format, audits ledger.Audits, a *ledger.Audit) error {
	each := func(print func(*ledger.Finding) error) error {
		for after := ""; ; {
			list, err := audits.AuditFindings(ctx, a.ID, ledger.FindingFilter{After: after}, findingsPage)
			if err != nil || len(list) == 0 {
				return err
			}
			for i := range list {
				if err := print(&list[i]); err != nil {
					return err
				}
			}
			after = list[len(list)-1].ID
		}
	}
	out := bufio.NewWriter(m.Stdout) // keeps the first error for Flush
	write := auditText
	if f == formatJSON {
		write = auditJSON
	}
	return errors.Join(write(out, a, each), out.Flush())
}

// auditJSON prints an audit as the API answers it, but with all of its findings.
func auditJSON(w io.Writer, a *ledger.Audit, each eachFinding) error {
	head, err := json.MarshalIndent(contractAudit(a), "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprint(w, strings.TrimSuffix(string(head), "[]\n}")) // findings is the last field
	err = printList(w, "    ", func(print func(finding) error) error {
		return each(func(f *ledger.Finding) error { return print(finding{contractFinding(f), f.RepairedAt}) })
	})
	fmt.Fprint(w, "\n}\n")
	return err
}

func auditText(w io.Writer, a *ledger.Audit, each eachFinding) error {
	n, do := 0, map[ledger.FindingKind]string{}
	rows := &table{to: w}
	err := each(func(f *ledger.Finding) error {
		if n == 0 {
			fmt.Fprintf(rows, "finding\twhat\tabout\tredis\tledger\tstate\tposition\n")
		}
		fmt.Fprintf(rows, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.ID, f.Kind, f.About(),
			sideText(f.Redis, f.Ledger), sideText(f.Ledger, f.Redis), f.State, f.Position)
		if f.Note != "" {
			fmt.Fprintf(rows, "\t%s\n", f.Note)
		}
		if what := f.Do(); what != "" {
			do[f.Kind] = what
		}
		if n++; n%findingsPage == 0 {
			rows.flush()
		}
		return nil
	})
	rows.flush()
	if err != nil {
		return err
	}
	fmt.Fprint(w, blankLine(len(do)))
	for _, kind := range ledger.FindingKinds {
		if do[kind] != "" {
			fmt.Fprintf(w, "%s: %s\n  -> %s\n", kind, kind.Means(), do[kind])
		}
	}
	fmt.Fprintf(w, "%s%s: %s compared; %s\n", blankLine(n), a.ID, comparedText(a), outcomeText(a))
	return nil
}

func comparedText(a *ledger.Audit) string {
	return fmt.Sprintf("%d levels, %d reservations, %d limits, %d deadlines", a.Levels, a.Reservations, a.Limits, a.Deadlines)
}

func outcomeText(a *ledger.Audit) string {
	switch {
	case a.Drift > 0:
		return fmt.Sprintf("%d differ, %d repaired", a.Drift, a.Repaired)
	case a.Repaired > 0:
		return fmt.Sprintf("%d repaired, none left", a.Repaired)
	default:
		return "no drift"
	}
}

// sideText returns the values of s that differ from those of other.
func sideText(s, other *ledger.Side) string {
	if s == nil {
		return "nothing"
	}
	if other == nil {
		other = &ledger.Side{}
	}
	var parts []string
	number := func(name string, n, m *int64) {
		if n != nil && (m == nil || *n != *m) {
			parts = append(parts, strings.TrimSpace(name+" "+strconv.FormatInt(*n, 10)))
		}
	}
	number("available", s.Available, other.Available)
	number("on hand", s.OnHand, other.OnHand)
	number("held", s.Held, other.Held)
	number("committed", s.Committed, other.Committed)
	number("safety stock", s.SafetyStock, other.SafetyStock)
	number("backorder limit", s.BackorderLimit, other.BackorderLimit)
	number("", s.Units, other.Units)
	if s.State != "" {
		parts = append(parts, fmt.Sprintf("%s v%d: %s", s.State, s.Version, strings.Join(s.From, ", ")))
	}
	if s.Text != "" {
		parts = append(parts, s.Text)
	}
	return strings.Join(parts, ", ")
}

// blankLine returns the line that separates a table from the rows before it, if there are any.
func blankLine(rows int) string {
	if rows == 0 {
		return ""
	}
	return "\n"
}
