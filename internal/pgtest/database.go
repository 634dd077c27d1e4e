package pgtest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// statementTimeout bounds making or dropping a database.
const statementTimeout = 30 * time.Second

var (
	sharedMu  sync.Mutex
	shared    *Server
	sharedErr error
	databases atomic.Int64 // made so far: the next one's name
)

// Database makes an empty database on the server shared by the tests of the binary, and returns its
// URL. It is dropped after the test, whoever is still connected. Tests may run in parallel.
//
// The server is durable, as Start's are: what a test of logic proves should hold on a server that
// may be run for real, and Holdfast refuses one with synchronous_commit off. A test that changes
// settings of the server, or ends it, starts its own.
//
// TestMain should end the server with Main. Without it, it dies with the binary but leaves its
// temporary directory.
func Database(tb testing.TB) string {
	tb.Helper()
	s, err := sharedServer()
	if err != nil {
		tb.Fatal(err)
	}
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if err := s.administer("create database " + name); err != nil {
		tb.Fatal(s.failure("create a database", err))
	}
	tb.Cleanup(func() {
		if err := s.administer("drop database if exists " + name + " with (force)"); err != nil {
			tb.Error(s.failure("drop a database", err))
		}
	})
	return s.url(name)
}

// Main runs the tests and then ends the shared server. It is for TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
// After it no goroutine of this package is left, so goleak.Find can follow.
func Main(m *testing.M) int {
	defer stopShared()
	return m.Run()
}

func sharedServer() (*Server, error) {
	sharedMu.Lock()
	defer sharedMu.Unlock()
	if shared == nil && sharedErr == nil {
		shared, sharedErr = launch(nil)
	}
	return shared, sharedErr
}

func stopShared() {
	sharedMu.Lock()
	defer sharedMu.Unlock()
	if shared != nil {
		shared.discard()
	}
	shared, sharedErr = nil, nil
	removeTemplate()
}

// administer runs one statement in the database postgres. It connects for each, so that a test's
// end waits for no other test.
func (s *Server) administer(statement string) error { return runStatements(s.URL(), statement) }

// Exec runs statements in the database of a URL.
func Exec(tb testing.TB, url, statements string) {
	tb.Helper()
	if err := runStatements(url, statements); err != nil {
		tb.Fatal(err)
	}
}

func runStatements(url, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}
