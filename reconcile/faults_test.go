package reconcile_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// stage is a rig with a Postgres server of its own, which a test may kill.
type stage struct {
	*reconciletest.Rig
	postgres *pgtest.Server
	sizes    []int64 // of the append-only file, one every 50 ms
	sampled  chan struct{}
	done     chan struct{}
}

func newStage(tb testing.TB, redisArgs ...string) *stage {
	tb.Helper()
	database := pgtest.Start(tb)
	pool, err := pgxpool.New(tb.Context(), database.URL())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(pool.Close)
	if _, err := postgres.Migrate(tb.Context(), pool); err != nil {
		tb.Fatal(err)
	}
	r := &reconciletest.Rig{TB: tb, Redis: redistest.Start(tb, append(persistent, redisArgs...)...), Pool: pool}
	s := &stage{Rig: r, postgres: database, sampled: make(chan struct{}), done: make(chan struct{})}
	go s.sample()
	tb.Cleanup(s.stopSampling)
	return s
}

// sample records the size of the append-only file.
func (s *stage) sample() {
	defer close(s.sampled)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.sizes = append(s.sizes, s.Redis.AppendOnlySize())
		case <-s.done:
			return
		}
	}
}

func (s *stage) stopSampling() {
	select {
	case <-s.done:
	default:
		close(s.done)
		<-s.sampled
	}
}

// powerLoss kills Redis and drops what it wrote in its last second.
func (s *stage) powerLoss() {
	s.stopSampling()
	s.Redis.Kill()
	now := s.Redis.AppendOnlySize()
	before := s.sizes[max(0, len(s.sizes)-20)]
	s.Redis.CutAppendOnly(min(now, before))
	s.Redis.Restart()
	s.sizes, s.done, s.sampled = nil, make(chan struct{}), make(chan struct{})
	go s.sample()
}

// unguarded returns an instance of the usual design: it has no ledger and sells from any Redis it
// finds.
func (s *stage) unguarded() *reconciletest.Instance {
	s.TB.Helper()
	client := s.Client()
	store, err := cache.New(client, cache.Options{})
	if err != nil {
		s.TB.Fatal(err)
	}
	s.TB.Cleanup(func() { _ = store.Close(context.Background()) })
	return &reconciletest.Instance{Rig: s.Rig, Store: store, Client: client}
}

// outages are the faults under load. Each leaves everything running again.
var outages = []struct {
	name  string
	fault func(s *stage)
	redis bool // the gate closes, and the time until it opens is checked
}{
	{"redis killed", func(s *stage) { s.Redis.Restart() }, true},
	{"power loss", (*stage).powerLoss, true},
	{"empty restart", func(s *stage) { s.Redis.Kill(); s.Redis.Empty(); s.Redis.Restart() }, true},
	{"script flush", func(s *stage) { s.command("script", "flush") }, true},
	{"flushall", func(s *stage) { s.command("flushall") }, true},
	{"postgres killed", func(s *stage) { s.postgres.Kill(); s.postgres.Restart() }, false},
	{"postgres stopped", func(s *stage) {
		s.postgres.Pause()
		<-time.After(reconciletest.AtFull(30*time.Second, 3*time.Second))
		s.postgres.Resume()
	}, false},
}

func (s *stage) command(args ...any) {
	if err := s.Client().Do(context.Background(), args...).Err(); err != nil {
		s.TB.Error(err)
	}
}

// TestFaults makes each fault happen under load. Nothing may be sold twice, no acknowledged sale
// may be missing, Redis and the ledger must agree at the end, and the gate must open again soon.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("seven outages under load, each several seconds")
	}
	seed := reconciletest.SeedOf(t)
	for _, outage := range outages {
		for round := range reconciletest.AtFull(3, 1) {
			t.Run(fmt.Sprintf("%s/%d", outage.name, round), func(t *testing.T) {
				s := newStage(t)
				one, two := s.Start(nil), s.Start(nil)
				one.Open(5 * time.Second)
				two.Open(5 * time.Second)
				one.Count("PROBE", "berlin", 1000)
				l := reconciletest.StartLoad(t, seed+uint64(round), 16, 20, one, two)
				calm := l.Rate(time.Second)
				before, began := l.Calls.Load(), time.Now()
				outage.fault(s)
				opened := one.Serves(15 * time.Second)
				after := l.Rate(2 * time.Second)
				l.Answered(s.Rig, max(0, before+2000-l.Calls.Load())) // as many as at 500 a second
				during := float64(l.Calls.Load()-before) / time.Since(began).Seconds()
				l.UntilSold(s.Rig, 100)
				l.Stop()
				s.Check()
				got := l.Compare(s.Rig)
				t.Logf("FIGURES %s: calls/s %.0f before, %.0f during, %.0f after; open again after %d ms; %d sold, %d missing, "+
					"%d oversold, %d holds lost, %d deliveries missing", outage.name, calm, during, after, opened.Milliseconds(),
					got.Sold, got.Missing, got.Oversold, got.Lost, got.DeliveriesMissing)
				if got.Missing+got.Oversold+got.DeliveriesMissing > 0 {
					t.Errorf("%+v", got)
				}
				if outage.redis && opened > time.Second && !raced {
					t.Errorf("the gate was open after %v", opened)
				}
			})
		}
	}
}

// TestRebuild_Large loses a Redis with many levels: it must be open again soon.
func TestRebuild_Large(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Start(nil)
	i.Open(5 * time.Second)
	i.Count("PROBE", "berlin", 1000)
	levels := reconciletest.AtFull(100_000, 10_000)
	units := int64(10)
	for from := 0; from < levels; from += cache.ChangesMax {
		request := cache.AdjustRequest{ID: fmt.Sprint("import ", from)}
		for n := from; n < from+cache.ChangesMax; n++ {
			request.Changes = append(request.Changes, cache.Change{SKU: location.SKU(fmt.Sprint("S", n)), Location: "berlin", OnHand: &units})
		}
		if _, err := i.Store.Adjust(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 100 {
		i.Reserve(fmt.Sprint("held", n), skuAt(n), 1)
	}
	r.Quiesce()
	reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
	took := i.Serves(20 * time.Second)
	t.Logf("FIGURES %d levels: open again after %d ms", levels, took.Milliseconds())
	if took > 10*time.Second+reconciletest.Busy {
		t.Errorf("it took %v", took)
	}
	r.Check()
}

func skuAt(n int) location.SKU { return location.SKU(fmt.Sprint("S", n)) }
