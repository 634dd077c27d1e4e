package bench

import (
	"fmt"
	"math"
	"strings"
)

// The size of charts, in pixels.
const (
	chartWidth  = 760.0
	barLeft     = 250.0 // for names
	barRight    = 90.0  // for numbers
	barStep     = 26.0
	barHeight   = 16.0
	curveHeight = 300.0
	curveLeft   = 60.0
	curveRight  = 30.0
	curveTop    = 12.0
	curveBottom = 34.0
)

// barChart shows the median of a figure for each row, with a line from its least to its largest
// value.
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

// bars returns nil if the figure is 0 in all rows.
func (c *Comparison) bars(title string, figure func(*Row) Spread) *barChart {
	chart := &barChart{Title: title, Width: chartWidth, Height: barStep*float64(len(c.Rows)) + 4}
	most := 0.0
	for _, r := range c.Rows {
		most = max(most, figure(r).Max)
	}
	if most == 0 {
		return nil
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

// curveChart shows latencies on a logarithmic scale.
type curveChart struct {
	Title                    string
	Width, Height            float64
	Left, Right, Top, Bottom float64 // edges of the plot
	Across, Down             []tick
	Curves                   []curve

	low, high float64 // powers of ten at the bottom and at the top, ms
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

const timeTicksMax = 10 // labels below a chart over time

// newCurveChart returns a chart for latencies from least to most, in ms, without curves.
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

// add adds a row's curve, unless it has no points.
func (chart *curveChart) add(r *Row, points []string) {
	if len(points) > 0 {
		chart.Curves = append(chart.Curves, curve{r.Contender, r.Name, strings.Join(points, " ")})
	}
}

func (chart *curveChart) point(x, ms float64) string { return fmt.Sprintf("%.1f,%.1f", x, chart.y(ms)) }

// y is the position of a latency.
func (chart *curveChart) y(ms float64) float64 {
	return chart.Bottom - (math.Log10(ms)-chart.low)/(chart.high-chart.low)*(chart.Bottom-chart.Top)
}

// x is the position of a percentile. Its scale is logarithmic too: each step to the right is a
// tenth of the calls.
func (chart *curveChart) x(p float64) float64 {
	last := -math.Log10(1 - curveTicks[len(curveTicks)-1]/100)
	return chart.Left - math.Log10(1-p/100)/last*(chart.Right-chart.Left)
}

// byPercentile shows latency by percentile, as far as a row has enough calls. It returns nil
// without calls.
func (c *Comparison) byPercentile() *curveChart {
	least, most := math.Inf(1), 0.0
	for _, r := range c.Rows {
		if r.latency != nil && r.latency.TotalCount() > 0 {
			least, most = min(least, percentile(r.latency, 0)), max(most, percentile(r.latency, 100))
		}
	}
	if most == 0 {
		return nil
	}
	chart := newCurveChart("latency of "+c.LatenciesOf+" calls by percentile, ms", least, most)
	for _, p := range curveTicks {
		chart.Across = append(chart.Across, tick{chart.x(p), fmt.Sprintf("p%g", p)})
	}
	for _, r := range c.Rows {
		if r.latency == nil {
			continue
		}
		var points []string
		for _, p := range curvePercentiles {
			if float64(r.latency.TotalCount())*(1-p/100) < 1 {
				break
			}
			points = append(points, chart.point(chart.x(p), percentile(r.latency, p)))
		}
		chart.add(r, points)
	}
	return chart
}

// overTime shows p99.9 by time of answer, for the median round of each contender. Slices with too
// few answers for a p99.9 have no point. It returns nil if no slice has one.
func (c *Comparison) overTime() *curveChart {
	least, most, end := math.Inf(1), 0.0, 0.0 // ms
	for _, row := range c.Rows {
		round := row.medianRound()
		for _, s := range round.withP999() {
			least, most, end = min(least, s.P999), max(most, s.P999), max(end, s.At+round.Slice)
		}
	}
	if most == 0 {
		return nil
	}
	chart := newCurveChart("p99.9 of all answered calls, ms, by seconds since the start of the round", least, most)
	x := func(ms float64) float64 { return chart.Left + ms/end*(chart.Right-chart.Left) }
	step := tickStep(end / 1000)
	for n := 0.0; n*step <= end/1000*(1+1e-9); n++ {
		chart.Across = append(chart.Across, tick{x(n * step * 1000), fmt.Sprintf("%.4g", n*step)})
	}
	for _, row := range c.Rows {
		round := row.medianRound()
		var points []string
		for _, s := range round.withP999() {
			points = append(points, chart.point(x(s.At+round.Slice/2), s.P999))
		}
		chart.add(row, points)
	}
	return chart
}

// tickStep returns the smallest of 1, 2 or 5 times a power of ten that divides a length into at
// most timeTicksMax parts.
func tickStep(length float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(length/timeTicksMax)))
	for _, n := range []float64{1, 2, 5} {
		if length/(n*power) <= timeTicksMax {
			return n * power
		}
	}
	return 10 * power
}
