package bench

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// napMax is how long it may take to notice that the run was interrupted.
const napMax = 50 * time.Millisecond

// ticket is a call that is due.
type ticket struct {
	i   int64
	due time.Time
}

// open is a loop with a rate. Whoever is free takes the next call; where nobody is, calls wait, and
// their latency has counted since they were due. That is what keeps a stall from hiding itself
// ("coordinated omission", Gil Tene).
func (l load) open(ctx context.Context, began time.Time, tallies []tally, do call) {
	tickets := make(chan ticket) // without room: a call waits here, in the figures, and not in a queue
	var callers sync.WaitGroup
	for caller := range tallies {
		callers.Go(func() {
			for t := range tickets {
				tallies[caller].time(ctx, do, caller, t.i, t.due)
			}
		})
	}
	var unsent tally
	l.pace(ctx, began, tickets, &unsent)
	close(tickets)
	callers.Wait()
	tallies[0].add(&unsent)
}

// pace hands out each call when it is due, and gives up those that nobody could take by lateMax after
// the end.
func (l load) pace(ctx context.Context, began time.Time, tickets chan<- ticket, unsent *tally) {
	runtime.LockOSThread() // nap holds the thread, and no one else's work
	defer runtime.UnlockOSThread()
	last := began.Add(l.duration + lateMax)
	ctx, cancel := context.WithDeadline(ctx, last)
	defer cancel()
	for i := int64(0); l.calls == 0 || i < l.calls; i++ {
		after := time.Duration(float64(i) / l.rate * float64(time.Second))
		if after >= l.duration {
			return
		}
		t := ticket{i, began.Add(after)}
		for wait := time.Until(t.due); wait > 0 && ctx.Err() == nil; wait = time.Until(t.due) {
			nap(min(wait, napMax))
		}
		select {
		case tickets <- t:
		case <-ctx.Done():
			unsent.miss(time.Since(t.due))
		}
	}
}
