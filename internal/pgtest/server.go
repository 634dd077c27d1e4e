// Package pgtest starts private, real PostgreSQL servers for tests. Each runs on a free loopback port,
// in a temporary folder of its own, and ends with the test that started it.
//
// A test that kills, pauses or restarts its server calls Start, which takes about half a second. A
// test that only needs a database calls Database: an empty one on a server that the whole test binary
// shares, in about a tenth of a second. TestMain should call Main, which removes what they share.
package pgtest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/internal/testserver"
)

// superuser is the role that tests connect as. It needs no password.
const superuser = "test"

// Server is one PostgreSQL server of a test.
//
// Kill leaves the system's page cache intact: after Restart every commit is there, synced or not.
type Server struct{ *testserver.Server }

// Start starts a PostgreSQL server on a free loopback port and returns when it takes connections. It
// is durable, as in production: fsync and synchronous_commit are on. The settings follow the defaults
// and override them:
//
//	pgtest.Start(t, "fsync=off", "max_connections=200")
//
// The server and its folder are removed after the test. If PostgreSQL is not installed, the test
// fails.
func Start(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	return &Server{testserver.Start(tb, program(settings))}
}

// URL returns the address of the server's empty database postgres, for its superuser.
func (s *Server) URL() string { return s.url("postgres") }

func (s *Server) url(database string) string {
	return "postgres://" + superuser + "@" + s.Addr() + "/" + database + "?sslmode=disable"
}

func program(settings []string) testserver.Program {
	return testserver.Program{
		Name: "postgres", Users: users, Ports: 1,
		Prepare: copyTemplate,
		Command: func(s *testserver.Server) (*exec.Cmd, error) { return serverCommand(s, settings) },
		Ready:   ready,
		Free:    freeSharedMemory,
	}
}

func serverCommand(s *testserver.Server, settings []string) (*exec.Cmd, error) {
	defaults := []string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=" + s.Dir,
		"max_connections=100", "shared_buffers=16MB",
		"fsync=on", "synchronous_commit=on",
		// Files in the data folder: a killed server leaves nothing elsewhere.
		"dynamic_shared_memory_type=mmap",
	}
	args := []string{"-D", data(s.Dir), "-p", strconv.Itoa(s.Port)}
	for _, setting := range append(defaults, settings...) {
		args = append(args, "-c", setting)
	}
	return command("postgres", args...)
}

// ready checks what the postmaster writes about itself: the first line of a file is its process id,
// and the eighth becomes "ready" once it takes connections.
func ready(_ context.Context, s *testserver.Server, pid int) error {
	lines := pidFile(s.Dir)
	if len(lines) < 8 || lines[0] != strconv.Itoa(pid) || strings.TrimSpace(lines[7]) != "ready" {
		return errors.New("postmaster.pid does not say that it is ready")
	}
	return nil
}

// freeSharedMemory removes the small segment of shared memory that marks a data folder as used. A
// killed server leaves it for the next one in that folder. There is none, and the system would keep
// the segment forever.
func freeSharedMemory(dir string) {
	lines := pidFile(dir)
	if len(lines) < 7 {
		return
	}
	if fields := strings.Fields(lines[6]); len(fields) == 2 { // key and id
		_ = exec.Command("ipcrm", "-m", fields[1]).Run()
	}
}

func pidFile(dir string) []string {
	text, _ := os.ReadFile(filepath.Join(data(dir), "postmaster.pid")) // missing until it starts
	return strings.Split(string(text), "\n")
}

func data(dir string) string { return filepath.Join(dir, "data") }
