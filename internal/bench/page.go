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

// section is a comparison on the page.
type section struct {
	*Comparison
	Charts   []*barChart
	Curves   []*curveChart
	Head     []string
	Cells    [][]string
	Ratios   []string
	Steps    []string
	Problems []string
}

// WriteHTML writes the report as a page that loads nothing from elsewhere.
func (r *Report) WriteHTML(w io.Writer) error {
	data := struct {
		*Report
		Duration, Legend string
		Sections         []section
	}{Report: r, Duration: digits(r.Seconds), Legend: legend}
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
		Ratios: c.ratioLines(), Steps: c.stepLines(), Problems: c.problems(),
	}
	for _, chart := range []*barChart{
		c.bars("accepted per second", func(r *Row) Spread { return r.AcceptedRate }),
		c.bars("refused per second", func(r *Row) Spread { return r.RefusedRate }),
		c.bars("replayed per second", func(r *Row) Spread { return r.ReplayedRate }),
	} {
		if chart != nil {
			s.Charts = append(s.Charts, chart)
		}
	}
	for _, chart := range []*curveChart{c.byPercentile(), c.overTime()} {
		if chart != nil {
			s.Curves = append(s.Curves, chart)
		}
	}
	return s
}
