package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/internal/testserver"
)

// statementTimeout bounds each call of Exec, and making or dropping a database.
const statementTimeout = time.Minute

var (
	shared      *Server // nil until startShared
	startShared = sync.OnceValue(func() error {
		s, err := testserver.Launch(program(nil))
		if err == nil {
			shared = &Server{s}
		}
		return err
	})
	databases atomic.Int64 // made so far; numbers the next one
)

// Database makes an empty database on the server that the tests of the binary share, and returns its
// URL. The database is dropped after the test, even if somebody is connected. Tests may run in
// parallel.
//
// The server is durable, as those of Start are: Holdfast refuses one with synchronous_commit off. A
// test that changes the server's settings, or ends it, starts its own.
//
// TestMain should call Main. Otherwise the server's temporary folder stays.
func Database(tb testing.TB) string {
	tb.Helper()
	return makeFor(tb, "template1")
}

// CopyDatabase makes a copy of the database at url, which KeptDatabase has made, and returns its URL. The
// copy is dropped after the test. If somebody is connected to the original, it fails after 5 seconds.
func CopyDatabase(tb testing.TB, url string) string {
	tb.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		tb.Fatal(err)
	}
	return makeFor(tb, config.Database)
}

// KeptDatabase makes an empty database on the shared server, for several tests. It stays until Main ends
// the server.
func KeptDatabase() (url string, err error) {
	name, err := makeFrom("template1")
	if err != nil {
		return "", err
	}
	return shared.url(name), nil
}

func makeFor(tb testing.TB, original string) (url string) {
	tb.Helper()
	name, err := makeFrom(original)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := runStatements(shared.URL(), "drop database if exists "+name+" with (force)"); err != nil {
			tb.Errorf("drop a database: %v\n%s", err, shared.Log())
		}
	})
	return shared.url(name)
}

func makeFrom(original string) (name string, err error) {
	if err := startShared(); err != nil {
		return "", err
	}
	name = fmt.Sprintf("test_%d", databases.Add(1))
	if err := runStatements(shared.URL(), "create database "+name+" template "+original); err != nil {
		return "", fmt.Errorf("create a database: %w\n%s", err, shared.Log())
	}
	return name, nil
}

// Main runs the tests and then ends the shared server. It is for TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
// It leaves no goroutine of this package behind, so goleak.Find can follow.
func Main(m *testing.M) int {
	defer func() {
		if shared != nil {
			shared.Discard()
		}
		if template != "" {
			_ = os.RemoveAll(template)
		}
	}()
	return m.Run()
}

// Exec runs statements in the database at url.
func Exec(tb testing.TB, url, statements string) {
	tb.Helper()
	if err := runStatements(url, statements); err != nil {
		tb.Fatal(err)
	}
}

// runStatements uses a connection of its own, so that no test waits for another.
func runStatements(url, statements string) error {
	ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statements)
	return err
}
