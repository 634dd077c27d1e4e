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

// WriteHTML writes the report as a page that loads nothing from elsewhere.
func (r *Report) WriteHTML(w io.Writer) error {
	data := struct {
		*Report
		Duration, Legend string
	}{r, digits(r.Seconds), legend}
	if err := page.Execute(w, data); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// Bars returns the bar charts of a comparison. A chart without values is nil.
func (c *Comparison) Bars() []*barChart {
	return []*barChart{
		c.bars("accepted per second", func(r *Row) Spread { return r.AcceptedRate }),
		c.bars("refused per second", func(r *Row) Spread { return r.RefusedRate }),
		c.bars("replayed per second", func(r *Row) Spread { return r.ReplayedRate }),
	}
}

// Curves returns the charts of latency of a comparison. A chart without values is nil.
func (c *Comparison) Curves() []*curveChart { return []*curveChart{c.byPercentile(), c.overTime()} }
