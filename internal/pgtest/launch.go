package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/holdfast/holdfast/internal/testserver"
)

const (
	// startTimeout bounds everything that is waited for: a start with recovery, a stop.
	startTimeout = 30 * time.Second
	// startAttemptsMax is how many ports are tried: between finding a free port and the server
	// taking it, the server of another test binary may have taken it.
	startAttemptsMax = 10
	// restartPatience is how long a restart is tried again: what is left of a killed server can
	// hold its shared memory for a second or two.
	restartPatience = 5 * time.Second

	dataName = "data"
	logName  = "postgres.log"
)

// launch makes a directory and a server in it. The caller discards it.
func launch(settings []string) (*Server, error) {
	user, err := serverUser()
	if err != nil {
		return nil, err
	}
	dir, err := testserver.Dir("holdfast-postgres-", user)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, settings: settings}
	err = copyTemplate(s.data(), user)
	for range startAttemptsMax {
		if err != nil {
			break
		}
		if s.port, err = testserver.FreePort(1); err != nil {
			break
		}
		if err = s.begin(); err == nil {
			return s, nil
		}
		if testserver.PortsFree(s.port, 1) {
			break // the port was not the trouble, so another one is no cure
		}
		err = nil
	}
	s.discard()
	if err == nil {
		err = fmt.Errorf("postgres: no port after %d attempts", startAttemptsMax)
	}
	return nil, err
}

// begin starts the process and waits until it takes connections.
func (s *Server) begin() error {
	p, err := spawn(s.dir, s.commandLine())
	if err != nil {
		return err
	}
	if err := s.await(p); err != nil {
		return s.failure("start", errors.Join(err, p.kill()))
	}
	s.process = p
	return nil
}

// beginAgain starts the process where another one ended a moment ago.
func (s *Server) beginAgain() error {
	deadline := time.Now().Add(restartPatience)
	for b := testserver.NewBackoff(); ; b.Wait() {
		err := s.begin()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func (s *Server) commandLine() []string {
	line := []string{"-D", s.data(), "-p", strconv.Itoa(s.port)}
	defaults := []string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=" + s.dir,
		"max_connections=100", "shared_buffers=16MB",
		"fsync=on", "synchronous_commit=on",
		// Files in the data directory: a killed server leaves nothing elsewhere.
		"dynamic_shared_memory_type=mmap",
	}
	for _, setting := range append(defaults, s.settings...) {
		line = append(line, "-c", setting)
	}
	return line
}

// await polls until the server takes connections, and gives up when the process ends.
func (s *Server) await(p *process) error {
	timeout := time.After(startTimeout)
	for b := testserver.NewBackoff(); !s.ready(p); {
		select {
		case <-p.Exited:
			return errors.New("it ended by itself")
		case <-timeout:
			return fmt.Errorf("not ready after %v", startTimeout)
		case <-b.Next():
		}
	}
	return nil
}

// ready reads what the postmaster says of itself: its process id in the first line of a file, and
// in the eighth "ready" once it takes connections.
func (s *Server) ready(p *process) bool {
	lines := s.pidFile()
	return len(lines) >= 8 && lines[0] == strconv.Itoa(p.Pid) && strings.TrimSpace(lines[7]) == "ready"
}

func (s *Server) pidFile() []string {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return nil
	}
	return strings.Split(string(text), "\n")
}

// discard ends the server without a checkpoint and removes what it has left.
func (s *Server) discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		_ = s.process.shutdown(syscall.SIGQUIT)
		s.process = nil
	}
	s.freeMemory()
	_ = os.RemoveAll(s.dir) // a leftover in the temporary folder is no reason to fail a test
}

// freeMemory removes the small segment of shared memory by which PostgreSQL knows that a data
// directory is in use. A killed server leaves it until the next one starts there, and there will be
// none: the system would keep it for ever, and has room for some thousands.
func (s *Server) freeMemory() {
	lines := s.pidFile() // there is none after an orderly end
	if len(lines) < 7 {
		return
	}
	if fields := strings.Fields(lines[6]); len(fields) == 2 { // key and id
		_ = exec.Command("ipcrm", "-m", fields[1]).Run()
	}
}

func (s *Server) data() string { return filepath.Join(s.dir, dataName) }

func (s *Server) log() string {
	text, err := os.ReadFile(filepath.Join(s.dir, logName))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (s *Server) failure(doing string, err error) error {
	return fmt.Errorf("postgres on %s: %s: %w\n%s", s.Addr(), doing, err, s.log())
}
