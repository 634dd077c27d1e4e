package testserver

import "time"

const (
	backoffMin = time.Millisecond
	backoffMax = 50 * time.Millisecond
)

// Backoff spaces the polls of something outside of this process, which can't signal.
type Backoff struct{ pause time.Duration }

// NewBackoff begins with the shortest pause.
func NewBackoff() *Backoff { return &Backoff{pause: backoffMin} }

// Next fires after a pause; the one after it is longer.
func (b *Backoff) Next() <-chan time.Time {
	pause := b.pause
	b.pause = min(2*b.pause, backoffMax)
	return time.After(pause)
}

// Wait waits for Next.
func (b *Backoff) Wait() { <-b.Next() }
