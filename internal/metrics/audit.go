package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Audit is the audit that ended last, whoever ran it.
type Audit struct {
	FinishedAt time.Time
	Took       time.Duration
	Failed     bool // it could not go on, or repaired nothing since too much would change
	Compared   int64
	Drift      int // findings that are drift and were still there
	Repaired   int
}

// WatchAudit asks last at every scrape from now on; ok false is that nothing is known. It is to be called
// once.
func (m *Metrics) WatchAudit(last func() (a Audit, ok bool)) error {
	describe := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return m.registry.Register(&auditCollector{
		last:     last,
		finished: describe("holdfast_audit_finished_timestamp_seconds", "When the last audit ended."),
		took:     describe("holdfast_audit_duration_seconds", "How long the last audit took."),
		failed:   describe("holdfast_audit_failed", "1 where the last audit could not go on, or would have changed too much."),
		compared: describe("holdfast_audit_compared", "How many levels, reservations, limits and deadlines the last audit compared."),
		drift:    describe("holdfast_audit_drift_findings", "What the last audit found that is drift and is still there."),
		repaired: describe("holdfast_audit_repaired_findings", "What the last audit repaired."),
	})
}

type auditCollector struct {
	last                                              func() (Audit, bool)
	finished, took, failed, compared, drift, repaired *prometheus.Desc
}

// Describe says what there will be.
func (c *auditCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.finished, c.took, c.failed, c.compared, c.drift, c.repaired} {
		out <- d
	}
}

// Collect reads one moment.
func (c *auditCollector) Collect(out chan<- prometheus.Metric) {
	a, ok := c.last()
	if !ok {
		return
	}
	failed := 0.0
	if a.Failed {
		failed = 1
	}
	for what, value := range map[*prometheus.Desc]float64{
		c.finished: float64(a.FinishedAt.UnixMilli()) / 1000, c.took: a.Took.Seconds(), c.failed: failed,
		c.compared: float64(a.Compared), c.drift: float64(a.Drift), c.repaired: float64(a.Repaired),
	} {
		out <- prometheus.MustNewConstMetric(what, prometheus.GaugeValue, value)
	}
}
