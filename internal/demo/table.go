package demo

import (
	"fmt"
	"io"

	"github.com/holdfast/holdfast/internal/texttable"
)

// WriteText writes the report for people. Its last line begins with OK or FAIL.
func (r *Report) WriteText(w io.Writer) {
	fmt.Fprintf(w, "%s buyers, %s units of %d SKUs at %d locations. Redis: %s. Seed: %d.\n\n",
		texttable.Grouped(int64(r.Buyers)), texttable.Grouped(r.Total.Units), len(r.SKUs), r.Locations, r.Engine, r.Seed)
	texttable.Write(w, r.rows(), 0)

	fmt.Fprintf(w, "\n%s requests in %.1f s (%s per second). %s buyers got units, at least for a while.\n",
		texttable.Grouped(r.Total.Requests), r.Seconds, texttable.Grouped(int64(r.Rate)), texttable.Grouped(int64(r.Winners)))
	fmt.Fprintf(w, "%s buyers paid after the deadline of their hold: %s still got their units, %s need a refund.\n",
		texttable.Grouped(r.LateSold+r.LateMissed), texttable.Grouped(r.LateSold), texttable.Grouped(r.LateMissed))
	if err := r.Err(); err != nil {
		fmt.Fprintf(w, "\nFAIL: %v\n", err)
	} else {
		fmt.Fprint(w, "\nOK: nothing oversold, nothing lost\n")
	}
}

// rows returns the table: a column for each SKU, and one for all.
func (r *Report) rows() [][]string {
	columns := append(append([]SKUReport(nil), r.SKUs...), r.Total)
	head := []string{""}
	for _, c := range r.SKUs {
		head = append(head, string(c.SKU))
	}
	rows := [][]string{append(head, "all")}
	for _, line := range []struct {
		name   string
		number func(SKUReport) int64 // nil: a blank line
	}{
		{"units at start", func(s SKUReport) int64 { return s.Units }},
		{"sold", func(s SKUReport) int64 { return s.Sold }},
		{"  of these already fulfilled", func(s SKUReport) int64 { return s.Fulfilled }},
		{"left", func(s SKUReport) int64 { return s.Left }},
		{"still held", func(s SKUReport) int64 { return s.Held }},
		{},
		{"released by buyers", func(s SKUReport) int64 { return s.Released }},
		{"expired at the deadline", func(s SKUReport) int64 { return s.Expired }},
		{"most held or sold at once", func(s SKUReport) int64 { return s.MostOut }},
		{"requests refused: sold out", func(s SKUReport) int64 { return s.Refused }},
		{"requests repeated: no effect", func(s SKUReport) int64 { return s.Replays }},
		{},
		{"oversold", func(s SKUReport) int64 { return s.Oversold }},
		{"lost (start - sold - left)", func(s SKUReport) int64 { return s.Lost }},
		{"drift (store vs. buyers)", func(s SKUReport) int64 { return s.Drift }},
	} {
		var row []string
		if line.number != nil {
			row = append(row, line.name)
			for _, c := range columns {
				row = append(row, texttable.Grouped(line.number(c)))
			}
		}
		rows = append(rows, row)
	}
	return rows
}
