package breaker

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestBreaker checks that a healthy server gets all calls, and one that is down gets one call per
// interval.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(time.Second)
		expect := func(what string, healthy bool, allowed int64) {
			t.Helper()
			if got, n := b.Healthy(), allowedOf(b, 8); got != healthy || n != allowed {
				t.Errorf("%s: healthy %v, %d of 8 calls allowed; want %v, %d", what, got, n, healthy, allowed)
			}
		}
		expect("at first", true, 8)
		b.Record(errors.New("refused"))
		expect("after a failure", false, 0)
		time.Sleep(time.Second)
		expect("an interval later", false, 1)
		expect("at the same moment", false, 0)
		time.Sleep(time.Second)
		expect("another interval later", false, 1)
		b.Record(nil)
		expect("after a success", true, 8)
	})
}

// allowedOf counts how many of n concurrent calls b allows.
func allowedOf(b *Breaker, n int) int64 {
	var allowed atomic.Int64
	var calls sync.WaitGroup
	for range n {
		calls.Go(func() {
			if b.Allow() {
				allowed.Add(1)
			}
		})
	}
	calls.Wait()
	return allowed.Load()
}
