package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
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
