package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast/holdfast/cache"
)

// Queues reports the queues of the hot path. *cache.Store implements it.
type Queues interface{ Stats() cache.Stats }

// Watch exports queues, read at every scrape. Call it once. Every verb is exported, as 0 if queues
// does not report it.
func (m *Metrics) Watch(queues Queues) error {
	c := &collector[cache.Stats]{read: queues.Stats}
	for _, verb := range cache.Verbs {
		labels := prometheus.Labels{"verb": string(verb)}
		c.add(prometheus.GaugeValue, "holdfast_queued_requests", "Requests that wait for a batch.", labels,
			func(s *cache.Stats) float64 { return float64(s.Queued[verb]) })
		c.add(prometheus.GaugeValue, "holdfast_in_flight_batches", "Batches under way.", labels,
			func(s *cache.Stats) float64 { return float64(s.InFlight[verb]) })
	}
	return m.registry.Register(c)
}

// Ledger is the state of the reconciler in this process. Its counts begin at the start of the
// process.
type Ledger struct {
	Working  bool // this process applies events
	Epoch    uint64
	Lag      time.Duration
	Waiting  int64
	Applied  int64
	Refused  int64
	Rebuilds int64
	Adopted  int64
}

// WatchLedger exports ledger, read at every scrape. Call it once.
func (m *Metrics) WatchLedger(ledger func() Ledger) error {
	c := &collector[Ledger]{read: ledger}
	c.gauge("holdfast_ledger_working", "1 if this process applies events, 0 if it waits for another process to stop applying them.",
		func(l *Ledger) float64 { return oneIf(l.Working) })
	c.gauge("holdfast_ledger_epoch", "The epoch of Redis, 0 if this process does not apply events.",
		func(l *Ledger) float64 { return float64(l.Epoch) })
	c.gauge("holdfast_ledger_lag_seconds", "Seconds between the newest applied event and the moment it was applied.",
		func(l *Ledger) float64 { return l.Lag.Seconds() })
	c.gauge("holdfast_ledger_waiting_entries", "Entries of the stream that wait to be applied.",
		func(l *Ledger) float64 { return float64(l.Waiting) })
	c.counter("holdfast_ledger_applied_events_total", "Events that this process applied.",
		func(l *Ledger) float64 { return float64(l.Applied) })
	c.counter("holdfast_ledger_refused_events_total", "Events that the ledger refused and that were undone in Redis.",
		func(l *Ledger) float64 { return float64(l.Refused) })
	c.counter("holdfast_ledger_rebuilds_total", "Rebuilds of Redis from the ledger by this process.",
		func(l *Ledger) float64 { return float64(l.Rebuilds) })
	c.counter("holdfast_ledger_adoptions_total", "Promoted replicas that this process took over without a rebuild.",
		func(l *Ledger) float64 { return float64(l.Adopted) })
	return m.registry.Register(c)
}

// Health is what /readyz answers.
type Health struct {
	Ready    bool // reserve can be served
	Degraded int  // how many things do not work although reserve does
}

// WatchHealth exports health, read at every scrape. Call it once.
func (m *Metrics) WatchHealth(health func() Health) error {
	c := &collector[Health]{read: health}
	c.gauge("holdfast_ready", "1 if reserve can be served, as /readyz says.",
		func(h *Health) float64 { return oneIf(h.Ready) })
	c.gauge("holdfast_degraded", "How many things do not work although reserve can be served, as /readyz lists them.",
		func(h *Health) float64 { return float64(h.Degraded) })
	return m.registry.Register(c)
}

// Audit is the last audit that ended, on any server. If none ever ended, it is the zero Audit.
type Audit struct {
	FinishedAt time.Time
	Took       time.Duration
	Failed     bool // it broke off, or repaired nothing because it would have changed too much
	Compared   int64
	Drift      int // findings that are drift and still open
	Repaired   int
}

// WatchAudit exports last, read at every scrape. Call it once. An alert on the age of the last audit
// must also fire if there was none, so every metric is exported then too, as 0.
func (m *Metrics) WatchAudit(last func() Audit) error {
	c := &collector[Audit]{read: last}
	c.gauge("holdfast_audit_finished_timestamp_seconds", "When the last audit ended, 0 if none ever did.",
		func(a *Audit) float64 {
			if a.FinishedAt.IsZero() {
				return 0
			}
			return float64(a.FinishedAt.UnixMilli()) / 1000
		})
	c.gauge("holdfast_audit_duration_seconds", "How long the last audit took.",
		func(a *Audit) float64 { return a.Took.Seconds() })
	c.gauge("holdfast_audit_failed", "1 if the last audit broke off, or repaired nothing because it would have changed too much.",
		func(a *Audit) float64 { return oneIf(a.Failed) })
	c.gauge("holdfast_audit_compared", "Levels, reservations, limits and deadlines that the last audit compared.",
		func(a *Audit) float64 { return float64(a.Compared) })
	c.gauge("holdfast_audit_drift_findings", "Findings of the last audit that are drift and still open.",
		func(a *Audit) float64 { return float64(a.Drift) })
	c.gauge("holdfast_audit_repaired_findings", "Findings that the last audit repaired.",
		func(a *Audit) float64 { return float64(a.Repaired) })
	return m.registry.Register(c)
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// collector exports the values of one T, which it reads once per scrape.
type collector[T any] struct {
	read   func() T
	descs  []*prometheus.Desc
	kinds  []prometheus.ValueType
	values []func(*T) float64
}

func (c *collector[T]) add(kind prometheus.ValueType, name, help string, labels prometheus.Labels, value func(*T) float64) {
	c.descs = append(c.descs, prometheus.NewDesc(name, help, nil, labels))
	c.kinds = append(c.kinds, kind)
	c.values = append(c.values, value)
}

func (c *collector[T]) gauge(name, help string, value func(*T) float64) {
	c.add(prometheus.GaugeValue, name, help, nil, value)
}

func (c *collector[T]) counter(name, help string, value func(*T) float64) {
	c.add(prometheus.CounterValue, name, help, nil, value)
}

// Describe implements prometheus.Collector.
func (c *collector[T]) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector[T]) Collect(out chan<- prometheus.Metric) {
	now := c.read()
	for i := range c.descs {
		out <- prometheus.MustNewConstMetric(c.descs[i], c.kinds[i], c.values[i](&now))
	}
}
