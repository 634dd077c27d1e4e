package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	slicesMax       = 60                     // of a round
	sliceMin        = 100 * time.Millisecond // unless the round is shorter
	sliceAnswersMin = 1000                   // for a p99.9, which is then at most the second slowest call
	stepSlicesMin   = 10                     // slices with a p99.9 that it takes to describe how it moved
)

// Slice sums up the answers that came in one of the equal parts of a round. It includes all
// outcomes, because a busy system is slow with all its calls.
type Slice struct {
	At           float64 `json:"at_ms"` // its start, since the start of the round
	AnsweredRate float64 `json:"answered_per_second"`
	P50          float64 `json:"p50_ms"` // 0 without an answer, like the others
	P99          float64 `json:"p99_ms"`
	P999         float64 `json:"p999_ms"` // also 0 with fewer than 1,000 answers: too few for this percentile
}

// timeline keeps latencies by time of answer. All callers share it, because a histogram for each
// caller and slice would take gigabytes. It is safe for concurrent use. A nil timeline keeps
// nothing.
type timeline struct {
	began time.Time
	slice time.Duration

	mu      sync.Mutex
	latency []*hdrhistogram.Histogram // µs, of each slice; nil if there is none
}

// newTimeline divides a round that sends calls for a duration.
func newTimeline(began time.Time, duration time.Duration) *timeline {
	n := min(max(duration/sliceMin, 1), slicesMax)
	return &timeline{began: began, slice: duration / n, latency: make([]*hdrhistogram.Histogram, n)}
}

// answer records an answer. It leaves out answers after the end: no calls are sent any more, so
// those would show how a round runs out.
func (l *timeline) answer(at time.Time, took time.Duration) {
	if l == nil {
		return
	}
	i := int(at.Sub(l.began) / l.slice)
	if i >= len(l.latency) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latency[i] = record(l.latency[i], took)
}

// slices returns the slices up to the last one with an answer.
func (l *timeline) slices() (list []Slice) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := 0
	for i, h := range l.latency {
		s := Slice{At: millis(time.Duration(i) * l.slice)}
		if h != nil {
			last = i + 1
			s.AnsweredRate = float64(h.TotalCount()) / l.slice.Seconds()
			s.P50, s.P99 = percentile(h, 50), percentile(h, 99)
			if h.TotalCount() >= sliceAnswersMin {
				s.P999 = percentile(h, 99.9)
			}
		}
		list = append(list, s)
	}
	return list[:last]
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// StepLines describe for each contender how its p99.9 moved during the median round: whether
// latency jumps while a round goes on.
func (c *Comparison) StepLines() (list []string) {
	for _, row := range c.Rows {
		if line := row.medianRound().stepLine(); line != "" {
			list = append(list, row.Name+": "+line)
		}
	}
	return list
}

// medianRound returns the round with the median p99.9, or the lower of the middle two. It returns
// nil if there are no rounds.
func (r *Row) medianRound() *Round {
	if len(r.Rounds) == 0 {
		return nil
	}
	rounds := slices.SortedStableFunc(slices.Values(r.Rounds), func(a, b *Round) int {
		return cmp.Compare(a.P999, b.P999)
	})
	return rounds[(len(rounds)-1)/2]
}

// withP999 returns the slices that have a p99.9.
func (r *Round) withP999() (list []Slice) {
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

// stepLine returns the range of p99.9 and its largest step, or "" if too few slices have one.
func (r *Round) stepLine() string {
	list := r.withP999()
	if len(list) < stepSlicesMin {
		return ""
	}
	least, most := list[0].P999, list[0].P999
	for _, s := range list {
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

// largestStep returns the largest change of p99.9 between two adjacent slices in ms, negative if it
// fell, and its time since the start of the round in ms. It skips slices without a p99.9.
func (r *Round) largestStep() (step, at float64) {
	for i := 1; i < len(r.OverTime); i++ {
		before, after := r.OverTime[i-1].P999, r.OverTime[i].P999
		if before > 0 && after > 0 && math.Abs(after-before) > math.Abs(step) {
			step, at = after-before, r.OverTime[i].At
		}
	}
	return step, at
}
