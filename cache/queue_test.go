package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/faultproxy"
	"github.com/holdfast/holdfast/internal/redistest"
)

// sizes is an Observer that keeps the sizes of batches.
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

// slow is a Store behind a proxy that can hold answers back, so that requests gather.
func slow(t *testing.T, options Options) (*bench, *faultproxy.Proxy) {
	t.Helper()
	server := redistest.Start(t)
	proxy := faultproxy.New(t, server.Addr())
	options.Logger = quiet
	b := newBench(t, client(t, proxy.Addr()), options)
	b.stock("TEE@berlin=1000")
	if _, err := b.store.Reserve(b.ctx, order("first", "1:TEE:1")); err != nil {
		t.Fatal(err)
	}
	return b, proxy
}

// TestGather has what arrives while a batch is in flight share the next one.
func TestGather(t *testing.T) {
	seen := &sizes{}
	b, proxy := slow(t, Options{InFlightMax: 1, Observer: seen})
	proxy.Delay(50 * time.Millisecond)
	var callers sync.WaitGroup
	for i := range 129 {
		callers.Go(func() {
			if _, err := b.store.Reserve(b.ctx, order(fmt.Sprint(i), "1:TEE:1")); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	proxy.Delay(0)
	if n := len(seen.batches) - 1; n < 3 || n > 6 {
		t.Errorf("129 requests went in %d batches: %v", n, seen.batches)
	}
	if seen.calls["reserve ok"] != 130 || seen.calls["adjust ok"] != 1 {
		t.Errorf("calls: %v", seen.calls)
	}
}

// TestEndedContext does not send a request whose context ended while it waited, and says of one that
// was sent that its outcome is unknown.
func TestEndedContext(t *testing.T) {
	b, proxy := slow(t, Options{InFlightMax: 1})
	proxy.Delay(100 * time.Millisecond)
	ctx, cancel := context.WithCancel(b.ctx)
	var callers sync.WaitGroup
	answer := func(id string, want error) {
		callers.Go(func() {
			if _, err := b.store.Reserve(ctx, order(id, "1:TEE:1")); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", id, err, want)
			}
		})
	}
	answer("sent", context.Canceled)
	eventually(t, func() error {
		if b.store.Stats().InFlight[VerbReserve] == 0 {
			return errors.New("not in flight")
		}
		return nil
	})
	answer("waiting", context.Canceled)
	eventually(t, func() error {
		if b.store.Stats().Queued[VerbReserve] == 0 {
			return errors.New("not queued")
		}
		return nil
	})
	cancel()
	callers.Wait()
	proxy.Delay(0)
	if _, err := b.store.Reserve(ctx, order("ended", "1:TEE:1")); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	if result, err := b.store.Reserve(b.ctx, order("sent", "1:TEE:1")); err != nil || !result.Replay {
		t.Errorf("sent: %+v, %v: want a replay", result, err)
	}
	for _, id := range []string{"waiting", "ended"} {
		if _, err := b.store.Reservation(b.ctx, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v, want it never sent", id, err)
		}
	}
}

// TestQueueBound refuses what does not fit into the queue, at once.
func TestQueueBound(t *testing.T) {
	b, proxy := slow(t, Options{InFlightMax: 1, QueueMax: 4})
	proxy.Delay(100 * time.Millisecond)
	var mu sync.Mutex
	answers := map[string]int{}
	var callers sync.WaitGroup
	for i := range 50 {
		callers.Go(func() {
			_, err := b.store.Reserve(b.ctx, order(fmt.Sprint(i), "1:TEE:1"))
			mu.Lock()
			defer mu.Unlock()
			answers[Outcome(err)]++
		})
	}
	callers.Wait()
	proxy.Delay(0)
	if answers["ok"]+answers["unavailable"] != 50 || answers["unavailable"] == 0 || answers["ok"] < 4 {
		t.Errorf("answers: %v", answers)
	}
}

// TestClose finishes what was accepted, then refuses.
func TestClose(t *testing.T) {
	b, proxy := slow(t, Options{InFlightMax: 1})
	proxy.Delay(50 * time.Millisecond)
	var callers sync.WaitGroup
	for i := range 10 {
		callers.Go(func() {
			if _, err := b.store.Reserve(b.ctx, order(fmt.Sprint(i), "1:TEE:1")); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, func() error {
		if b.store.Stats().Queued[VerbReserve]+b.store.Stats().InFlight[VerbReserve] < 2 {
			return errors.New("not accepted yet")
		}
		return nil
	})
	eventually(t, func() error {
		if s := b.store.Stats(); s.Queued[VerbReserve] < 9 && s.InFlight[VerbReserve] > 0 {
			return errors.New("not all are accepted yet")
		}
		return nil
	})
	if err := b.store.Close(b.ctx); err != nil {
		t.Fatal(err)
	}
	callers.Wait()
	if _, err := b.store.Reserve(b.ctx, order("late", "1:TEE:1")); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

// TestClientThatRetries is refused: it would send scripts again by itself.
func TestClientThatRetries(t *testing.T) {
	c := client(t, "127.0.0.1:1")
	c.Options().MaxRetries = 3
	if _, err := New(c, Options{}); err == nil {
		t.Error("a client that retries was taken")
	}
}
