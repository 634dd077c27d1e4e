package reconcile

import (
	"sync"
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
	Adopted  int64         // promoted replicas that were taken over without a rebuild
}

// counters guards the statistics of a Reconciler.
type counters struct {
	mu    sync.Mutex
	stats Stats
}

func (c *counters) update(change func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.stats)
}

// Stats returns the current statistics. It costs no round trip.
func (r *Reconciler) Stats() (s Stats) {
	r.counters.update(func(now *Stats) { s = *now })
	return s
}

// countEpoch records the epoch at which this Reconciler works, 0 if it does not.
func (r *Reconciler) countEpoch(epoch uint64) {
	r.counters.update(func(s *Stats) { s.Working, s.Epoch, s.Lag = epoch > 0, epoch, 0 })
}

// countBatch counts an applied batch.
func (a *applier) countBatch(entries []ledger.Entry, refusals int) {
	a.counters.update(func(s *Stats) {
		for i := range entries {
			s.Applied += int64(len(entries[i].Events))
		}
		s.Refused += int64(refusals)
		if at := entries[len(entries)-1].At; at > 0 {
			s.Lag = time.Duration(max(0, a.now()-at)) * time.Millisecond
		}
	})
}
