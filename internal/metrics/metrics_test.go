package metrics_test

import (
	"fmt"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/metrics"
)

// scrape returns the samples whose lines begin with one of prefixes.
func scrape(t *testing.T, m *metrics.Metrics, prefixes ...string) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var out strings.Builder
	for line := range strings.Lines(w.Body.String()) {
		for _, prefix := range prefixes {
			if strings.HasPrefix(line, prefix) {
				out.WriteString(line)
			}
		}
	}
	return out.String()
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCalls(t *testing.T) {
	m := metrics.New("1", "r")
	m.Call(cache.VerbReserve, "ok", 300*time.Microsecond)
	m.Call(cache.VerbReserve, "ok", 20*time.Millisecond)
	m.Call(cache.VerbReserve, "insufficient_stock", time.Minute)
	m.Call("unknown", "ok", time.Second)
	want := []string{
		`holdfast_calls_total{outcome="insufficient_stock",verb="reserve"} 1`,
		`holdfast_calls_total{outcome="ok",verb="reserve"} 2`,
		`holdfast_calls_total{outcome="ok",verb="unknown"} 1`,
	}
	for _, verb := range cache.Verbs {
		if verb != cache.VerbReserve {
			want = append(want, fmt.Sprintf(`holdfast_calls_total{outcome="ok",verb="%s"} 0`, verb))
		}
	}
	slices.Sort(want)
	expect(t, scrape(t, m, "holdfast_calls_total"), strings.Join(want, "\n"))
	got := scrape(t, m, `holdfast_call_duration_seconds_bucket{verb="reserve",le="0.0`, `holdfast_call_duration_seconds_sum{verb="reserve"}`,
		`holdfast_call_duration_seconds_bucket{verb="reserve",le="+Inf"}`)
	expect(t, got, `
holdfast_call_duration_seconds_bucket{verb="reserve",le="0.0001"} 0
holdfast_call_duration_seconds_bucket{verb="reserve",le="0.00025"} 0
holdfast_call_duration_seconds_bucket{verb="reserve",le="0.0005"} 1
holdfast_call_duration_seconds_bucket{verb="reserve",le="0.001"} 1
holdfast_call_duration_seconds_bucket{verb="reserve",le="0.0025"} 1
holdfast_call_duration_seconds_bucket{verb="reserve",le="0.005"} 1
holdfast_call_duration_seconds_bucket{verb="reserve",le="0.01"} 1
holdfast_call_duration_seconds_bucket{verb="reserve",le="0.025"} 2
holdfast_call_duration_seconds_bucket{verb="reserve",le="0.05"} 2
holdfast_call_duration_seconds_bucket{verb="reserve",le="+Inf"} 3
holdfast_call_duration_seconds_sum{verb="reserve"} 60.0203
`)
}

func TestBatches(t *testing.T) {
	m := metrics.New("1", "r")
	m.Batch(cache.VerbConfirm, 1, time.Millisecond)
	m.Batch(cache.VerbConfirm, 64, 3*time.Millisecond)
	m.Batch("unknown", 1, time.Millisecond)
	expect(t, scrape(t, m, `holdfast_batch_requests_bucket{verb="confirm"`, `holdfast_batch_requests_sum{verb="confirm"`,
		`holdfast_batch_duration_seconds_sum{verb="confirm"`, `holdfast_batch_requests_count{verb="unknown"`), `
holdfast_batch_duration_seconds_sum{verb="confirm"} 0.004
holdfast_batch_requests_bucket{verb="confirm",le="1"} 1
holdfast_batch_requests_bucket{verb="confirm",le="2"} 1
holdfast_batch_requests_bucket{verb="confirm",le="4"} 1
holdfast_batch_requests_bucket{verb="confirm",le="8"} 1
holdfast_batch_requests_bucket{verb="confirm",le="16"} 1
holdfast_batch_requests_bucket{verb="confirm",le="32"} 1
holdfast_batch_requests_bucket{verb="confirm",le="64"} 2
holdfast_batch_requests_bucket{verb="confirm",le="128"} 2
holdfast_batch_requests_bucket{verb="confirm",le="256"} 2
holdfast_batch_requests_bucket{verb="confirm",le="512"} 2
holdfast_batch_requests_bucket{verb="confirm",le="+Inf"} 2
holdfast_batch_requests_sum{verb="confirm"} 65
`)
}

func TestRequests(t *testing.T) {
	m := metrics.New("1", "r")
	m.Request("GET", "/v1/stock/{sku}", 200, time.Millisecond)
	m.Request("GET", "/v1/stock/{sku}", 200, time.Millisecond)
	m.Request("GET", "/v1/stock/{sku}", 404, time.Millisecond)
	m.Request("BREW", "", 404, time.Millisecond)
	expect(t, scrape(t, m, "holdfast_http_requests_total", "holdfast_http_request_duration_seconds_count"), `
holdfast_http_request_duration_seconds_count{method="GET",route="/metrics"} 0
holdfast_http_request_duration_seconds_count{method="GET",route="/v1/stock/{sku}"} 3
holdfast_http_request_duration_seconds_count{method="other",route="other"} 1
holdfast_http_requests_total{method="GET",route="/metrics",status="200"} 0
holdfast_http_requests_total{method="GET",route="/v1/stock/{sku}",status="200"} 2
holdfast_http_requests_total{method="GET",route="/v1/stock/{sku}",status="404"} 1
holdfast_http_requests_total{method="other",route="other",status="404"} 1
`)
}

type queues struct{ stats cache.Stats }

func (q *queues) Stats() cache.Stats { return q.stats }

