package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// persistent are the options of a redis-server that keeps what it acknowledged through a crash.
var persistent = []string{"--appendonly", "yes", "--appendfsync", "everysec"}

func TestReconciler_Applies(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Start(nil)
	i.Open(5 * time.Second)
	i.Count("TEE", "berlin", 10)
	i.Reserve("a", "TEE", 3)
	i.Confirm("a")
	i.Reserve("b", "TEE", 2)
	if again, err := i.Store.Confirm(t.Context(), cache.TransitionRequest{ID: "a"}); err != nil || !again.Replay || !again.Durable {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	result, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "a", Version: 2, Lines: []cache.LineQuantity{{Line: "1", Quantity: 1}}})
	if err != nil || !result.Durable {
		t.Errorf("%+v, %v", result, err)
	}
	result, err = i.Store.Release(t.Context(), cache.TransitionRequest{ID: "a"})
	if err != nil || !result.Durable || !result.DurableCall {
		t.Errorf("%+v, %v", result, err)
	}
	r.Check()
	levels, err := i.Store.Levels(t.Context(), "TEE")
	want := cache.Level{SKU: "TEE", Location: "berlin", OnHand: 9, Held: 2, Available: 7}
	if err != nil || len(levels) != 1 || levels[0] != want {
		t.Errorf("%+v, %v, want %+v", levels, err, want)
	}
}

// faults are the faults of a Redis, and whether its data survives them.
var faults = []struct {
	name  string
	fault func(t *testing.T, i *reconciletest.Instance)
	lost  bool // data that was not yet in the ledger is lost
}{
	{"killed", func(_ *testing.T, i *reconciletest.Instance) { i.Rig.Redis.Restart() }, false},
	{"empty", func(t *testing.T, i *reconciletest.Instance) {
		i.Rig.Redis.Kill()
		i.Rig.Redis.Empty()
		i.Rig.Redis.Restart()
	}, true},
	{"flushed", func(t *testing.T, i *reconciletest.Instance) {
		reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
	}, true},
	{"scripts flushed", func(t *testing.T, i *reconciletest.Instance) {
		reconciletest.Must(t, i.Client.ScriptFlush(t.Context()).Err())
	}, false},
	{"a changed nonce", func(t *testing.T, i *reconciletest.Instance) {
		const key = "{holdfast:0}:events"
		last, err := i.Client.XRevRangeN(t.Context(), key, "+", "-", 1).Result()
		reconciletest.Must(t, err)
		reconciletest.Must(t, i.Client.Del(t.Context(), key).Err())
		reconciletest.Must(t, i.Client.XAdd(t.Context(), &redis.XAddArgs{Stream: key, ID: last[0].ID, Values: []string{"v", "1", "n", "another", "e", "1"}}).Err())
	}, true},
	{"a foreign, higher entry", func(t *testing.T, i *reconciletest.Instance) {
		reconciletest.Must(t, i.Client.Do(t.Context(), "xadd", "{holdfast:0}:events", "9999999999999-1", "some", "thing").Err())
	}, false},
}

// TestReconciler_Recovers checks that after each fault everything answered as durable is still
// there, and the gate opens by itself.
func TestReconciler_Recovers(t *testing.T) {
	t.Parallel()
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			r := reconciletest.NewRig(t, persistent...)
			i := r.Start(nil)
			i.Open(5 * time.Second)
			i.Count("TEE", "berlin", 10)
			i.Reserve("a", "TEE", 3)
			i.Confirm("a")
			i.Reserve("b", "TEE", 2)
			r.Quiesce()
			f.fault(t, i)
			r.Await("b can be confirmed", 10*time.Second, func() error {
				_, err := i.Store.Confirm(context.Background(), cache.TransitionRequest{ID: "b"})
				if err != nil && !reconciletest.IsOneOf(err, cache.ErrRebuilding, cache.ErrUnavailable, cache.ErrNotDurable) {
					t.Fatal(err)
				}
				return err
			})
			_, err := i.Store.Reserve(t.Context(), reconciletest.Order("c", "TEE", 6))
			var short *cache.InsufficientError
			if !errors.As(err, &short) || short.Shortages[0].Available != 5 {
				t.Errorf("reserved six of five: %v", err)
			}
			i.Reserve("d", "TEE", 5)
			r.Check()
		})
	}
}

// TestReconciler_TakesOver checks that another instance goes on when one stops.
func TestReconciler_TakesOver(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	one := r.Start(nil)
	one.Open(5 * time.Second)
	two := r.Start(nil)
	one.Count("TEE", "berlin", 10)
	two.Reserve("a", "TEE", 1)
	two.Confirm("a") // applied by the other instance
	one.Stop()
	for n := range 5 {
		id := fmt.Sprint("b", n)
		two.Reserve(id, "TEE", 1)
		r.Await("confirmed", 5*time.Second, func() error {
			_, err := two.Store.Confirm(context.Background(), cache.TransitionRequest{ID: id})
			return err
		})
	}
	r.Check()
}

// TestReconciler_Cluster recovers on a one-node cluster: recovery must go to the primary of the
// slot.
func TestReconciler_Cluster(t *testing.T) {
	t.Parallel()
	r := &reconciletest.Rig{TB: t, Pool: ledgertest.OpenLedger(t)}
	cluster := redistest.StartCluster(t)
	client := cluster.ClusterClient(t)
	ledger := postgres.New(r.Pool, 0)
	store, err := cache.New(client, cache.Options{Ledger: ledger})
	reconciletest.Must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&reconcile.Reconciler{Client: client, Ledger: ledger}).Run(ctx) }()
	defer func() {
		cancel()
		reconciletest.Must(t, errors.Join(<-ended, store.Close(context.Background())))
	}()
	i := &reconciletest.Instance{Rig: r, Store: store, Ledger: ledger}
	i.Open(5 * time.Second)
	i.Count("TEE", "berlin", 10)
	i.Reserve("a", "TEE", 4)
	i.Confirm("a")
	reconciletest.Must(t, client.FlushAll(t.Context()).Err())
	r.Await("it is rebuilt", 5*time.Second, func() error {
		_, err := store.Reserve(context.Background(), reconciletest.Order("b", "TEE", 7))
		if errors.Is(err, cache.ErrInsufficient) {
			return nil
		}
		return fmt.Errorf("%w", err)
	})
	i.Reserve("c", "TEE", 6)
	i.Confirm("c")
}
