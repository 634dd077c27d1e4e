package reconcile_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestScenario_OddEntries adds entries that no script wrote, under ids of this epoch. They must not
// delay any sale, whatever bytes they have.
func TestScenario_OddEntries(t *testing.T) {
	t.Parallel()
	record := ledgertest.Born("odd", ledgertest.Reserved(1), "n1").Record.Encode()
	for name, values := range map[string][]string{
		"verb":   {"v", "1", "n", "n1", "e", "1\x1d\xff\x00"},
		"nonce":  {"v", "1", "n", "\xff\x00", "e", "1"},
		"id":     {"v", "1", "n", "n1", "e", "1\x1dreserve\x1f\xff\x00\x1f\x1f0\x1f\x1e" + record},
		"audit":  {"v", "1", "n", "n1", "e", "1\x1daudit\x1f\xff\x00\x1f\x1f1\x1f0\x1f0\x1f0", "d", "2:\xff\x00--"},
		"repair": {"v", "1", "n", "n1", "e", "1\x1drepair\x1f\xff\x00\x1f\xff", "d", "3:add2:\xff\x002:\xff\x001:11:01:01:01:0"},
		"revert": {"v", "1", "n", "n1", "e", "1\x1drevert\x1f\xff\x00\x1f\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := reconciletest.NewRig(t)
			i := r.Started(nil)
			reconciletest.Must(t, i.Client.XAdd(t.Context(), &redis.XAddArgs{Stream: "{holdfast:0}:events", ID: "1-*", Values: values}).Err())
			i.Reserve("a", "TEE", 1)
			r.Await("it is sold", 5*time.Second, func() error {
				_, err := i.Store.Confirm(context.Background(), cache.TransitionRequest{ID: "a"})
				return err
			})
			r.Check()
		})
	}
}
