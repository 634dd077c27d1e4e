package redistest

import (
	"fmt"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/testserver"
)

// Server is one redis-server process of a test. Its methods are safe for concurrent use, in any
// goroutine of the test; what goes wrong in them fails the test without stopping it.
type Server struct {
	tb      testing.TB
	dir     string
	port    int
	args    []string
	cluster bool

	mu      sync.Mutex
	process *process // nil after Kill
}

// Start starts a redis-server on a free loopback port and returns when it answers. It persists
// nothing by default. args are command line options put after the defaults, so they win:
//
//	redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
//
// The server and its directory are gone after the test. A missing redis-server fails the test.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	return start(tb, args, false)
}

func start(tb testing.TB, args []string, cluster bool) *Server {
	tb.Helper()
	s, err := launch(args, cluster)
	if err != nil {
		tb.Fatal(err)
	}
	s.tb = tb
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("log of redis-server on %s:\n%s", s.Addr(), s.log())
		}
		s.discard()
	})
	return s
}

// Addr is the server's address, "127.0.0.1:port".
func (s *Server) Addr() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// URL is the server's address as Redis clients take it, "redis://127.0.0.1:port".
func (s *Server) URL() string { return "redis://" + s.Addr() }

// Pid is the process id of the running server, 0 after Kill.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.Pid
}

// Kill ends the server as a crash would (SIGKILL) and returns when it is gone. Killing a server
// that is not running does nothing.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
}

// Restart starts the server again on the same port and in the same directory, with the same
// options, killing it first if it runs. It returns when the server has loaded what it had
// persisted and answers.
func (s *Server) Restart() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
	if err := s.begin(); err != nil {
		s.tb.Error(err)
	}
}

// Pause stops the server (SIGSTOP): connections stay open, new ones are accepted by the kernel, and
// nothing is answered. It returns when the server has stopped.
func (s *Server) Pause() {
	s.tb.Helper()
	s.signal(syscall.SIGSTOP)
}

// Resume lets a paused server go on (SIGCONT). It then runs what it was sent meanwhile, also for
// clients that have given up.
func (s *Server) Resume() {
	s.tb.Helper()
	s.signal(syscall.SIGCONT)
}

func (s *Server) signal(sig syscall.Signal) {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		s.tb.Errorf("redis-server on %s: %v: it is not running", s.Addr(), sig)
		return
	}
	if err := s.process.signal(sig); err != nil {
		s.tb.Errorf("redis-server on %s: %v: %v", s.Addr(), sig, err)
		return
	}
	if sig != syscall.SIGSTOP {
		return
	}
	// The kernel stops the process some time after the call, often in the middle of a command.
	deadline := time.Now().Add(startTimeout)
	for b := testserver.NewBackoff(); !testserver.Stopped(s.process.Pid); b.Wait() {
		if time.Now().After(deadline) {
			s.tb.Errorf("redis-server on %s did not stop", s.Addr())
			return
		}
	}
}

func (s *Server) end() {
	if s.process != nil {
		s.process.kill()
		s.process = nil
	}
}

func (s *Server) failure(doing string, err error) error {
	return fmt.Errorf("redis-server on %s: %s: %w\n%s", s.Addr(), doing, err, s.log())
}
