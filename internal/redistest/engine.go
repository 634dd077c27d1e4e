package redistest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Engine is something that speaks Redis and runs the scripts: all give the same answers.
type Engine struct {
	Name   string                // miniredis, redis or cluster: the name of the subtest
	Addr   string                // for a client with other options than Client's
	Client redis.UniversalClient // never repeats a command; closed with the binary, not by tests
	Real   bool                  // a redis-server; false for miniredis
	Flush  func(tb testing.TB)   // empties the data; loaded scripts stay, as FLUSHALL leaves them
}

var (
	sharedMu     sync.Mutex
	sharedMade   bool
	sharedSet    []Engine
	sharedErr    error
	sharedClosed []func() // what ends the shared engines
)

// Engines are a miniredis, a redis-server and a one-node cluster. They are started at the first
// call (about two seconds) and shared by the tests of the binary, which therefore don't run them
// in parallel; a test that changes more than data (its configuration, say) starts its own.
//
// TestMain should end them with Main. Without it they die with the binary but leave their
// temporary directories.
func Engines(tb testing.TB) []Engine {
	tb.Helper()
	sharedMu.Lock()
	defer sharedMu.Unlock()
	if !sharedMade {
		sharedMade = true
		sharedSet, sharedErr = startEngines()
	}
	if sharedErr != nil {
		tb.Fatal(sharedErr)
	}
	return sharedSet
}

// EachEngine runs test as a subtest on each engine, emptied before.
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
// After it no goroutine of this package is left, so goleak.Find can follow.
func Main(m *testing.M) int {
	defer stopEngines()
	return m.Run()
}

func startEngines() ([]Engine, error) {
	fake, fakeErr := startFake()
	server, serverErr := startShared()
	cluster, clusterErr := startSharedCluster()
	if err := errors.Join(fakeErr, serverErr, clusterErr); err != nil {
		return nil, err
	}
	return []Engine{fake, server, cluster}, nil
}

func stopEngines() {
	sharedMu.Lock()
	defer sharedMu.Unlock()
	for _, end := range sharedClosed {
		end()
	}
	sharedMade, sharedSet, sharedErr, sharedClosed = false, nil, nil, nil
}

func startFake() (Engine, error) {
	fake, err := miniredis.Run()
	if err != nil {
		return Engine{}, err
	}
	client := redis.NewClient(options(fake.Addr()))
	return share("miniredis", false, fake.Addr(), client, fake.Close), nil
}

func startShared() (Engine, error) {
	s, err := launch(nil, false)
	if err != nil {
		return Engine{}, err
	}
	return share("redis", true, s.Addr(), redis.NewClient(options(s.Addr())), s.discard), nil
}

func startSharedCluster() (Engine, error) {
	s, err := launch(nil, true)
	if err != nil {
		return Engine{}, err
	}
	if err := (&Cluster{s}).form(); err != nil {
		s.discard()
		return Engine{}, err
	}
	client := redis.NewClusterClient(clusterOptions(s.Addr()))
	return share("cluster", true, s.Addr(), client, s.discard), nil
}

// share makes an engine and notes how to end it.
func share(name string, real bool, addr string, client redis.UniversalClient, end func()) Engine {
	sharedClosed = append(sharedClosed, func() {
		_ = client.Close()
		end()
	})
	flush := func(tb testing.TB) {
		tb.Helper()
		if err := client.FlushAll(context.Background()).Err(); err != nil {
			tb.Fatalf("empty %s: %v", name, err)
		}
	}
	return Engine{Name: name, Addr: addr, Client: client, Real: real, Flush: flush}
}
