package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast/holdfast/reconcile/ledger"
)

// findingsPage is how many findings are read at once.
const findingsPage = 500

// auditSummary is an audit as JSON.
type auditSummary struct {
	ID           string `json:"id"`
	State        string `json:"state"`
	Repair       bool   `json:"repair"`
	SKU          string `json:"sku,omitempty"`
	Location     string `json:"location,omitempty"`
	Actor        string `json:"actor"`
	StartedAt    string `json:"started_at"`
	FinishedAt   string `json:"finished_at"`
	Failure      string `json:"failure,omitempty"`
	Levels       int64  `json:"levels"`
	Reservations int64  `json:"reservations"`
	Limits       int64  `json:"limits"`
	Deadlines    int64  `json:"deadlines"`
	Drift        int    `json:"drift"`
	Repaired     int    `json:"repaired"`
}

// finding is one of an audit as JSON.
type finding struct {
	ledger.Finding
	Means string `json:"means"`
	Do    string `json:"do,omitempty"`
}

// printAudit prints an audit and its findings page by page: there may be as many as there are levels.
func (m *Main) printAudit(ctx context.Context, f format, audits ledger.Audits, a *ledger.Audit) error {
	w := &failing{to: m.Stdout}
	each := func(print func(finding)) error {
		for after := ""; ; {
			list, err := audits.AuditFindings(ctx, a.ID, ledger.FindingFilter{After: after}, findingsPage)
			if err != nil || len(list) == 0 {
				return err
			}
			for i := range list {
				print(finding{list[i], list[i].Kind.Means(), list[i].Do()})
			}
			after = list[len(list)-1].ID
		}
	}
	var err error
	if f == formatJSON {
		err = auditJSON(w, a, each)
	} else {
		err = auditText(w, a, each)
	}
	if err != nil {
		return err
	}
	return printed(w.err)
}

func auditJSON(w io.Writer, a *ledger.Audit, each func(func(finding)) error) error {
	head, err := json.MarshalIndent(auditSummary{
		ID: a.ID, State: a.State, Repair: a.Repair, SKU: string(a.SKU), Location: string(a.Location), Actor: a.Actor,
		StartedAt: a.StartedAt.Format(time.RFC3339Nano), FinishedAt: a.FinishedAt.Format(time.RFC3339Nano), Failure: a.Failure,
		Levels: a.Levels, Reservations: a.Reservations, Limits: a.Limits, Deadlines: a.Deadlines, Drift: a.Drift, Repaired: a.Repaired,
	}, "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprint(w, strings.TrimSuffix(string(head), "\n}"), ",\n  \"findings\": [")
	separator := "\n    "
	var failed error
	err = each(func(f finding) {
		text, err := json.Marshal(f)
		if err != nil {
			failed = err
		}
		fmt.Fprint(w, separator, string(text))
		separator = ",\n    "
	})
	fmt.Fprint(w, "\n  ]\n}\n")
	if err == nil {
		err = failed
	}
	return err
}

func auditText(w io.Writer, a *ledger.Audit, each func(func(finding)) error) error {
	n, shown := 0, map[ledger.FindingKind]bool{}
	rows := &table{to: w}
	err := each(func(f finding) {
		if n == 0 {
			fmt.Fprintf(rows, "finding\twhat\tabout\tredis\tledger\tstate\tposition\n")
		}
		fmt.Fprintf(rows, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.ID, f.Kind, f.About(), shownSide(f.Redis, f.Ledger), shownSide(f.Ledger, f.Redis), f.State, f.Position)
		if f.Note != "" {
			fmt.Fprintf(rows, "\t%s\n", f.Note)
		}
		if f.Do != "" {
			shown[f.Kind] = true
		}
		if n++; n%findingsPage == 0 {
			rows.flush()
		}
	})
	rows.flush()
	if err != nil {
		return err
	}
	if len(shown) > 0 {
		fmt.Fprintln(w)
	}
	for _, kind := range ledger.FindingKinds {
		if shown[kind] {
			open := ledger.Finding{Kind: kind}
			fmt.Fprintf(w, "%s: %s\n  -> %s\n", kind, kind.Means(), open.Do())
		}
	}
	if n > 0 {
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%s: %s compared; %s\n", a.ID, comparedText(a), outcomeText(a))
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

// shownSide is what one side says, as far as the other does not say the same.
func shownSide(s, other *ledger.Side) string {
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
