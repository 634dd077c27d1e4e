package bench

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestStallIsMeasured stalls one call for 100 ms while another is due every millisecond. With a
// rate, all of them are late, not only the one.
func TestStallIsMeasured(t *testing.T) {
	var first sync.Once
	stall := func(context.Context, int, int64) (outcome, error) {
		first.Do(func() { time.Sleep(100 * time.Millisecond) })
		return accepted, nil
	}
	counted, _ := load{callers: 1, rate: 1000, duration: 200 * time.Millisecond}.run(t.Context(), stall)
	late := int64(0)
	for _, bar := range counted.latency[accepted].Distribution() {
		if bar.From >= 20_000 { // µs
			late += bar.Count
		}
	}
	if counted.count[accepted] != 200 || late < 60 { // of the hundred calls that were due during the stall
		t.Errorf("%d of %d calls were late", late, counted.count[accepted])
	}
}

// TestRateTooHigh checks that calls which no caller could send are given up and their waits
// counted.
func TestRateTooHigh(t *testing.T) {
	t.Parallel()
	slow := func(context.Context, int, int64) (outcome, error) {
		time.Sleep(50 * time.Millisecond)
		return refused, nil
	}
	counted, took := load{callers: 2, rate: 1000, duration: 100 * time.Millisecond}.run(t.Context(), slow)
	if counted.answered()+counted.unsent != 100 || counted.unsent < 40 {
		t.Errorf("%d answered and %d unsent of 100", counted.answered(), counted.unsent)
	}
	if took < lateMax {
		t.Errorf("it gave up after %v", took)
	}
	if got := percentile(counted.latencies(refused), 50); got < 900 {
		t.Errorf("p50 is %v ms, though most calls were never sent", got)
	}
}

// TestClosedLoop checks that every call is sent once, and none beyond the limit.
func TestClosedLoop(t *testing.T) {
	var mu sync.Mutex
	var sent []int64
	odd := errors.New("odd")
	counted, _ := load{callers: 8, duration: time.Minute, calls: 1000}.run(t.Context(), func(_ context.Context, _ int, i int64) (outcome, error) {
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, i)
		if i%10 == 0 {
			return 0, odd
		}
		return outcome(i % 3), nil
	})
	slices.Sort(sent)
	for i, n := range sent {
		if n != int64(i) {
			t.Fatalf("call %d was sent as number %d", n, i)
		}
	}
	if len(sent) != 1000 || counted.failed != 100 || counted.answered() != 900 || !errors.Is(counted.failure, odd) {
		t.Errorf("%d sent, %d failed, %d answered, %v", len(sent), counted.failed, counted.answered(), counted.failure)
	}
}

// TestInterrupted checks that a cancelled load stops at once.
func TestInterrupted(t *testing.T) {
	for _, rate := range []float64{0, 100} {
		ctx, cancel := context.WithCancel(t.Context())
		var calls atomic.Int64
		_, took := load{callers: 4, rate: rate, duration: time.Minute}.run(ctx, func(context.Context, int, int64) (outcome, error) {
			if calls.Add(1) == 4 {
				cancel()
			}
			return accepted, nil
		})
		if cancel(); took > 10*time.Second {
			t.Errorf("rate %v: it went on for %v", rate, took)
		}
	}
}