func TestQueues(t *testing.T) {
	m := metrics.New("1", "r")
	q := &queues{}
	if err := m.Watch(q); err != nil {
		t.Fatal(err)
	}
	names := []string{`holdfast_queued_requests{verb="reserve"}`, `holdfast_in_flight_batches{verb="reserve"}`}
	expect(t, scrape(t, m, names...), `
holdfast_in_flight_batches{verb="reserve"} 0
holdfast_queued_requests{verb="reserve"} 0
`)
	q.stats = cache.Stats{
		Queued: map[cache.Verb]int{cache.VerbReserve: 70}, InFlight: map[cache.Verb]int{cache.VerbReserve: 3},
	}
	expect(t, scrape(t, m, names...), `
holdfast_in_flight_batches{verb="reserve"} 3
holdfast_queued_requests{verb="reserve"} 70
`)
	if m.Watch(q) == nil {
		t.Error("a second Watch succeeded")
	}
}

func TestBuildAndProcess(t *testing.T) {
	m := metrics.New("1.2.3", "abc")
	expect(t, scrape(t, m, "holdfast_build_info"),
		`holdfast_build_info{go_version="`+runtime.Version()+`",revision="abc",version="1.2.3"} 1`)
	if scrape(t, m, "go_goroutines ") == "" || scrape(t, m, "process_start_time_seconds ") == "" {
		t.Error("the collectors of Go and of the process are missing")
	}
}

func TestConcurrently(t *testing.T) {
	m := metrics.New("1", "r")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 1000 {
				m.Request("GET", "/v1/stock", 200+i%50, time.Millisecond)
			}
		})
	}
	all.Wait()
	expect(t, scrape(t, m, "holdfast_http_request_duration_seconds_count", `holdfast_http_requests_total{method="GET",route="/v1/stock",status="249"`), `
holdfast_http_request_duration_seconds_count{method="GET",route="/metrics"} 0
holdfast_http_request_duration_seconds_count{method="GET",route="/v1/stock"} 8000
holdfast_http_requests_total{method="GET",route="/v1/stock",status="249"} 160
`)
}

// Counting runs on the hot path, so it must not allocate.
func TestCountingAllocatesNothing(t *testing.T) {
	m := metrics.New("1", "r")
	count := func() {
		m.Call(cache.VerbReserve, "insufficient_stock", time.Millisecond)
		m.Batch(cache.VerbReserve, 64, time.Millisecond)
		m.Request("POST", "/v1/reservations", 201, time.Millisecond)
	}
	count()
	if n := testing.AllocsPerRun(100, count); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCounting(b *testing.B) {
	m := metrics.New("1", "r")
	b.Run("call", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Call(cache.VerbReserve, "insufficient_stock", time.Millisecond)
		}
	})
	b.Run("call parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				m.Call(cache.VerbReserve, "ok", time.Millisecond)
			}
		})
	})
	b.Run("batch", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Batch(cache.VerbReserve, 64, time.Millisecond)
		}
	})
	b.Run("request", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Request("POST", "/v1/reservations", 201, time.Millisecond)
		}
	})
}

func TestLedger(t *testing.T) {
	m := metrics.New("1", "r")
	now := metrics.Ledger{Working: true, Epoch: 3, Lag: 250 * time.Millisecond, Waiting: 7, Applied: 40, Refused: 2, Rebuilds: 1, Adopted: 5}
	if err := m.WatchLedger(func() metrics.Ledger { return now }); err != nil {
		t.Fatal(err)
	}
	expect(t, scrape(t, m, "holdfast_ledger"), `
holdfast_ledger_adoptions_total 5
holdfast_ledger_applied_events_total 40
holdfast_ledger_epoch 3
holdfast_ledger_lag_seconds 0.25
holdfast_ledger_rebuilds_total 1
holdfast_ledger_refused_events_total 2
holdfast_ledger_waiting_entries 7
holdfast_ledger_working 1
`)
}

// TestHealth exports what /readyz answers at the moment of the scrape.
func TestHealth(t *testing.T) {
	m := metrics.New("1", "r")
	now := metrics.Health{Ready: true}
	if err := m.WatchHealth(func() metrics.Health { return now }); err != nil {
		t.Fatal(err)
	}
	expect(t, scrape(t, m, "holdfast_ready"), "holdfast_ready 1")
	now = metrics.Health{Degraded: 2}
	expect(t, scrape(t, m, "holdfast_ready"), "holdfast_ready 0")
	expect(t, scrape(t, m, "holdfast_degraded"), "holdfast_degraded 2")
}

// TestAudit exports the last audit. If there was none, it exports zeros, for which an alert on the
// age of the last audit fires.
func TestAudit(t *testing.T) {
	m := metrics.New("1", "r")
	var last metrics.Audit
	if err := m.WatchAudit(func() metrics.Audit { return last }); err != nil {
		t.Fatal(err)
	}
	expect(t, scrape(t, m, "holdfast_audit"), `
holdfast_audit_compared 0
holdfast_audit_drift_findings 0
holdfast_audit_duration_seconds 0
holdfast_audit_failed 0
holdfast_audit_finished_timestamp_seconds 0
holdfast_audit_repaired_findings 0
`)
	last = metrics.Audit{FinishedAt: time.UnixMilli(1500), Took: time.Second, Failed: true, Compared: 4, Drift: 3, Repaired: 2}
	expect(t, scrape(t, m, "holdfast_audit"), `
holdfast_audit_compared 4
holdfast_audit_drift_findings 3
holdfast_audit_duration_seconds 1
holdfast_audit_failed 1
holdfast_audit_finished_timestamp_seconds 1.5
holdfast_audit_repaired_findings 2
`)
}
