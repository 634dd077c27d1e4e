// Package metrics exports metrics to Prometheus: every call and batch of the hot path, its queues,
// every HTTP request, the ledger and the audits. It has its own registry, which also has the
// collectors of Go and of the process.
package metrics

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/holdfast/holdfast/cache"
)

// durations are the upper bounds, in seconds, of every latency histogram. They reach from a batch
// on loopback to the longest wait for Postgres.
var durations = []float64{
	0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
}

// batchSizes are the upper bounds, in requests, of the histogram of batch sizes.
var batchSizes = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, cache.BatchLimit}

// Metrics counts what it is told and serves it to Prometheus. It observes the cache and the HTTP
// API. It is safe for concurrent use, and counting allocates nothing.
type Metrics struct {
	registry *prometheus.Registry

	calls           *children[call, prometheus.Counter]
	callDuration    map[cache.Verb]prometheus.Observer // read-only, like all maps here
	batchSize       map[cache.Verb]prometheus.Observer
	batchDuration   map[cache.Verb]prometheus.Observer
	requests        *children[request, prometheus.Counter]
	requestDuration *children[routeMethod, prometheus.Observer]
}

type call struct {
	verb    cache.Verb
	outcome string
}

var _ cache.Observer = (*Metrics)(nil)

// New returns the Metrics of a program with this version, built from this revision.
func New(version, revision string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.registerBuild(version, revision)
	m.registerCalls()
	m.registerRequests()
	return m
}

func (m *Metrics) registerBuild(version, revision string) {
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "holdfast_build_info", Help: "Always 1. The labels describe the running program.",
	}, []string{"version", "revision", "go_version"})
	build.WithLabelValues(version, revision, runtime.Version()).Set(1)
	m.registry.MustRegister(build)
}

func (m *Metrics) registerCalls() {
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "holdfast_calls_total", Help: "Calls of the hot path, by verb and outcome.",
	}, []string{"verb", "outcome"})
	m.registry.MustRegister(calls)
	m.callDuration = m.byVerb("holdfast_call_duration_seconds",
		"How long calls took, including queueing and waiting.", durations)
	m.batchSize = m.byVerb("holdfast_batch_requests",
		"How many requests each script call carried.", batchSizes)
	m.batchDuration = m.byVerb("holdfast_batch_duration_seconds",
		"How long script calls took.", durations)
	m.calls = newChildren(func(c call) prometheus.Counter {
		return calls.WithLabelValues(string(c.verb), c.outcome)
	})
	for _, verb := range cache.Verbs {
		m.calls.of(call{verb, "ok"}) // a rate needs a zero to start from
	}
}

// byVerb registers a histogram and returns its children.
func (m *Metrics) byVerb(name, help string, buckets []float64) map[cache.Verb]prometheus.Observer {
	histogram := prometheus.NewHistogramVec(
		prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, []string{"verb"})
	m.registry.MustRegister(histogram)
	out := make(map[cache.Verb]prometheus.Observer, len(cache.Verbs))
	for _, verb := range cache.Verbs {
		out[verb] = histogram.WithLabelValues(string(verb))
	}
	return out
}

// Call counts one call of the hot path. Of a verb that is not in cache.Verbs it records no
// duration.
func (m *Metrics) Call(verb cache.Verb, outcome string, elapsed time.Duration) {
	m.calls.of(call{verb, outcome}).Inc()
	if h := m.callDuration[verb]; h != nil {
		h.Observe(elapsed.Seconds())
	}
}

// Batch counts one script call. It ignores a verb that is not in cache.Verbs.
func (m *Metrics) Batch(verb cache.Verb, size int, elapsed time.Duration) {
	if h := m.batchSize[verb]; h != nil {
		h.Observe(float64(size))
		m.batchDuration[verb].Observe(elapsed.Seconds())
	}
}

// Handler serves all metrics in the format of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
