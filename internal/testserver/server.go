// Package testserver launches the servers that tests need. Each server runs on free loopback ports,
// in a temporary folder of its own, and ends with its test or with the test binary.
//
// Packages redistest and pgtest describe their server as a Program; this package does the rest.
package testserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// startAttemptsMax is how many ports Launch tries. The server of another test binary can take a
	// port after freePort has found it free.
	startAttemptsMax = 10
	// restartTimeout is how long Restart tries again. The children of a killed PostgreSQL can hold
	// its shared memory for a second or two.
	restartTimeout = 5 * time.Second

	logName = "server.log"
)

// Program describes a server to the launcher.
type Program struct {
	Name  string   // used in messages and in the folder's name
	Users []string // candidates for the account that runs it if the tests run as root
	Ports int      // how many consecutive ports it needs

	// Prepare fills the folder before the first start. It may be nil.
	Prepare func(dir string) error
	// Command returns the command that runs s in the foreground.
	Command func(s *Server) (*exec.Cmd, error)
	// Ready returns nil once the process with this pid serves, and what is missing until then. It
	// must not mistake another server on the same port for this one.
	Ready func(ctx context.Context, s *Server, pid int) error
	// Free removes what a killed server leaves outside its folder. It may be nil.
	Free func(dir string)
}

// Server is a server process of a test. Its methods are safe for concurrent use, in any goroutine of
// the test. A method that fails marks the test as failed without stopping it.
type Server struct {
	Dir  string // the folder of its data and its log
	Port int    // the first of its ports

	program Program
	user    *syscall.Credential
	tb      testing.TB // nil if tests share the server

	mu      sync.Mutex
	process *Process // nil while the server does not run
}

// Start launches a server that ends with the test. If the test fails, it logs the server's log.
func Start(tb testing.TB, program Program) *Server {
	tb.Helper()
	s, err := Launch(program)
	if err != nil {
		tb.Fatal(err)
	}
	s.tb = tb
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("log of %s on %s:\n%s", s.program.Name, s.Addr(), s.Log())
		}
		s.Discard()
	})
	return s
}

// Launch launches a server that several tests share and returns when it is ready. The caller must
// discard it. Kill, Restart, Pause and Resume need a server from Start.
func Launch(program Program) (*Server, error) {
	user, err := User(program.Users...)
	if err != nil {
		return nil, err
	}
	dir, err := Dir("holdfast-"+program.Name+"-", user)
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir, program: program, user: user}
	if err := s.startOnfreePort(); err != nil {
		s.Discard()
		return nil, err
	}
	return s, nil
}

func (s *Server) startOnfreePort() error {
	if s.program.Prepare != nil {
		if err := s.program.Prepare(s.Dir); err != nil {
			return err
		}
	}
	for range startAttemptsMax {
		var err error
		if s.Port, err = freePort(s.program.Ports); err != nil {
			return err
		}
		if err = s.StartOnPort(); err == nil {
			return nil
		}
		if portsFree(s.Port, s.program.Ports) {
			return err // the port is not the cause, so another port would not help
		}
	}
	return fmt.Errorf("%s: no free port after %d attempts", s.program.Name, startAttemptsMax)
}

// StartOnPort starts a server that does not run on its present port and waits until it is ready.
func (s *Server) StartOnPort() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.start()
}

func (s *Server) start() error {
	cmd, err := s.program.Command(s)
	if err != nil {
		return err
	}
	cmd.Dir = s.Dir
	p, err := Spawn(cmd, filepath.Join(s.Dir, logName), s.user)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	inTime := Await(func() bool {
		err = s.program.Ready(ctx, s, p.Pid)
		return err == nil || p.Gone()
	})
	if err == nil {
		s.process = p
		return nil
	}
	switch {
	case p.Gone():
		err = errors.New("the process ended by itself")
	case !inTime:
		err = fmt.Errorf("not ready after %v: %w", Timeout, err)
	}
	return s.failure("start", errors.Join(err, p.kill()))
}

// Addr returns the server's address, "127.0.0.1:port".
func (s *Server) Addr() string { return "127.0.0.1:" + strconv.Itoa(s.Port) }

// Pid returns the process id of the running server, or 0 after Kill.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.Pid
}

// Log returns everything the server has logged.
func (s *Server) Log() string {
	text, err := os.ReadFile(filepath.Join(s.Dir, logName))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Kill ends the server and its children as a crash of the machine would (SIGKILL) and returns when
// all are gone. What the server wrote to its files stays, synced or not. Killing a server that does
// not run does nothing.
func (s *Server) Kill() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Report("kill", s.end())
}

// Restart kills the server if it runs, and starts it on the same port, in the same folder and with
// the same options. It returns when the server has loaded its data and is ready.
func (s *Server) Restart() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Report("kill", s.end())
	var err error
	if !poll(restartTimeout, func() bool { err = s.start(); return err == nil }) {
		s.tb.Error(err)
	}
}

// Pause stops the server and its children (SIGSTOP) and returns when all have stopped. Connections
// stay open, the kernel accepts new ones, and nothing is answered.
func (s *Server) Pause() {
	s.tb.Helper()
	s.suspend("pause", (*Process).pause)
}

// Resume lets a paused server go on (SIGCONT). The server then runs the requests it received in the
// meantime, even if their clients have given up.
func (s *Server) Resume() {
	s.tb.Helper()
	s.suspend("resume", (*Process).resume)
}

func (s *Server) suspend(doing string, change func(*Process) error) {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	err := errors.New("the server does not run")
	if s.process != nil {
		err = change(s.process)
	}
	s.Report(doing, err)
}

// Discard kills the server and removes its folder.
func (s *Server) Discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.end()
	if s.program.Free != nil {
		s.program.Free(s.Dir)
	}
	_ = os.RemoveAll(s.Dir) // leftovers in the temporary folder are no reason to fail a test
}

// end kills the process. It needs s.mu.
func (s *Server) end() error {
	if s.process == nil {
		return nil
	}
	p := s.process
	s.process = nil
	return p.kill()
}

// Report marks the test as failed and says what failed, unless err is nil.
func (s *Server) Report(doing string, err error) {
	s.tb.Helper()
	if err != nil {
		s.tb.Error(s.failure(doing, err))
	}
}

func (s *Server) failure(doing string, err error) error {
	return fmt.Errorf("%s on %s: %s: %w\n%s", s.program.Name, s.Addr(), doing, err, s.Log())
}
