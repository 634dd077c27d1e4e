package reconcile

import (
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Stats is the state of a Reconciler at one moment, and what it has counted since it started.
type Stats struct {
	Working  bool          // whether this one applies; the others wait for its lock
	Epoch    uint64        // 0 while it does not work
	Lag      time.Duration // between the newest applied event and its application; 0 while it does not work
	Waiting  int64         // entries behind the last applied one, at the last housekeeping
	Applied  int64         // events applied, refused ones included
	Refused  int64         // events that the ledger refused
	Rebuilds int64         // rebuilds of Redis, its initialisation not included
}

// Stats returns the current statistics. It costs no round trip.
func (r *Reconciler) Stats() Stats {
	c := &r.counters
	s := Stats{
		Working: c.working.Load(), Waiting: c.waiting.Load(), Applied: c.applied.Load(), Refused: c.refused.Load(),
		Rebuilds: c.rebuilds.Load(),
	}
	if s.Working {
		s.Epoch, s.Lag = c.epoch.Load(), time.Duration(c.lag.Load())*time.Millisecond
	}
	return s
}

// counters is what Stats reads.
type counters struct {
	working                    atomic.Bool
	epoch                      atomic.Uint64
	lag                        atomic.Int64 // ms
	waiting                    atomic.Int64
	applied, refused, rebuilds atomic.Int64
}

// startWorking records that a works, and at which epoch.
func (a *applier) startWorking() {
	a.counters.epoch.Store(a.at.Epoch)
	a.counters.working.Store(true)
}

// countBatch counts an applied batch.
func (a *applier) countBatch(entries []ledger.Entry, refusals int) {
	events := 0
	for i := range entries {
		events += len(entries[i].Events)
	}
	a.counters.applied.Add(int64(events))
	a.counters.refused.Add(int64(refusals))
	if at := entries[len(entries)-1].At; at > 0 {
		a.counters.lag.Store(max(0, a.now()-at))
	}
}
