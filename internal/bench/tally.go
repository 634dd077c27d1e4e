package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// What a histogram can tell apart: 1 µs at the least, and always two digits.
const (
	latencyMax    = int64(2 * time.Minute / time.Microsecond)
	latencyDigits = 2
)

// tally is what became of calls. It is not safe for concurrent use: each caller has its own.
type tally struct {
	count   [outcomes]int64
	latency [outcomes]*hdrhistogram.Histogram // µs; nil where there is none

	failed  int64                   // calls without an answer; nobody knows what became of them
	unsent  int64                   // calls that were due, and that no caller was free to send
	overdue *hdrhistogram.Histogram // µs that failed and unsent calls had waited when they were given up
	failure error                   // the first

	overTime *overTime // of all callers; nil where that is not kept
}

// answer counts one answered call.
func (t *tally) answer(o outcome, took time.Duration) {
	t.count[o]++
	t.latency[o] = record(t.latency[o], took)
}

// fail counts a call that failed.
func (t *tally) fail(err error, took time.Duration) {
	t.failed++
	t.overdue = record(t.overdue, took)
	if t.failure == nil {
		t.failure = err
	}
}

// miss counts a call that was never sent.
func (t *tally) miss(waited time.Duration) {
	t.unsent++
	t.overdue = record(t.overdue, waited)
}

func record(h *hdrhistogram.Histogram, took time.Duration) *hdrhistogram.Histogram {
	if h == nil {
		h = hdrhistogram.New(1, latencyMax, latencyDigits)
	}
	_ = h.RecordValue(min(max(took.Microseconds(), 1), latencyMax)) // within its range
	return h
}

// add adds what another caller counted.
func (t *tally) add(other *tally) {
	for o := range t.count {
		t.count[o] += other.count[o]
		t.latency[o] = merge(t.latency[o], other.latency[o])
	}
	t.failed += other.failed
	t.unsent += other.unsent
	t.overdue = merge(t.overdue, other.overdue)
	if t.failure == nil {
		t.failure = other.failure
	}
}

func merge(a, b *hdrhistogram.Histogram) *hdrhistogram.Histogram {
	switch {
	case b == nil:
		return a
	case a == nil:
		a = hdrhistogram.New(1, latencyMax, latencyDigits)
	}
	a.Merge(b)
	return a
}

// answered is how many calls have an answer: what a cost is divided by, and nothing else.
func (t *tally) answered() (n int64) {
	for _, c := range t.count {
		n += c
	}
	return n
}

// latencies are those of the calls with one outcome. Calls without an answer are among them, with the
// time they had waited: they would have been there, and later.
func (t *tally) latencies(o outcome) *hdrhistogram.Histogram {
	return merge(merge(nil, t.latency[o]), t.overdue)
}
