package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// lateMax is for how long after the end of a round calls that were due in it are still sent.
const lateMax = time.Second

// load is how calls are sent.
type load struct {
	callers  int
	rate     float64       // calls that are due a second; 0: each caller sends one when its last is answered
	duration time.Duration // for which calls are sent
	calls    int64         // at most; 0 is no bound
	sliced   bool          // answers are also kept by when they came
}

// call makes call i for one of the callers.
type call func(ctx context.Context, caller int, i int64) (outcome, error)

// run sends calls and returns what became of them, once all are answered, and how long that took.
func (l load) run(ctx context.Context, do call) (*tally, time.Duration) {
	began := time.Now()
	all, tallies := &tally{}, make([]tally, l.callers)
	if l.sliced {
		all.overTime = newOverTime(began, l.duration)
	}
	for i := range tallies {
		tallies[i].overTime = all.overTime
	}
	if l.rate > 0 {
		l.open(ctx, began, tallies, do)
	} else {
		l.closed(ctx, began, tallies, do)
	}
	took := time.Since(began)
	for i := range tallies {
		all.add(&tallies[i])
	}
	return all, took
}

// closed is a loop without a rate: the system itself says how fast. A stall then delays only the calls
// that are under way, so its latencies say little of what a crowd would see.
func (l load) closed(ctx context.Context, began time.Time, tallies []tally, do call) {
	var next atomic.Int64
	var callers sync.WaitGroup
	end := began.Add(l.duration)
	for caller := range tallies {
		callers.Go(func() {
			for ctx.Err() == nil {
				due := time.Now()
				if due.After(end) {
					return
				}
				i := next.Add(1) - 1
				if l.calls > 0 && i >= l.calls {
					return
				}
				tallies[caller].time(ctx, do, caller, i, due)
			}
		})
	}
	callers.Wait()
}

// time makes a call that was due at a time, and counts it.
func (t *tally) time(ctx context.Context, do call, caller int, i int64, due time.Time) {
	answer, err := do(ctx, caller, i)
	now := time.Now()
	if took := now.Sub(due); err != nil {
		t.fail(err, took)
	} else {
		t.answer(answer, took)
		t.overTime.answer(now, took)
	}
}
