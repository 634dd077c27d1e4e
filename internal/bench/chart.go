package bench

import (
	"fmt"
	"math"
	"strings"
)

// The size of charts, in pixels.
const (
	chartWidth  = 760.0
	barLeft     = 250.0 // names
	barRight    = 90.0  // numbers
	barStep     = 26.0
	barHeight   = 16.0
	curveHeight = 300.0
	curveLeft   = 60.0
	curveRight  = 30.0
	curveTop    = 12.0
	curveBottom = 34.0
)

// barChart is a figure of all rows, with a line from the least to the most of its rounds.
type barChart struct {
	Title         string
	Width, Height float64
	Bars          []bar
}

type bar struct {
	Contender, Name, Value, Spread string
	Y, X, Width, Height            float64
	Middle                         float64 // of the bar, from the top
	Least, Most, TextX             float64
}

func (c *Comparison) bars(title string, figure func(*Row) Spread) *barChart {
	chart := &barChart{Title: title, Width: chartWidth, Height: barStep*float64(len(c.Rows)) + 4}
	most := 0.0
	for _, r := range c.Rows {
		most = max(most, figure(r).Max)
	}
	if most == 0 {
		return nil // nothing to see
	}
	scale := (chartWidth - barLeft - barRight) / most
	for i, r := range c.Rows {
		s := figure(r)
		y := barStep*float64(i) + 4
		chart.Bars = append(chart.Bars, bar{
			Contender: r.Contender, Name: r.Name, Value: whole(s.Median), Spread: minMax(s),
			Y: y, X: barLeft, Width: s.Median * scale, Height: barHeight, Middle: y + barHeight/2,
			Least: barLeft + s.Min*scale, Most: barLeft + s.Max*scale, TextX: barLeft + s.Max*scale + 6,
		})
	}
	return chart
}

// curveChart is latencies on a logarithmic scale, by something.
type curveChart struct {
	Title                    string
	Width, Height            float64
	Left, Right, Top, Bottom float64 // edges of the plot
	Across, Down             []tick
	Curves                   []curve

	low, high float64 // powers of ten of the bottom and of the top, ms
}

type tick struct {
	At    float64
	Label string
}

type curve struct{ Contender, Name, Points string }

var (
	curvePercentiles = []float64{0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99}
	curveTicks       = []float64{0, 50, 90, 99, 99.9, 99.99}
)

// newCurveChart has room for latencies from least to most, ms, and no curve yet.
func newCurveChart(title string, least, most float64) *curveChart {
	chart := &curveChart{
		Title: title, Width: chartWidth, Height: curveHeight,
		Left: curveLeft, Right: chartWidth - curveRight, Top: curveTop, Bottom: curveHeight - curveBottom,
		low: math.Floor(math.Log10(least)), high: math.Ceil(math.Log10(most)),
	}
	chart.high = max(chart.high, chart.low+1)
	for n := chart.low; n <= chart.high; n++ {
		ms := math.Pow(10, n)
		chart.Down = append(chart.Down, tick{chart.y(ms), fmt.Sprintf("%g", ms)})
	}
	return chart
}

// y is where a latency is.
func (chart *curveChart) y(ms float64) float64 {
	return chart.Bottom - (math.Log10(ms)-chart.low)/(chart.high-chart.low)*(chart.Bottom-chart.Top)
}

// curves are latencies by percentile, that too on a logarithmic scale: each step to the right is ten times
// fewer calls.
func (c *Comparison) curves() *curveChart {
	least, most := math.Inf(1), 0.0
	for _, r := range c.Rows {
		if r.latency != nil && r.latency.TotalCount() > 0 {
			least, most = min(least, percentile(r.latency, 0)), max(most, percentile(r.latency, 100))
		}
	}
	if most == 0 {
		return nil
	}
	chart := newCurveChart("latency of what is "+c.About+", ms", least, most)
	for _, p := range curveTicks {
		chart.Across = append(chart.Across, tick{chart.x(p), fmt.Sprintf("p%g", p)})
	}
	for _, r := range c.Rows {
		if r.latency != nil && r.latency.TotalCount() > 0 {
			chart.Curves = append(chart.Curves, curve{r.Contender, r.Name, chart.points(r)})
		}
	}
	return chart
}

// x is where a percentile is.
func (chart *curveChart) x(p float64) float64 {
	last := -math.Log10(1 - curveTicks[len(curveTicks)-1]/100)
	return chart.Left - math.Log10(1-p/100)/last*(chart.Right-chart.Left)
}

// points are those of a row, as far as it has the calls to tell.
func (chart *curveChart) points(r *Row) string {
	var list []string
	for _, p := range curvePercentiles {
		if p > 0 && float64(r.latency.TotalCount())*(1-p/100) < 1 {
			break
		}
		list = append(list, fmt.Sprintf("%.1f,%.1f", chart.x(p), chart.y(percentile(r.latency, p))))
	}
	return strings.Join(list, " ")
}
