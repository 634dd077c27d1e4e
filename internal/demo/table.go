package demo

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// WriteText writes the report for people. Its last line begins with OK or FAIL.
func (r *Report) WriteText(w io.Writer) {
	fmt.Fprintf(w, "%s buyers for %s units of %d SKUs at %d locations; Redis: %s; seed %d\n\n",
		grouped(int64(r.Buyers)), grouped(r.Total.Units), len(r.SKUs), r.Locations, r.Engine, r.Seed)
	t := &table{columns: append([]SKUReport(nil), append(r.SKUs, r.Total)...)}
	t.head()
	t.row("units at start", func(s SKUReport) int64 { return s.Units })
	t.row("sold", func(s SKUReport) int64 { return s.Sold })
	t.row("  of these already fulfilled", func(s SKUReport) int64 { return s.Fulfilled })
	t.row("left", func(s SKUReport) int64 { return s.Left })
	t.row("still held", func(s SKUReport) int64 { return s.Held })
	t.gap()
	t.row("given back by buyers", func(s SKUReport) int64 { return s.Released })
	t.row("given back at the deadline", func(s SKUReport) int64 { return s.Lapsed })
	t.row("most out at one moment", func(s SKUReport) int64 { return s.MostOut })
	t.row("requests refused, sold out", func(s SKUReport) int64 { return s.Refused })
	t.row("replays, nothing taken again", func(s SKUReport) int64 { return s.Replays })
	t.gap()
	t.row("oversold", func(s SKUReport) int64 { return s.Oversold })
	t.row("lost (start - sold - left)", func(s SKUReport) int64 { return s.Lost })
	t.row("drift (Store against books)", func(s SKUReport) int64 { return s.Drift })
	t.write(w)

	fmt.Fprintf(w, "\n%s requests in %.1f s, %s a second; %s buyers were given units.\n",
		grouped(r.Total.Requests), r.Seconds, grouped(int64(r.Rate)), grouped(int64(r.Winners)))
	fmt.Fprintf(w, "%s paid after the deadline of their hold: %s could still be served, %s must be refunded.\n",
		grouped(r.LateSold+r.LateMissed), grouped(r.LateSold), grouped(r.LateMissed))
	if err := r.Err(); err != nil {
		fmt.Fprintf(w, "\nFAIL: %v\n", err)
	} else {
		fmt.Fprint(w, "\nOK: none oversold, nothing lost\n")
	}
}

// table is numbers below each other, a column for each SKU and one for all.
type table struct {
	columns []SKUReport
	rows    [][]string
}

func (t *table) head() {
	cells := []string{""}
	for _, c := range t.columns {
		if c.SKU == "" {
			cells = append(cells, "all")
		} else {
			cells = append(cells, string(c.SKU))
		}
	}
	t.rows = append(t.rows, cells)
}

func (t *table) row(name string, number func(SKUReport) int64) {
	cells := []string{name}
	for _, c := range t.columns {
		cells = append(cells, grouped(number(c)))
	}
	t.rows = append(t.rows, cells)
}

func (t *table) gap() { t.rows = append(t.rows, nil) }

// write puts the names to the left and the numbers to the right of their columns.
func (t *table) write(w io.Writer) {
	widths := make([]int, 1+len(t.columns))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range t.rows {
		for i, cell := range row {
			if i == 0 {
				fmt.Fprintf(w, "%-*s", widths[0], cell)
			} else {
				fmt.Fprintf(w, "  %*s", widths[i], cell)
			}
		}
		fmt.Fprintln(w)
	}
}

// grouped writes a number with a comma after each group of three digits.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	digits := strings.TrimPrefix(text, "-")
	out := text[:len(text)-len(digits)]
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out += ","
		}
		out += string(d)
	}
	return out
}
