package reconcile

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
)

// stopAt stops a reconciler at a point, the first time it comes there, until it is let go: as SIGSTOP
// stops a process, with its connections open.
type stopAt struct {
	name    string
	reached chan struct{}
	resume  chan struct{}
	once    sync.Once
}

func newStop(tb testing.TB, name string) *stopAt {
	s := &stopAt{name: name, reached: make(chan struct{}), resume: make(chan struct{})}
	tb.Cleanup(s.letGo)
	return s
}

func (s *stopAt) point(name string) {
	if name == s.name {
		s.once.Do(func() {
			close(s.reached)
			<-s.resume
		})
	}
}

func (s *stopAt) letGo() {
	select {
	case <-s.resume:
	default:
		close(s.resume)
	}
}

// wait waits until it has stopped.
func (s *stopAt) wait(t *testing.T) {
	t.Helper()
	select {
	case <-s.reached:
	case <-time.After(10 * time.Second):
		t.Fatalf("it does not come to %q", s.name)
	}
}

// TestHandover_SenderPaused has the sender of a refusal's undoing be stopped before it sends; stock
// arrives, the sale is confirmed, the sender goes on: the sale stands.
func TestHandover_SenderPaused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stop := newStop(t, "refused")
	one := r.started(func(r *Reconciler) { r.point = stop.point })
	two := r.start(nil)
	edit := func(units int64) {
		must(t, two.client.HIncrBy(t.Context(), "{holdfast:0}:stock", "TEE\x1fberlin", units).Err())
	}
	edit(+1) // by hand: Redis believes in eleven
	one.reserve("a", "TEE", 11)
	confirmed := make(chan error, 1)
	go func() {
		_, err := two.store.Confirm(context.Background(), cache.TransitionRequest{ID: "a"})
		confirmed <- err
	}()
	stop.wait(t)
	var short *cache.InsufficientError
	if err := <-confirmed; !errors.As(err, &short) || short.Shortages[0].Available != 10 {
		t.Errorf("confirmed what is not there: %v", err)
	}
	r.await("another has it undone", 8*time.Second, func() error {
		if record := r.state("a"); record.State != cache.StateExpired {
			return fmt.Errorf("it is %+v", record)
		}
		return nil
	})
	edit(-1)
	two.count("TEE", "berlin", 11)
	two.confirm("a")
	stop.letGo()
	<-time.After(1500 * time.Millisecond) // it goes on, and finds that it is late
	if record := r.state("a"); record.State != cache.StateConfirmed {
		t.Errorf("%+v", record)
	}
	r.check()
}

// TestHandover_RebuilderPaused has a rebuilder be stopped half-way while another finishes and traffic
// flows: when it goes on, its chunks are refused.
func TestHandover_RebuilderPaused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.started(nil)
	for n := range 2500 { // more than one chunk
		sku := skuOf(n)
		if n < 20 {
			first.count(sku, "berlin", 100)
		}
	}
	first.reserve("a", "TEE", 1)
	first.confirm("a")
	first.reserve("b", "TEE", 1)
	r.quiesce()
	first.stop()
	must(t, first.client.FlushAll(t.Context()).Err())
	stop := newStop(t, "chunk")
	r.start(func(r *Reconciler) { r.point = stop.point })
	stop.wait(t)
	two := r.start(nil)
	two.serveless(t)
	two.open(10 * time.Second)
	two.confirm("b")
	two.reserve("c", "TEE", 3)
	stop.letGo()
	two.reserve("d", "TEE", 3)
	<-time.After(1500 * time.Millisecond) // the first goes on, and is refused
	r.check()
}

// serveless has a rebuilt gate be closed as long as it is half loaded.
func (i *instance) serveless(t *testing.T) {
	t.Helper()
	if _, err := i.store.Reserve(t.Context(), order("early", "TEE", 1)); !isOneOf(err, cache.ErrRebuilding, cache.ErrUnavailable) {
		t.Errorf("reserved while it is half loaded: %v", err)
	}
}

// TestHandover_HolderStopped has the holder of the lock be stopped: another takes over within 5 s.
func TestHandover_HolderStopped(t *testing.T) {
	r := newRig(t)
	stop := newStop(t, "trim")
	r.start(func(r *Reconciler) { r.point = stop.point }).open(5 * time.Second)
	two := r.start(nil)
	stop.wait(t)
	began := time.Now()
	r.await("another confirms", 5*time.Second, func() error {
		units := int64(10)
		_, err := two.store.Adjust(context.Background(), cache.AdjustRequest{ID: "count", Changes: []cache.Change{{SKU: "TEE", Location: "berlin", OnHand: &units}}})
		return err
	})
	t.Logf("FIGURES the holder stopped: another applies after %v", time.Since(began).Round(time.Millisecond))
	stop.letGo()
	two.reserve("a", "TEE", 1)
	two.confirm("a")
	r.check()
}

