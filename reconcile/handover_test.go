package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/faultproxy"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/lua"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestHandover_SenderPaused pauses a process before it sends an undoing. Stock arrives, the sale is
// confirmed, the process goes on: the sale must stand.
func TestHandover_SenderPaused(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	stop := reconciletest.NewStop(t, "refused")
	one := r.Started(func(r *reconcile.Reconciler) { r.Point = stop.Point })
	two := r.Start(nil)
	edit := func(units int64) {
		reconciletest.Must(t, two.Client.HIncrBy(t.Context(), "{holdfast:0}:stock", "TEE\x1fberlin", units).Err())
	}
	edit(+1) // by hand: Redis has eleven
	one.Reserve("a", "TEE", 11)
	confirmed := make(chan error, 1)
	go func() {
		_, err := two.Store.Confirm(context.Background(), cache.TransitionRequest{ID: "a"})
		confirmed <- err
	}()
	stop.Wait(t)
	var short *cache.InsufficientError
	if err := <-confirmed; !errors.As(err, &short) || short.Shortages[0].Available != 10 {
		t.Errorf("confirmed units that do not exist: %v", err)
	}
	r.Await("another undoes it", 8*time.Second, func() error {
		if record := r.State("a"); record.State != cache.StateExpired {
			return fmt.Errorf("it is %+v", record)
		}
		return nil
	})
	edit(-1)
	two.Count("TEE", "berlin", 11)
	two.Confirm("a")
	stop.LetGo()
	<-time.After(1500 * time.Millisecond) // time to go on and to be refused
	if record := r.State("a"); record.State != cache.StateConfirmed {
		t.Errorf("%+v", record)
	}
	r.Check()
}

// TestHandover_RebuilderPaused pauses a rebuilder half-way while another one finishes and calls
// arrive. When it goes on, its chunks must be refused.
func TestHandover_RebuilderPaused(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	first := r.Started(nil)
	for n := range 2500 { // more than one chunk
		sku := reconciletest.SKUOf(n)
		if n < 20 {
			first.Count(sku, "berlin", 100)
		}
	}
	first.Reserve("a", "TEE", 1)
	first.Confirm("a")
	first.Reserve("b", "TEE", 1)
	r.Quiesce()
	first.Stop()
	reconciletest.Must(t, first.Client.FlushAll(t.Context()).Err())
	stop := reconciletest.NewStop(t, "chunk")
	r.Start(func(r *reconcile.Reconciler) { r.Point = stop.Point })
	stop.Wait(t)
	two := r.Start(nil)
	refusesWhileLoading(two, t)
	two.Open(10 * time.Second)
	two.Confirm("b")
	two.Reserve("c", "TEE", 3)
	stop.LetGo()
	two.Reserve("d", "TEE", 3)
	<-time.After(1500 * time.Millisecond) // time to go on and to be refused
	r.Check()
}

// refusesWhileLoading checks that reserve is refused while Redis is half loaded.
func refusesWhileLoading(i *reconciletest.Instance, t *testing.T) {
	t.Helper()
	if _, err := i.Store.Reserve(t.Context(), reconciletest.Order("early", "TEE", 1)); !reconciletest.IsOneOf(err, cache.ErrRebuilding, cache.ErrUnavailable) {
		t.Errorf("reserved while Redis is half loaded: %v", err)
	}
}

// TestHandover_HolderPaused pauses the lock holder: another must take over within 5 s.
func TestHandover_HolderPaused(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	stop := reconciletest.NewStop(t, "trim")
	r.Start(func(r *reconcile.Reconciler) { r.Point = stop.Point }).Open(5 * time.Second)
	two := r.Start(nil)
	stop.Wait(t)
	began := time.Now()
	r.Await("another confirms", 5*time.Second, func() error {
		units := int64(10)
		_, err := two.Store.Adjust(context.Background(), cache.AdjustRequest{ID: "count", Changes: []cache.Change{{SKU: "TEE", Location: "berlin", OnHand: &units}}})
		return err
	})
	t.Logf("FIGURES the holder stopped: another applies after %v", time.Since(began).Round(time.Millisecond))
	stop.LetGo()
	two.Reserve("a", "TEE", 1)
	two.Confirm("a")
	r.Check()
}

// TestHandover_CutOffFromRedis cuts the lock holder off from Redis alone: another must take over
// within 5 s.
func TestHandover_CutOffFromRedis(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	proxy := faultproxy.New(t, r.Redis.Addr())
	direct := r.Redis
	one := r.StartOver(proxy.Addr(), nil)
	one.Open(5 * time.Second)
	two := r.StartOver(direct.Addr(), nil)
	proxy.Blackhole(true)
	began := time.Now()
	r.Await("another confirms", 6*time.Second, func() error {
		units := int64(10)
		_, err := two.Store.Adjust(context.Background(), cache.AdjustRequest{ID: "count", Changes: []cache.Change{{SKU: "TEE", Location: "berlin", OnHand: &units}}})
		return err
	})
	if took := time.Since(began); took > 5*time.Second+reconciletest.Busy {
		t.Errorf("it took %v", took)
	} else {
		t.Logf("FIGURES the holder cut off from Redis: another applies after %v", took.Round(time.Millisecond))
	}
	two.Reserve("a", "TEE", 1)
	two.Confirm("a")
	r.Check()
}

