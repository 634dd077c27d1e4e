package bench

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	slicesMax       = 60                     // of a round
	sliceMin        = 100 * time.Millisecond // but where a round is shorter
	sliceAnswersMin = 1000                   // for a p99.9, which is then at least the slowest call but one
)

// Slice is what was answered in one of the equal parts of a round, whatever with: a system that is busy
// is so with all of its calls. A call is in the slice in which its answer came.
type Slice struct {
	At           float64 `json:"at_ms"` // when it began, since the round did
	AnsweredRate float64 `json:"answered_per_second"`
	P50          float64 `json:"p50_ms"` // 0 where nothing was answered, as for the others
	P99          float64 `json:"p99_ms"`
	P999         float64 `json:"p999_ms"` // 0 also where fewer than 1,000 were answered: too few to tell
}

// overTime keeps latencies by when the answer came. All callers share it: a histogram for each caller and
// slice would take gigabytes. It is safe for concurrent use; a nil one keeps nothing.
type overTime struct {
	began time.Time
	slice time.Duration

	mu      sync.Mutex
	latency []*hdrhistogram.Histogram // µs, of each slice; nil where there is none
}

// newOverTime divides a round that sends calls for a duration.
func newOverTime(began time.Time, duration time.Duration) *overTime {
	n := min(max(duration/sliceMin, 1), slicesMax)
	return &overTime{began: began, slice: duration / n, latency: make([]*hdrhistogram.Histogram, n)}
}

// answer keeps a call that was answered at a time. What is answered after the end is in no slice: calls
// are no longer sent then, so those would say how a round runs out.
func (o *overTime) answer(at time.Time, took time.Duration) {
	if o == nil {
		return
	}
	i := int(at.Sub(o.began) / o.slice)
	if i >= len(o.latency) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.latency[i] = record(o.latency[i], took)
}

// slices are up to the last in which something was answered.
func (o *overTime) slices() (list []Slice) {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := 0
	for i, h := range o.latency {
		list = append(list, sliceOf(h, time.Duration(i)*o.slice, o.slice))
		if h != nil {
			last = i + 1
		}
	}
	return list[:last]
}

// sliceOf sums up what was answered from a moment of the round on.
func sliceOf(h *hdrhistogram.Histogram, at, length time.Duration) Slice {
	s := Slice{At: millis(at)}
	if h == nil {
		return s
	}
	s.AnsweredRate = float64(h.TotalCount()) / length.Seconds()
	s.P50, s.P99 = percentile(h, 50), percentile(h, 99)
	if h.TotalCount() >= sliceAnswersMin {
		s.P999 = percentile(h, 99.9)
	}
	return s
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
