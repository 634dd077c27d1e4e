package reconciletest

import (
	"sync"
	"testing"
	"time"
)

// StopAt stops a reconciler at a point, the first time it comes there, until it is let go: as SIGSTOP
// stops a process, with its connections open.
type StopAt struct {
	name    string
	reached chan struct{}
	resume  chan struct{}
	once    sync.Once
}

func NewStop(tb testing.TB, name string) *StopAt {
	s := &StopAt{name: name, reached: make(chan struct{}), resume: make(chan struct{})}
	tb.Cleanup(s.LetGo)
	return s
}

func (s *StopAt) Point(name string) {
	if name == s.name {
		s.once.Do(func() {
			close(s.reached)
			<-s.resume
		})
	}
}

func (s *StopAt) LetGo() {
	select {
	case <-s.resume:
	default:
		close(s.resume)
	}
}

// Wait waits until it has stopped.
func (s *StopAt) Wait(t *testing.T) {
	t.Helper()
	select {
	case <-s.reached:
	case <-time.After(10 * time.Second):
		t.Fatalf("it does not come to %q", s.name)
	}
}
