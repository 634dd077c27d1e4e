package reconcile

import (
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Stats is a moment of a Reconciler, and what it has done since it began.
type Stats struct {
	Working  bool          // it is the one that applies; the others wait for its lock
	Epoch    uint64        // 0 while it does not work
	Lag      time.Duration // from the newest applied event to when it was applied, while it works
	Waiting  int64         // entries of the stream, the last applied one not counted; of a moment ago
	Applied  int64         // events
	Refused  int64         // of these
	Rebuilds int64
}

// counters are what Stats is read from.
type counters struct {
	working                    atomic.Bool
	epoch                      atomic.Uint64
	lag                        atomic.Int64 // ms
	waiting                    atomic.Int64
	applied, refused, rebuilds atomic.Int64
}

// Stats costs no round trip.
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

// works notes that the position is t's.
func (t *tail) works() {
	t.counters.epoch.Store(t.at.Epoch)
	t.counters.working.Store(true)
}

// counted counts a batch.
func (t *tail) counted(entries []ledger.Entry, refusals int) {
	events := 0
	for i := range entries {
		events += len(entries[i].Events)
	}
	t.counters.applied.Add(int64(events))
	t.counters.refused.Add(int64(refusals))
	if at := entries[len(entries)-1].At; at > 0 {
		t.counters.lag.Store(max(0, t.now()-at))
	}
}