// TestHandover_CutOffFromRedis has the holder of the lock be cut off from Redis alone: another takes
// over within 5 s.
func TestHandover_CutOffFromRedis(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	proxy := faultproxy.New(t, r.redis.Addr())
	direct := r.redis
	one := r.startOver(proxy.Addr(), nil)
	one.open(5 * time.Second)
	two := r.startOver(direct.Addr(), nil)
	proxy.Blackhole(true)
	began := time.Now()
	r.await("another confirms", 6*time.Second, func() error {
		units := int64(10)
		_, err := two.store.Adjust(context.Background(), cache.AdjustRequest{ID: "count", Changes: []cache.Change{{SKU: "TEE", Location: "berlin", OnHand: &units}}})
		return err
	})
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	} else {
		t.Logf("FIGURES the holder cut off from Redis: another applies after %v", took.Round(time.Millisecond))
	}
	two.reserve("a", "TEE", 1)
	two.confirm("a")
	r.check()
}

// TestHandover_StaleReplica has a replica that lacks the last sales be promoted, and the first primary
// come back with its old scripts cached: its replication id fences it.
func TestHandover_StaleReplica(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.started(nil)
	other := redistest.Start(t, "--replicaof", "127.0.0.1 "+strings.TrimPrefix(r.redis.Addr(), "127.0.0.1:"))
	replica := other.Client(t)
	i.reserve("a", "TEE", 4)
	i.confirm("a")
	r.await("the replica follows", 10*time.Second, func() error {
		n, err := replica.HExists(context.Background(), "{holdfast:0}:reservations", "a").Result()
		if !n {
			return fmt.Errorf("no %w", err)
		}
		return nil
	})
	must(t, replica.Do(t.Context(), "replicaof", "no", "one").Err())
	i.reserve("b", "TEE", 6)
	i.confirm("b") // the replica does not have it
	r.quiesce()
	host, port, _ := strings.Cut(other.Addr(), ":")
	must(t, i.client.Do(t.Context(), "replicaof", host, port).Err())
	r.await("it follows the other", 15*time.Second, func() error {
		n, err := i.client.HExists(context.Background(), "{holdfast:0}:reservations", "b").Result()
		if n || err != nil {
			return fmt.Errorf("b is there %v %w", n, err)
		}
		return nil
	})
	must(t, i.client.Do(t.Context(), "replicaof", "no", "one").Err())
	r.await("it is rebuilt, and sold out", 10*time.Second, func() error {
		_, err := i.store.Reserve(context.Background(), order("c", "TEE", 1))
		if errors.Is(err, cache.ErrInsufficient) {
			return nil
		}
		return fmt.Errorf("%w", err)
	})
	r.check()
	if record := r.state("b"); record.State != cache.StateConfirmed {
		t.Errorf("%+v", record)
	}
}

// TestHandover_OneLoads has many instances meet a Redis without scripts at once: each script is loaded
// by one of them.
func TestHandover_OneLoads(t *testing.T) {
	r := newRig(t)
	instances := []*instance{r.started(nil)}
	for range 5 {
		instances = append(instances, r.start(nil))
	}
	for n, i := range instances {
		i.reserve(fmt.Sprint("before", n), "TEE", 1)
	}
	must(t, instances[0].client.ConfigResetStat(t.Context()).Err())
	must(t, instances[0].client.ScriptFlush(t.Context()).Err())
	var all sync.WaitGroup
	for n, i := range instances {
		all.Go(func() {
			r := order(fmt.Sprint("after", n), "TEE", 1)
			i.rig.await("a hold is taken", 5*time.Second, func() error {
				_, err := i.store.Reserve(context.Background(), r)
				if errors.Is(err, cache.ErrInsufficient) {
					return nil
				}
				return err
			})
		})
	}
	all.Wait()
	r.check()
	info, err := instances[0].client.Info(t.Context(), "commandstats").Result()
	must(t, err)
	_, rest, _ := strings.Cut(info, "cmdstat_script|load:calls=")
	var calls int
	if _, err := fmt.Sscanf(rest, "%d", &calls); err != nil || calls > len(lua.Names()) {
		t.Errorf("scripts were loaded %d times (%v): there are %d", calls, err, len(lua.Names()))
	}
}
