// Package breaker holds a circuit breaker. While a server is down, calls fail at once instead of
// waiting for it, and one call per interval finds out whether it is back.
package breaker

import (
	"sync/atomic"
	"time"
)

// Breaker remembers whether a server answered last. It is safe for concurrent use.
type Breaker struct {
	every time.Duration
	down  atomic.Bool
	retry atomic.Int64 // while down: when the next call may probe, Unix ns
}

// New returns a Breaker for a server that is up. While the server is down, Allow lets one call per
// interval through.
func New(every time.Duration) *Breaker { return &Breaker{every: every} }

// Healthy reports whether the server answered the last recorded call.
func (b *Breaker) Healthy() bool { return !b.down.Load() }

// Allow reports whether the caller may call the server: always if it is healthy, else if no other
// call has probed it within the interval.
func (b *Breaker) Allow() bool {
	if b.Healthy() {
		return true
	}
	now, at := time.Now().UnixNano(), b.retry.Load()
	return now >= at && b.retry.CompareAndSwap(at, now+int64(b.every))
}

// Record records the result of a call. An error means that the server is down.
func (b *Breaker) Record(err error) {
	if err != nil {
		b.retry.Store(time.Now().Add(b.every).UnixNano())
	}
	b.down.Store(err != nil)
}
