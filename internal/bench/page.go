package bench

import (
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// section is a comparison as the page shows it.
type section struct {
	*Comparison
	Charts  []*barChart
	Curves  []*curveChart
	Head    []string
	Cells   [][]string
	Ratios  []string
	Steps   []string
	Remarks []string
}

// WriteHTML writes the report as one page that loads nothing.
func (r *Report) WriteHTML(w io.Writer) error {
	data := struct {
		*Report
		Pace, Duration, Legend string
		Sections               []section
	}{Report: r, Pace: r.pace(), Duration: digits(r.Seconds), Legend: legend}
	for i := range r.Comparisons {
		data.Sections = append(data.Sections, r.Comparisons[i].section())
	}
	if err := page.Execute(w, data); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

func (c *Comparison) section() section {
	cells := c.cells()
	s := section{
		Comparison: c, Head: cells[0], Cells: cells[1:],
		Ratios: c.ratioLines(), Steps: c.stepLines(), Remarks: c.remarks(),
	}
	for _, chart := range []*barChart{
		c.bars("accepted a second", func(r *Row) Spread { return r.Accepted }),
		c.bars("refused a second", func(r *Row) Spread { return r.Refused }),
		c.bars("replayed a second", func(r *Row) Spread { return r.Replayed }),
	} {
		if chart != nil {
			s.Charts = append(s.Charts, chart)
		}
	}
	for _, chart := range []*curveChart{c.curves(), c.overTime()} {
		if chart != nil {
			s.Curves = append(s.Curves, chart)
		}
	}
	return s
}
