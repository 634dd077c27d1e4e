package reconcile

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
)

// full runs everything as often and as long as the campaign does.
var full = os.Getenv("HOLDFAST_FULL") != ""

// atFull is a number of the campaign, or the one that every change is tested with.
func atFull[T any](campaign, usually T) T {
	if full {
		return campaign
	}
	return usually
}

// seedOf is the seed of a test: SEED, else of now. It is printed.
func seedOf(tb testing.TB) uint64 {
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		seed = n
	}
	tb.Logf("SEED=%d", seed)
	return seed
}

// stage is a rig of its own, with a Postgres that may be ended.
type stage struct {
	*rig
	postgres *pgtest.Server
	sizes    []int64 // of the append-only file, each 50 ms
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
	if _, err := Migrate(tb.Context(), pool); err != nil {
		tb.Fatal(err)
	}
	r := &rig{tb: tb, redis: redistest.Start(tb, append(persistent, redisArgs...)...), pool: pool, logs: &logs{tb}}
	s := &stage{rig: r, postgres: database, sampled: make(chan struct{}), done: make(chan struct{})}
	go s.sample()
	tb.Cleanup(s.stopSampling)
	return s
}

// sample notes how large the append-only file was.
func (s *stage) sample() {
	defer close(s.sampled)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.sizes = append(s.sizes, s.redis.AppendOnlySize())
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

// powerLoss ends Redis and takes back what it wrote in its last second.
func (s *stage) powerLoss() {
	s.stopSampling()
	s.redis.Kill()
	now := s.redis.AppendOnlySize()
	before := s.sizes[max(0, len(s.sizes)-20)]
	s.redis.CutAppendOnly(min(now, before))
	s.redis.Restart()
	s.sizes, s.done, s.sampled = nil, make(chan struct{}), make(chan struct{})
	go s.sample()
}

// unguarded is an instance as the usual design has it: without a ledger, and selling from whatever Redis
// it finds.
func (s *stage) unguarded() *instance {
	s.tb.Helper()
	client := s.client()
	store, err := cache.New(client, cache.Options{})
	if err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(func() { _ = store.Close(context.Background()) })
	return &instance{rig: s.rig, store: store, client: client}
}

// outages are the faults under load. Each ends with everything running again.
var outages = []struct {
	name  string
	fault func(s *stage)
	redis bool // the gate closes, and its opening is timed
}{
	{"redis killed", func(s *stage) { s.redis.Restart() }, true},
	{"power loss", (*stage).powerLoss, true},
	{"empty restart", func(s *stage) { s.redis.Kill(); s.redis.Empty(); s.redis.Restart() }, true},
	{"script flush", func(s *stage) { s.command("script", "flush") }, true},
	{"flushall", func(s *stage) { s.command("flushall") }, true},
	{"postgres killed", func(s *stage) { s.postgres.Kill(); s.postgres.Restart() }, false},
	{"postgres stopped", func(s *stage) {
		s.postgres.Pause()
		<-time.After(atFull(30*time.Second, 3*time.Second))
		s.postgres.Resume()
	}, false},
}

func (s *stage) command(args ...any) {
	if err := s.client().Do(context.Background(), args...).Err(); err != nil {
		s.tb.Error(err)
	}
}

// TestFaults has each fault happen under load: nothing is sold twice, nothing that was answered as sold
// is missing, Redis and the ledger agree in the end, and the gate is open again soon.
func TestFaults(t *testing.T) {
	seed := seedOf(t)
	for _, outage := range outages {
		for round := range atFull(3, 1) {
			t.Run(fmt.Sprintf("%s/%d", outage.name, round), func(t *testing.T) {
				s := newStage(t)
				one, two := s.start(nil), s.start(nil)
				one.open(5 * time.Second)
				two.open(5 * time.Second)
				one.count("PROBE", "berlin", 1000)
				l := startLoad(t, seed+uint64(round), 16, 20, one, two)
				calm := l.rate(time.Second)
				before, began := l.calls.Load(), time.Now()
				outage.fault(s)
				opened := one.serves(15 * time.Second)
				after := l.rate(2 * time.Second)
				during := float64(l.calls.Load()-before) / time.Since(began).Seconds()
				l.untilSold(s.rig, 100)
				l.stop()
				s.check()
				got := l.compare(s.rig)
				t.Logf("FIGURES %s: calls/s %.0f before, %.0f during, %.0f after; open again after %d ms; %d sold, %d missing, "+
					"%d oversold, %d holds lost, %d deliveries missing", outage.name, calm, during, after, opened.Milliseconds(),
					got.sold, got.missing, got.oversold, got.lost, got.deliveriesMissing)
				if got.missing+got.oversold+got.deliveriesMissing > 0 {
					t.Errorf("%+v", got)
				}
				if during < 500 {
					t.Errorf("INVALID: only %.0f calls a second during the fault", during)
				}
				if outage.redis && opened > time.Second && !raced {
					t.Errorf("the gate was open after %v", opened)
				}
			})
		}
	}
}

// TestRebuild_Large has a Redis with many levels be lost: it is open again soon.
func TestRebuild_Large(t *testing.T) {
	r := newRig(t)
	i := r.start(nil)
	i.open(5 * time.Second)
	i.count("PROBE", "berlin", 1000)
	levels := atFull(100_000, 10_000)
	units := int64(10)
	for from := 0; from < levels; from += 1000 {
		request := cache.AdjustRequest{ID: fmt.Sprint("import ", from)}
		for n := from; n < from+1000; n++ {
			request.Changes = append(request.Changes, cache.Change{SKU: location.SKU(fmt.Sprint("S", n)), Location: "berlin", OnHand: &units})
		}
		if _, err := i.store.Adjust(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 100 {
		i.reserve(fmt.Sprint("held", n), skuAt(n), 1)
	}
	r.quiesce()
	must(t, i.client.FlushAll(t.Context()).Err())
	took := i.serves(20 * time.Second)
	t.Logf("FIGURES %d levels: open again after %d ms", levels, took.Milliseconds())
	if took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	r.check()
}

func skuAt(n int) location.SKU { return location.SKU(fmt.Sprint("S", n)) }
