package reconciletest

import (
	"sync"
	"testing"
	"time"
)

// StopAt pauses a reconciler the first time it reaches a point, until LetGo. Its connections stay
// open, as when SIGSTOP pauses a process.
type StopAt struct {
	name    string
	reached chan struct{}
	resume  chan struct{}
	once    sync.Once
}

// NewStop returns a StopAt for a point. The end of the test lets it go.
func NewStop(tb testing.TB, name string) *StopAt {
	s := &StopAt{name: name, reached: make(chan struct{}), resume: make(chan struct{})}
	tb.Cleanup(s.LetGo)
	return s
}

// Point is the test hook to set; it blocks at the point.
func (s *StopAt) Point(name string) {
	if name == s.name {
		s.once.Do(func() {
			close(s.reached)
			<-s.resume
		})
	}
}

// LetGo lets the reconciler go on. It is safe to repeat.
func (s *StopAt) LetGo() {
	select {
	case <-s.resume:
	default:
		close(s.resume)
	}
}

// Wait waits until the reconciler has stopped at the point.
func (s *StopAt) Wait(t *testing.T) {
	t.Helper()
	select {
	case <-s.reached:
	case <-time.After(10*time.Second + Busy):
		t.Fatalf("the reconciler does not reach %q", s.name)
	}
}
