package reconcile_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// watched records when reservations become visible in Postgres.
type watched struct {
	*postgres.Ledger
	mu   sync.Mutex
	seen map[string]time.Time
}

func (w *watched) Decided(entries []ledger.Entry, refusals []ledger.Refusal) {
	now := time.Now()
	w.mu.Lock()
	for i := range entries {
		for j := range entries[i].Events {
			w.seen[entries[i].Events[j].ID] = now
		}
	}
	w.mu.Unlock()
	w.Ledger.Decided(entries, refusals)
}

// BenchmarkLag measures the time from the answer to a reserve until Postgres shows it, at the
// highest rate, at half and at a quarter of it.
func BenchmarkLag(b *testing.B) {
	for b.Loop() {
		var most float64
		for _, share := range []float64{0, 0.5, 0.25} {
			rate, lags := lagAt(b, most*share)
			if share == 0 {
				most = rate
			}
			slices.Sort(lags)
			at := func(q float64) time.Duration { return lags[int(q*float64(len(lags)-1))].Round(time.Millisecond) }
			fmt.Printf("%.0f reserves/s (%.0f %% of the most): lag p50 %v, p99 %v, most %v\n", rate, 100*rate/most, at(0.5), at(0.99), at(1))
		}
	}
}

// lagAt reserves for a while, at a rate per second, or as fast as possible if that is 0.
func lagAt(b *testing.B, rate float64) (achieved float64, lags []time.Duration) {
	const callers, turn = 256, 5 * time.Second
	r := reconciletest.NewRig(b)
	w := &watched{seen: map[string]time.Time{}}
	i := r.Start(func(r *reconcile.Reconciler) {
		w.Ledger = r.Ledger.(*postgres.Ledger)
		r.Ledger = w
	})
	defer i.Stop()
	i.Open(5 * time.Second)
	for n := range 100 {
		i.Count(reconciletest.SKUOf(n), "berlin", 1_000_000)
	}
	var next atomic.Int64
	var mu sync.Mutex
	answered := map[string]time.Time{}
	var all sync.WaitGroup
	began := time.Now()
	for range callers {
		all.Go(func() {
			mine := map[string]time.Time{}
			for time.Since(began) < turn {
				n := next.Add(1)
				if rate > 0 {
					<-time.After(time.Until(began.Add(time.Duration(float64(n) / rate * float64(time.Second)))))
				}
				id := fmt.Sprint("o", n)
				if _, err := i.Store.Reserve(context.Background(), reconciletest.Order(id, reconciletest.SKUOf(int(n%100)), 1)); err != nil {
					b.Error(err)
					return
				}
				mine[id] = time.Now()
			}
			mu.Lock()
			defer mu.Unlock()
			for id, at := range mine {
				answered[id] = at
			}
		})
	}
	all.Wait()
	achieved = float64(len(answered)) / turn.Seconds()
	r.Await("all are visible", time.Minute, func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		for id := range answered {
			if w.seen[id].IsZero() {
				return fmt.Errorf("%s is not", id)
			}
		}
		return nil
	})
	for id, at := range answered {
		lags = append(lags, max(0, w.seen[id].Sub(at)))
	}
	return achieved, lags
}
