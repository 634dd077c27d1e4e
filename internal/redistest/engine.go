package redistest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/testserver"
)

// Engine is a server that speaks Redis and runs the scripts. All engines give the same answers.
type Engine struct {
	Name   string                // miniredis, redis or cluster: the name of the subtest
	Addr   string                // for a client with options other than Client's
	Client redis.UniversalClient // never repeats a command; Main closes it, not a test
	Real   bool                  // a redis-server; false for miniredis
	Flush  func(tb testing.TB)   // empties the data and keeps loaded scripts, as FLUSHALL does
}

var (
	startEngines = sync.OnceValues(func() ([]Engine, error) {
		var engines []Engine
		fake, err := miniredis.Run()
		if err == nil {
			engines = append(engines, share("miniredis", fake.Addr(), redis.NewClient(options(fake.Addr()).Simple()), fake.Close))
		}
		server, serverErr := testserver.Launch(program(nil, false))
		if serverErr == nil {
			engines = append(engines, share("redis", server.Addr(), redis.NewClient(options(server.Addr()).Simple()), server.Discard))
		}
		cluster, clusterErr := testserver.Launch(program(nil, true))
		if clusterErr == nil {
			engines = append(engines, share("cluster", cluster.Addr(), redis.NewClusterClient(options(cluster.Addr()).Cluster()), cluster.Discard))
		}
		return engines, errors.Join(err, serverErr, clusterErr)
	})
	stopEngines []func() // ends each engine that was started
)

// share returns an engine that Main stops.
func share(name, addr string, client redis.UniversalClient, stop func()) Engine {
	stopEngines = append(stopEngines, func() {
		_ = client.Close()
		stop()
	})
	flush := func(tb testing.TB) {
		tb.Helper()
		if err := client.FlushAll(context.Background()).Err(); err != nil {
			tb.Fatalf("empty %s: %v", name, err)
		}
	}
	return Engine{Name: name, Addr: addr, Client: client, Real: name != "miniredis", Flush: flush}
}

// Engines returns a miniredis, a redis-server and a one-node cluster. The first call starts them,
// which takes about two seconds. All tests of the binary share them, so those tests do not run in
// parallel. A test that changes more than data, such as the configuration, starts its own server.
//
// TestMain should call Main. Otherwise the temporary folders of the servers stay.
func Engines(tb testing.TB) []Engine {
	tb.Helper()
	engines, err := startEngines()
	if err != nil {
		tb.Fatal(err)
	}
	return engines
}

// EachEngine runs test as a subtest on each engine, which it empties first.
func EachEngine(t *testing.T, test func(t *testing.T, e Engine)) {
	t.Helper()
	for _, e := range Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			e.Flush(t)
			test(t, e)
		})
	}
}

// Main runs the tests and then ends the shared engines. It is for TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }
//
// It leaves no goroutine of this package behind, so goleak.Find can follow.
func Main(m *testing.M) int {
	defer func() {
		for _, stop := range stopEngines {
			stop()
		}
	}()
	return m.Run()
}