// TestHandover_StaleReplica promotes a replica that lacks the last sales, and brings the first
// primary back with its old scripts cached. Its replication id must fence it.
func TestHandover_StaleReplica(t *testing.T) {
	t.Parallel()
	atOnce := []string{"--repl-diskless-sync-delay", "0"} // a primary waits for more replicas otherwise
	r := reconciletest.NewRig(t, atOnce...)
	i := r.Started(nil)
	other := redistest.Start(t, append(atOnce, "--replicaof", "127.0.0.1 "+strings.TrimPrefix(r.Redis.Addr(), "127.0.0.1:"))...)
	replica := other.Client(t)
	i.Reserve("a", "TEE", 4)
	i.Confirm("a")
	r.Await("the replica follows", 10*time.Second, func() error {
		n, err := replica.HExists(context.Background(), "{holdfast:0}:reservations", "a").Result()
		if !n {
			return fmt.Errorf("no %w", err)
		}
		return nil
	})
	reconciletest.Must(t, replica.Do(t.Context(), "replicaof", "no", "one").Err())
	i.Reserve("b", "TEE", 6)
	i.Confirm("b") // the replica does not have it
	r.Quiesce()
	host, port, _ := strings.Cut(other.Addr(), ":")
	reconciletest.Must(t, i.Client.Do(t.Context(), "replicaof", host, port).Err())
	r.Await("it follows the other", 15*time.Second, func() error {
		n, err := i.Client.HExists(context.Background(), "{holdfast:0}:reservations", "b").Result()
		if n || err != nil {
			return fmt.Errorf("b is there %v %w", n, err)
		}
		return nil
	})
	reconciletest.Must(t, i.Client.Do(t.Context(), "replicaof", "no", "one").Err())
	r.Await("it is rebuilt, and sold out", 10*time.Second, func() error {
		_, err := i.Store.Reserve(context.Background(), reconciletest.Order("c", "TEE", 1))
		if errors.Is(err, cache.ErrInsufficient) {
			return nil
		}
		return fmt.Errorf("%w", err)
	})
	r.Check()
	if record := r.State("b"); record.State != cache.StateConfirmed {
		t.Errorf("%+v", record)
	}
}

// TestHandover_NewReplicationID attaches the first replica to a primary, then lets the primary free
// its backlog. Each time the primary takes a new replication id. Its data is the same: the
// reconciler must note the id, and must not rebuild.
func TestHandover_NewReplicationID(t *testing.T) {
	t.Parallel()
	atOnce := []string{"--repl-diskless-sync-delay", "0", "--repl-backlog-ttl", "1"}
	r := reconciletest.NewRig(t, atOnce...)
	i := r.Started(nil)
	i.Reserve("a", "TEE", 4)
	alone := awaitReplicationID(r, i, "")
	replica := redistest.Start(t, append(atOnce, "--replicaof", "127.0.0.1 "+strings.TrimPrefix(r.Redis.Addr(), "127.0.0.1:"))...)
	attached := awaitReplicationID(r, i, alone)
	i.Reserve("b", "TEE", 3)
	replica.Kill()
	awaitReplicationID(r, i, attached)
	i.Confirm("a")
	i.Confirm("b")
	r.Check()
	if epoch := r.Number(t, "select epoch from positions"); epoch != 1 {
		t.Errorf("rebuilt: epoch %d", epoch)
	}
}

// awaitReplicationID waits until Redis has another replication id than before, and the ledger has
// noted it. It returns the id.
func awaitReplicationID(r *reconciletest.Rig, i *reconciletest.Instance, before string) (id string) {
	r.TB.Helper()
	r.Await("the ledger notes the replication id", 30*time.Second, func() error {
		about, err := i.Client.Info(context.Background(), "replication").Result()
		if err != nil {
			return err
		}
		var noted string
		if err := r.Pool.QueryRow(context.Background(), "select replication_id from positions").Scan(&noted); err != nil {
			return err
		}
		if noted == before || !strings.Contains(about, "master_replid:"+noted) {
			return fmt.Errorf("the ledger has %s, Redis says %s", noted, about)
		}
		id = noted
		return nil
	})
	return id
}

// TestHandover_OneLoads lets many instances meet a Redis without scripts at once: one of them must
// load each script.
func TestHandover_OneLoads(t *testing.T) {
	r := reconciletest.NewRig(t)
	instances := []*reconciletest.Instance{r.Started(nil)}
	for range 5 {
		instances = append(instances, r.Start(nil))
	}
	for n, i := range instances {
		i.Reserve(fmt.Sprint("before", n), "TEE", 1)
	}
	reconciletest.Must(t, instances[0].Client.ConfigResetStat(t.Context()).Err())
	reconciletest.Must(t, instances[0].Client.ScriptFlush(t.Context()).Err())
	var all sync.WaitGroup
	for n, i := range instances {
		all.Go(func() {
			r := reconciletest.Order(fmt.Sprint("after", n), "TEE", 1)
			i.Rig.Await("a hold is taken", 5*time.Second, func() error {
				_, err := i.Store.Reserve(context.Background(), r)
				if errors.Is(err, cache.ErrInsufficient) {
					return nil
				}
				return err
			})
		})
	}
	all.Wait()
	r.Check()
	info, err := instances[0].Client.Info(t.Context(), "commandstats").Result()
	reconciletest.Must(t, err)
	_, rest, _ := strings.Cut(info, "cmdstat_script|load:calls=")
	var calls int
	if _, err := fmt.Sscanf(rest, "%d", &calls); err != nil || calls > len(lua.Names()) {
		t.Errorf("scripts were loaded %d times (%v): there are %d", calls, err, len(lua.Names()))
	}
}
