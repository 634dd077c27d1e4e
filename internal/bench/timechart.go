package bench

import (
	"fmt"
	"math"
	"strings"
)

// timeTicksMax is how many seconds are named below a chart, about.
const timeTicksMax = 10

// overTime has p99.9 by when the answer came, a curve for each contender: that of its median round. The
// slices that had too few answers for a p99.9 have no point; nil where all had.
func (c *Comparison) overTime() *curveChart {
	least, most, end := math.Inf(1), 0.0, 0.0 // ms
	for _, row := range c.Rows {
		round := row.medianRound()
		for _, s := range round.known() {
			least, most, end = min(least, s.P999), max(most, s.P999), max(end, s.At+round.Slice)
		}
	}
	if most == 0 {
		return nil
	}
	chart := newCurveChart("p99.9 of all answered calls, ms, by seconds since the round began", least, most)
	x := func(ms float64) float64 { return chart.Left + ms/end*(chart.Right-chart.Left) }
	step := tickStep(end / 1000)
	for n := 0.0; n*step <= end/1000*(1+1e-9); n++ {
		chart.Across = append(chart.Across, tick{x(n * step * 1000), fmt.Sprintf("%.4g", n*step)})
	}
	for _, row := range c.Rows {
		round := row.medianRound()
		var points []string
		for _, s := range round.known() {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(s.At+round.Slice/2), chart.y(s.P999)))
		}
		if len(points) > 0 {
			chart.Curves = append(chart.Curves, curve{row.Contender, row.Name, strings.Join(points, " ")})
		}
	}
	return chart
}

// known are the slices with a p99.9.
func (r *Round) known() (list []Slice) {
	if r == nil {
		return nil
	}
	for _, s := range r.OverTime {
		if s.P999 > 0 {
			list = append(list, s)
		}
	}
	return list
}

// tickStep is the least of 1, 2 or 5 times a power of ten that divides a length into few enough parts.
func tickStep(length float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(length/timeTicksMax)))
	for _, n := range []float64{1, 2, 5} {
		if length/(n*power) <= timeTicksMax {
			return n * power
		}
	}
	return 10 * power
}
