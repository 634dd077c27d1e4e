package pgtest

import (
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// Server is one PostgreSQL server of a test. Its methods are safe for concurrent use, in any
// goroutine of the test; what goes wrong in them fails the test without stopping it.
type Server struct {
	tb       testing.TB
	dir      string
	port     int
	settings []string

	mu      sync.Mutex
	process *process // nil after Kill and Stop
}

// Start starts a PostgreSQL server on a free loopback port and returns when it takes connections. It
// is durable, as a real one should be: fsync and synchronous_commit are on. settings are put after
// the defaults, so they win:
//
//	pgtest.Start(t, "fsync=off", "max_connections=200")
//
// The server and its directory are gone after the test. A missing PostgreSQL fails the test.
func Start(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	s, err := launch(settings)
	if err != nil {
		tb.Fatal(err)
	}
	s.tb = tb
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("log of postgres on %s:\n%s", s.Addr(), s.log())
		}
		s.discard()
	})
	return s
}

// Addr is the server's address, "127.0.0.1:port".
func (s *Server) Addr() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// URL is the address of the server's database postgres, which is empty, for its superuser.
func (s *Server) URL() string { return s.url("postgres") }

func (s *Server) url(database string) string {
	return "postgres://" + superuser + "@" + s.Addr() + "/" + database + "?sslmode=disable"
}

// Pid is the process id of the running postmaster, 0 after Kill and Stop.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.Pid
}

// Kill ends the server as a crash of its machine would (SIGKILL, to the postmaster and all its
// children) and returns when all are gone. The system's page cache survives, so a commit is there
// after Restart whether or not it was synced. Killing a server that is not running does nothing.
func (s *Server) Kill() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
}

// Stop shuts the server down in order (PostgreSQL's fast mode: transactions under way are rolled
// back, their clients disconnected) and returns when it is gone. Stopping a server that is not
// running does nothing.
func (s *Server) Stop() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	if err := s.process.shutdown(syscall.SIGINT); err != nil {
		s.tb.Error(s.failure("stop", err))
	}
	s.process = nil
}

// Restart starts the server again on the same port and in the same directory, with the same
// settings, killing it first if it runs. It returns when the server has recovered and takes
// connections.
func (s *Server) Restart() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
	if err := s.beginAgain(); err != nil {
		s.tb.Error(err)
	}
}

// Pause stops the server, the postmaster and all its children (SIGSTOP): connections stay open, new
// ones are accepted by the kernel, and nothing is answered. It returns when all have stopped.
func (s *Server) Pause() {
	s.tb.Helper()
	s.suspend("pause", (*process).freeze)
}

// Resume lets a paused server go on (SIGCONT). It then runs what it was sent meanwhile, also for
// clients that have given up.
func (s *Server) Resume() {
	s.tb.Helper()
	s.suspend("resume", (*process).thaw)
}

func (s *Server) suspend(doing string, how func(*process) error) {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		s.tb.Errorf("postgres on %s: %s: it is not running", s.Addr(), doing)
		return
	}
	if err := how(s.process); err != nil {
		s.tb.Error(s.failure(doing, err))
	}
}

func (s *Server) end() {
	s.tb.Helper()
	if s.process == nil {
		return
	}
	if err := s.process.kill(); err != nil {
		s.tb.Error(s.failure("kill", err))
	}
	s.process = nil
}
