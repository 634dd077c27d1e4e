package pgtest

import "time"

const (
	backoffMin = time.Millisecond
	backoffMax = 50 * time.Millisecond
)

// backoff spaces the polls of something outside of this process, which can't signal.
type backoff struct{ pause time.Duration }

func newBackoff() *backoff { return &backoff{pause: backoffMin} }

func (b *backoff) next() <-chan time.Time {
	pause := b.pause
	b.pause = min(2*b.pause, backoffMax)
	return time.After(pause)
}

func (b *backoff) wait() { <-b.next() }
