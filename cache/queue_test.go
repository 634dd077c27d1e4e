package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/redistest"
)

// sizes is an Observer that records the sizes of reserve batches and counts calls by verb and
// outcome.
type sizes struct {
	mu      sync.Mutex
	batches []int
	calls   map[string]int
}

func (s *sizes) Call(verb Verb, outcome string, _ time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls == nil {
		s.calls = map[string]int{}
	}
	s.calls[string(verb)+" "+outcome]++
}

func (s *sizes) Batch(verb Verb, size int, _ time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if verb == VerbReserve {
		s.batches = append(s.batches, size)
	}
}

// newBlockedBench returns a bench whose batches block until open is called. One batch with one
// request is in flight; outcome waits for that request. Options.InFlightMax is 1 by default.
func newBlockedBench(ctx context.Context, t *testing.T, options Options) (b *bench, outcome func() map[string]int, open func()) {
	t.Helper()
	options.InFlightMax, options.Timeout, options.Logger = max(1, options.InFlightMax), time.Minute, quiet
	b = newBench(t, client(t, redistest.Start(t).Addr()), options)
	b.stock("TEE@berlin=1000")
	if _, err := b.store.Reserve(b.ctx, order("first", "1:TEE:1")); err != nil {
		t.Fatal(err)
	}
	clock, held, gate := b.store.shard.Clock, make(chan struct{}, 1), make(chan struct{})
	b.store.shard.Clock = func() string {
		select {
		case held <- struct{}{}:
		default:
		}
		<-gate
		return clock()
	}
	outcome = b.reserveAll(ctx, "one", 1)
	<-held
	return b, outcome, sync.OnceFunc(func() { close(gate) })
}

// awaitQueued waits until n requests are queued.
func (b *bench) awaitQueued(n int) {
	b.tb.Helper()
	eventually(b.tb, func() error {
		if got := b.store.Stats().Queued[VerbReserve]; got != n {
			return fmt.Errorf("%d are queued, want %d", got, n)
		}
		return nil
	})
}

// reserveAll starts n reserves at once; outcomes waits for all of them and counts their outcomes.
func (b *bench) reserveAll(ctx context.Context, name string, n int) (outcomes func() map[string]int) {
	var mu sync.Mutex
	counted := map[string]int{}
	var callers sync.WaitGroup
	for i := range n {
		callers.Go(func() {
			_, err := b.store.Reserve(ctx, order(fmt.Sprintf("%s-%d", name, i), "1:TEE:1"))
			mu.Lock()
			defer mu.Unlock()
			counted[outcomeOf(err)]++
		})
	}
	return func() map[string]int {
		callers.Wait()
		return counted
	}
}

// TestBatching checks that requests which arrive while a batch is in flight share the next batches.
func TestBatching(t *testing.T) {
	seen := &sizes{}
	b, one, open := newBlockedBench(t.Context(), t, Options{Observer: seen})
	defer open()
	more := b.reserveAll(b.ctx, "more", 130)
	b.awaitQueued(130)
	open()
	if one()["ok"] != 1 || more()["ok"] != 130 {
		t.Errorf("outcomes: %v, %v", one(), more())
	}
	if err := b.store.Close(b.ctx); err != nil { // then every batch was observed
		t.Fatal(err)
	}
	if fmt.Sprint(seen.batches) != "[1 1 64 64 2]" {
		t.Errorf("batches of %v", seen.batches)
	}
	if seen.calls["reserve ok"] != 132 || seen.calls["adjust ok"] != 1 {
		t.Errorf("calls: %v", seen.calls)
	}
}

// TestBatching_Full checks that a second batch is sent while one is in flight only if it is full.
func TestBatching_Full(t *testing.T) {
	b, one, open := newBlockedBench(t.Context(), t, Options{InFlightMax: 3})
	defer open()
	b.store.shard.Postpone(VerbReserve, time.Minute)
	some := b.reserveAll(b.ctx, "some", 63)
	b.awaitQueued(63)
	if got := b.store.Stats().InFlight[VerbReserve]; got != 1 {
		t.Errorf("%d batches are in flight while 63 wait, want 1", got)
	}
	last := b.reserveAll(b.ctx, "last", 1)
	b.awaitQueued(0)
	if got := b.store.Stats().InFlight[VerbReserve]; got != 2 {
		t.Errorf("%d batches are in flight once 64 waited, want 2", got)
	}
	open()
	if one()["ok"] != 1 || some()["ok"] != 63 || last()["ok"] != 1 {
		t.Errorf("outcomes: %v, %v, %v", one(), some(), last())
	}
}

// TestReserve_EndedContext checks that a request whose context ends in the queue is not sent, and
// that a request which was sent takes its units.
func TestReserve_EndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b, sent, open := newBlockedBench(ctx, t, Options{})
	defer open()
	waiting := b.reserveAll(ctx, "waiting", 1)
	b.awaitQueued(1)
	cancel()
	if sent()["unavailable"] != 1 || waiting()["unavailable"] != 1 {
		t.Errorf("outcomes: %v, %v", sent(), waiting())
	}
	open()
	if _, err := b.store.Reserve(ctx, order("ended", "1:TEE:1")); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	if result, err := b.store.Reserve(b.ctx, order("one-0", "1:TEE:1")); err != nil || !result.Replay {
		t.Errorf("sent: %+v, %v: want a replay", result, err)
	}
	for _, id := range []string{"waiting-0", "ended"} {
		if _, err := b.store.Reservation(b.ctx, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound: it must not be sent", id, err)
		}
	}
}

// TestReserve_QueueFull checks that requests beyond Options.QueueMax are refused at once.
func TestReserve_QueueFull(t *testing.T) {
	b, one, open := newBlockedBench(t.Context(), t, Options{QueueMax: 4})
	defer open()
	four := b.reserveAll(b.ctx, "four", 4)
	b.awaitQueued(4)
	if refused := b.reserveAll(b.ctx, "more", 50)(); refused["unavailable"] != 50 {
		t.Errorf("outcomes: %v", refused)
	}
	open()
	if one()["ok"] != 1 || four()["ok"] != 4 {
		t.Errorf("outcomes: %v, %v", one(), four())
	}
}

// TestClose checks that Close waits for accepted calls and refuses new ones.
func TestClose(t *testing.T) {
	b, one, open := newBlockedBench(t.Context(), t, Options{})
	defer open()
	nine := b.reserveAll(b.ctx, "nine", 9)
	b.awaitQueued(9)
	ended, cancel := context.WithCancel(b.ctx)
	cancel()
	if err := b.store.Close(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("close with an ended context: %v, want context.Canceled", err)
	}
	if _, err := b.store.Reserve(b.ctx, order("late", "1:TEE:1")); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	open()
	if err := b.store.Close(b.ctx); err != nil {
		t.Fatal(err)
	}
	if one()["ok"] != 1 || nine()["ok"] != 9 {
		t.Errorf("outcomes: %v, %v", one(), nine())
	}
}

// TestNew_ClientRetries checks that New refuses a client that retries: it would send scripts again
// by itself. The node clients of a cluster client retry as often as the cluster client says.
func TestNew_ClientRetries(t *testing.T) {
	single := client(t, "127.0.0.1:1")
	single.Options().MaxRetries = 3
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}, MaxRetries: 3})
	t.Cleanup(func() { _ = cluster.Close() })
	for _, c := range []redis.UniversalClient{single, cluster} {
		if s, err := New(c, Options{}); err == nil {
			t.Errorf("New accepts a %T that retries", c)
			_ = s.Close(t.Context())
		}
	}
}
