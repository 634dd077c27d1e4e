package reconcile

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/redistest"
)

// persistent are the options of a redis-server that keeps what it answered through a crash.
var persistent = []string{"--appendonly", "yes", "--appendfsync", "everysec"}

func TestReconciler_Applies(t *testing.T) {
	r := newRig(t)
	i := r.start(nil)
	i.open(5 * time.Second)
	i.count("TEE", "berlin", 10)
	i.reserve("a", "TEE", 3)
	i.confirm("a")
	i.reserve("b", "TEE", 2)
	if again, err := i.store.Confirm(t.Context(), cache.TransitionRequest{ID: "a"}); err != nil || !again.Replay || !again.Durable {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	result, err := i.store.Fulfill(t.Context(), cache.TransitionRequest{ID: "a", Version: 2, Lines: []cache.LineQuantity{{Line: "1", Quantity: 1}}})
	if err != nil || !result.Durable {
		t.Errorf("%+v, %v", result, err)
	}
	result, err = i.store.Release(t.Context(), cache.TransitionRequest{ID: "a"})
	if err != nil || !result.Durable || !result.DurableCall {
		t.Errorf("%+v, %v", result, err)
	}
	r.check()
	levels, err := i.store.Levels(t.Context(), "TEE")
	want := cache.Level{SKU: "TEE", Location: "berlin", OnHand: 9, Held: 2, Available: 7}
	if err != nil || len(levels) != 1 || levels[0] != want {
		t.Errorf("%+v, %v, want %+v", levels, err, want)
	}
}

// faults are what happens to a Redis, and whether what it held outlives that.
var faults = []struct {
	name  string
	fault func(t *testing.T, i *instance)
	lost  bool // what was not yet in the ledger is gone
}{
	{"killed", func(_ *testing.T, i *instance) { i.rig.redis.Restart() }, false},
	{"empty", func(t *testing.T, i *instance) { i.rig.redis.Kill(); i.rig.redis.Empty(); i.rig.redis.Restart() }, true},
	{"flushed", func(t *testing.T, i *instance) { must(t, i.client.FlushAll(t.Context()).Err()) }, true},
	{"scripts flushed", func(t *testing.T, i *instance) { must(t, i.client.ScriptFlush(t.Context()).Err()) }, false},
	{"a changed nonce", func(t *testing.T, i *instance) {
		const key = "{holdfast:0}:events"
		last, err := i.client.XRevRangeN(t.Context(), key, "+", "-", 1).Result()
		must(t, err)
		must(t, i.client.Del(t.Context(), key).Err())
		must(t, i.client.XAdd(t.Context(), &redis.XAddArgs{Stream: key, ID: last[0].ID, Values: []string{"v", "1", "n", "another", "e", "1"}}).Err())
	}, true},
	{"a foreign, higher entry", func(t *testing.T, i *instance) {
		must(t, i.client.Do(t.Context(), "xadd", "{holdfast:0}:events", "9999999999999-1", "some", "thing").Err())
	}, false},
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestReconciler_Recovers has each fault leave everything that was answered as durable, and a gate that
// opens by itself.
func TestReconciler_Recovers(t *testing.T) {
	t.Parallel()
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			r := newRig(t, persistent...)
			i := r.start(nil)
			i.open(5 * time.Second)
			i.count("TEE", "berlin", 10)
			i.reserve("a", "TEE", 3)
			i.confirm("a")
			i.reserve("b", "TEE", 2)
			r.quiesce()
			f.fault(t, i)
			r.await("b can be confirmed", 10*time.Second, func() error {
				_, err := i.store.Confirm(context.Background(), cache.TransitionRequest{ID: "b"})
				if err != nil && !isOneOf(err, cache.ErrRebuilding, cache.ErrUnavailable, cache.ErrNotDurable) {
					t.Fatal(err)
				}
				return err
			})
			_, err := i.store.Reserve(t.Context(), order("c", "TEE", 6))
			var short *cache.InsufficientError
			if !errors.As(err, &short) || short.Shortages[0].Available != 5 {
				t.Errorf("six of the five that are left: %v", err)
			}
			i.reserve("d", "TEE", 5)
			r.check()
		})
	}
}

// TestReconciler_TakesOver has another instance go on where one has stopped.
func TestReconciler_TakesOver(t *testing.T) {
	r := newRig(t)
	one := r.start(nil)
	one.open(5 * time.Second)
	two := r.start(nil)
	one.count("TEE", "berlin", 10)
	two.reserve("a", "TEE", 1)
	two.confirm("a") // applied by the other one
	one.stop()
	for n := range 5 {
		id := fmt.Sprint("b", n)
		two.reserve(id, "TEE", 1)
		r.await("confirmed", 5*time.Second, func() error {
			_, err := two.store.Confirm(context.Background(), cache.TransitionRequest{ID: id})
			return err
		})
	}
	r.check()
}

// TestReconciler_Cluster has the same on a one-node cluster: recovery goes to the primary of the slot.
func TestReconciler_Cluster(t *testing.T) {
	r := &rig{tb: t, pool: openLedger(t), logs: &logs{t}}
	cluster := redistest.StartCluster(t)
	client := cluster.ClusterClient(t)
	ledger := NewPostgres(r.pool, 0)
	store, err := cache.New(client, cache.Options{Ledger: ledger})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&Reconciler{Client: client, Ledger: ledger}).Run(ctx) }()
	defer func() {
		cancel()
		must(t, errors.Join(<-ended, store.Close(context.Background())))
	}()
	i := &instance{rig: r, store: store, ledger: ledger}
	i.open(5 * time.Second)
	i.count("TEE", "berlin", 10)
	i.reserve("a", "TEE", 4)
	i.confirm("a")
	must(t, client.FlushAll(t.Context()).Err())
	r.await("it is rebuilt", 5*time.Second, func() error {
		_, err := store.Reserve(context.Background(), order("b", "TEE", 7))
		if errors.Is(err, cache.ErrInsufficient) {
			return nil
		}
		return fmt.Errorf("%w", err)
	})
	i.reserve("c", "TEE", 6)
	i.confirm("c")
}
