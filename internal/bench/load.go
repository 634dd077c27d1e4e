package bench

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	lateMax  = time.Second           // after the end of a round: until then overdue calls are still sent
	sleepMax = 50 * time.Millisecond // between two checks for an interrupt
)

// load describes how calls are sent.
type load struct {
	callers  int
	rate     float64       // calls due per second; 0: a caller calls again when it has its answer
	duration time.Duration // during which calls are sent
	calls    int64         // at most; 0 is no limit
	sliced   bool          // also keep latencies by time of answer
}

// call makes call i for one of the callers.
type call func(ctx context.Context, caller int, i int64) (outcome, error)

// run sends calls until the end and returns what was counted, and the time until the last answer.
func (l load) run(ctx context.Context, do call) (*tally, time.Duration) {
	began := time.Now()
	all, tallies := &tally{}, make([]tally, l.callers)
	if l.sliced {
		all.timeline = newTimeline(began, l.duration)
	}
	for i := range tallies {
		tallies[i].timeline = all.timeline
	}
	if l.rate > 0 {
		l.runOpen(ctx, began, tallies, do)
	} else {
		l.runClosed(ctx, began, tallies, do)
	}
	took := time.Since(began)
	for i := range tallies {
		all.add(&tallies[i])
	}
	return all, took
}

// runClosed has each caller call again when it has its answer, so the system under test sets the
// rate. A stall delays only the calls in progress: these latencies say little about real users.
func (l load) runClosed(ctx context.Context, began time.Time, tallies []tally, do call) {
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

// dueCall is a call that is due.
type dueCall struct {
	i   int64
	due time.Time
}

// runOpen sends calls at a rate. A free caller takes the next one. If no caller is free, calls
// wait, and their latency counts from when they were due. So a stall cannot hide itself
// ("coordinated omission", Gil Tene).
func (l load) runOpen(ctx context.Context, began time.Time, tallies []tally, do call) {
	queue := make(chan dueCall) // unbuffered: a call waits in schedule, where its wait is measured
	var callers sync.WaitGroup
	for caller := range tallies {
		callers.Go(func() {
			for c := range queue {
				tallies[caller].time(ctx, do, caller, c.i, c.due)
			}
		})
	}
	var unsent tally
	l.schedule(ctx, began, queue, &unsent)
	close(queue)
	callers.Wait()
	tallies[0].add(&unsent)
}

// schedule hands out each call when it is due. It gives up calls that no caller has taken by
// lateMax after the end.
func (l load) schedule(ctx context.Context, began time.Time, queue chan<- dueCall, unsent *tally) {
	runtime.LockOSThread() // preciseSleep blocks the thread: let it block no other goroutine
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithDeadline(ctx, began.Add(l.duration+lateMax))
	defer cancel()
	for i := int64(0); l.calls == 0 || i < l.calls; i++ {
		after := time.Duration(float64(i) / l.rate * float64(time.Second))
		if after >= l.duration {
			return
		}
		c := dueCall{i, began.Add(after)}
		for wait := time.Until(c.due); wait > 0 && ctx.Err() == nil; wait = time.Until(c.due) {
			preciseSleep(min(wait, sleepMax))
		}
		select {
		case queue <- c:
		case <-ctx.Done():
			unsent.giveUp(time.Since(c.due))
		}
	}
}

// time makes a call that was due at a time, and counts it.
func (t *tally) time(ctx context.Context, do call, caller int, i int64, due time.Time) {
	answer, err := do(ctx, caller, i)
	now := time.Now()
	if took := now.Sub(due); err != nil {
		t.fail(err, took)
	} else {
		t.answer(answer, took)
		t.timeline.answer(now, took)
	}
}
