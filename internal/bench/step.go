package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// stepSlicesMin is how many slices with a p99.9 it takes to say how that one moved.
const stepSlicesMin = 10

// stepLines say for each contender between what its p99.9 moved, and its largest step from a slice to the
// next: whether latency jumps while a round goes on.
func (c *Comparison) stepLines() (list []string) {
	for _, row := range c.Rows {
		if line := row.medianRound().stepLine(); line != "" {
			list = append(list, row.Name+": "+line)
		}
	}
	return list
}

// medianRound is the round with the median p99.9, of an even number the lower of the middle two; nil
// where there is none.
func (r *Row) medianRound() *Round {
	if len(r.Rounds) == 0 {
		return nil
	}
	rounds := slices.SortedStableFunc(slices.Values(r.Rounds), func(a, b *Round) int {
		return cmp.Compare(a.P999, b.P999)
	})
	return rounds[(len(rounds)-1)/2]
}

// stepLine is empty where there are too few slices to tell.
func (r *Round) stepLine() string {
	known := r.known()
	if len(known) < stepSlicesMin {
		return ""
	}
	least, most := known[0].P999, known[0].P999
	for _, s := range known {
		least, most = min(least, s.P999), max(most, s.P999)
	}
	step, at := r.largestStep()
	sign := "+"
	if step < 0 {
		sign = "-"
	}
	return fmt.Sprintf("p99.9 of each %s s: %s to %s ms, largest step %s%s ms at %s s",
		digits(r.Slice/1000), digits(least), digits(most), sign, digits(math.Abs(step)), digits(at/1000))
}

// largestStep is by how many ms p99.9 moved the furthest between two slices that follow each other, below 0
// where it fell, and when, in ms since the round began. A slice without a p99.9 is no neighbour.
func (r *Round) largestStep() (step, at float64) {
	for i := 1; i < len(r.OverTime); i++ {
		before, after := r.OverTime[i-1].P999, r.OverTime[i].P999
		if before > 0 && after > 0 && math.Abs(after-before) > math.Abs(step) {
			step, at = after-before, r.OverTime[i].At
		}
	}
	return step, at
}
