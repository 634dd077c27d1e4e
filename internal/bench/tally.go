package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range of a histogram begins at 1 µs. It keeps two significant digits.
const (
	latencyMax    = int64(2 * time.Minute / time.Microsecond)
	latencyDigits = 2
)

// tally counts and times calls. It is not safe for concurrent use: each caller has its own.
type tally struct {
	count   [outcomes]int64
	latency [outcomes]*hdrhistogram.Histogram // µs; nil if there is none

	failed     int64                   // calls without an answer, whose outcome is unknown
	unsent     int64                   // calls that were due, but no caller was free
	unanswered *hdrhistogram.Histogram // µs from when failed and unsent calls were due until they were given up
	failure    error                   // the first

	timeline *timeline // shared by all callers; nil if latencies over time are not kept
}

// answer counts an answered call.
func (t *tally) answer(o outcome, took time.Duration) {
	t.count[o]++
	t.latency[o] = record(t.latency[o], took)
}

// fail counts a call that failed.
func (t *tally) fail(err error, took time.Duration) {
	t.failed++
	t.unanswered = record(t.unanswered, took)
	if t.failure == nil {
		t.failure = err
	}
}

// giveUp counts a call that was never sent.
func (t *tally) giveUp(waited time.Duration) {
	t.unsent++
	t.unanswered = record(t.unanswered, waited)
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, latencyMax, latencyDigits)
}

func record(h *hdrhistogram.Histogram, took time.Duration) *hdrhistogram.Histogram {
	if h == nil {
		h = newHistogram()
	}
	_ = h.RecordValue(min(max(took.Microseconds(), 1), latencyMax)) // in range
	return h
}

// add adds the counts of another caller.
func (t *tally) add(other *tally) {
	for o := range t.count {
		t.count[o] += other.count[o]
		t.latency[o] = merge(t.latency[o], other.latency[o])
	}
	t.failed += other.failed
	t.unsent += other.unsent
	t.unanswered = merge(t.unanswered, other.unanswered)
	if t.failure == nil {
		t.failure = other.failure
	}
}

func merge(a, b *hdrhistogram.Histogram) *hdrhistogram.Histogram {
	if b == nil {
		return a
	}
	if a == nil {
		a = newHistogram()
	}
	a.Merge(b)
	return a
}

// answered returns the number of answered calls. It serves only to divide a cost by it.
func (t *tally) answered() (n int64) {
	for _, c := range t.count {
		n += c
	}
	return n
}

// latencies returns those of one outcome and the waits of calls without an answer, which would have
// been at least as long.
func (t *tally) latencies(o outcome) *hdrhistogram.Histogram {
	return merge(merge(nil, t.latency[o]), t.unanswered)
}
