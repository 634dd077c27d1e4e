package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestZombie_Store lets a process stay with the old primary, which goes on answering, while another process
// adopts its replica. The first must stop selling from the old primary.
func TestZombie_Store(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	one := r.Started(nil)
	one.Count("PROBE", "berlin", 1_000_000)
	stays := over(r)
	stays.Serves(time.Second)
	old, replica := r.Redis, followed(t, r)
	r.Quiesce()
	one.Stop()
	replica.Promote(t, old)
	r.Redis = replica
	stays.Serves(time.Second) // nobody has told it
	two := r.Start(nil)
	two.Open(5 * time.Second)
	began := time.Now()
	last := began
	hold := func(n int) error {
		_, err := stays.Store.Reserve(context.Background(), reconciletest.Order(fmt.Sprint("late-", n), "PROBE", 1))
		if err == nil {
			last = time.Now()
		}
		return err
	}
	n := 0
	r.Await("it takes no holds", time.Second, func() error {
		n++
		if err := hold(n); !errors.Is(err, cache.ErrRebuilding) {
			return fmt.Errorf("hold %d: %w", n, err)
		}
		return nil
	})
	t.Logf("FIGURES the process that stays takes %d holds, the last one %v after the gate opened elsewhere", n-1, last.Sub(began))
	for range 10 {
		n++
		if err := hold(n); !errors.Is(err, cache.ErrRebuilding) {
			t.Errorf("hold %d: %v", n, err)
		}
	}
	two.Serves(time.Second)
	r.Check()
}

// TestZombie_Holder lets the process that applies stay with the old primary. It must give way to a process
// that knows from others that the replica is the primary.
func TestZombie_Holder(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	one := r.Started(nil)
	one.Count("PROBE", "berlin", 1000)
	replica := followed(t, r)
	one.Reserve("held", "TEE", 2)
	r.Quiesce()
	replica.Promote(t, r.Redis)
	promoted := runID(t, replica)
	r.Redis = replica
	two := patient(r, func(r *reconcile.Reconciler) {
		r.AskPrimary = func(context.Context) (string, error) { return promoted, nil }
	})
	took := two.Open(5 * time.Second)
	t.Logf("FIGURES the process that applies gives way, and the replica is open, after %v", took.Round(time.Millisecond))
	adoptedOnce(r, two)
	if s := one.Reconciler.Stats(); s.Working {
		t.Errorf("%+v", s)
	}
	two.Confirm("held")
	two.Serves(time.Second)
	r.Check()
}

// TestZombie_Refuted claims the shard for a server that is not the primary. The process that applies knows
// better, and goes on.
func TestZombie_Refuted(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	var asked atomic.Int64
	var fails atomic.Bool
	own := runID(t, r.Redis)
	one := r.Started(func(r *reconcile.Reconciler) {
		r.AskPrimary = func(context.Context) (string, error) {
			asked.Add(1)
			if fails.Load() {
				return "", errors.New("nobody answers")
			}
			return own, nil
		}
	})
	claim := func() { reconciletest.Must(t, one.Ledger.Claim(context.Background(), "another server")) }
	r.Await("it asks three times", 3*time.Second, func() error {
		claim()
		if n := asked.Load(); n < 3 {
			return fmt.Errorf("%d times", n)
		}
		return nil
	})
	one.Reserve("a", "TEE", 1)
	one.Confirm("a")
	if s := one.Reconciler.Stats(); !s.Working || s.Epoch != 1 {
		t.Errorf("%+v", s)
	}
	fails.Store(true)
	r.Await("it gives way if it cannot ask", 3*time.Second, func() error {
		claim()
		if s := one.Reconciler.Stats(); s.Working {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
	r.Await("it goes on when nobody claims", 5*time.Second, func() error {
		if s := one.Reconciler.Stats(); !s.Working || s.Epoch != 1 {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
	r.Check()
}

// runID returns the run id of a server.
func runID(t *testing.T, s *redistest.Server) string {
	t.Helper()
	about, err := s.Client(t).Info(t.Context(), "server").Result()
	reconciletest.Must(t, err)
	_, id, _ := strings.Cut(about, "run_id:")
	return strings.TrimSpace(strings.SplitN(id, "\n", 2)[0])
}
