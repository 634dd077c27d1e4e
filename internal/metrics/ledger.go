package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Ledger is a moment of who applies events to the ledger, and what it has done since it began.
type Ledger struct {
	Working  bool // this process is the one that applies
	Epoch    uint64
	Lag      time.Duration
	Waiting  int64
	Applied  int64
	Refused  int64
	Rebuilds int64
}

// WatchLedger asks ledger at every scrape from now on. It is to be called once.
func (m *Metrics) WatchLedger(ledger func() Ledger) error {
	describe := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return m.registry.Register(&ledgerCollector{
		ledger:   ledger,
		working:  describe("holdfast_ledger_working", "1 where this process applies events; the others wait for its lock."),
		epoch:    describe("holdfast_ledger_epoch", "The epoch of Redis; 0 where this process does not apply."),
		lag:      describe("holdfast_ledger_lag_seconds", "From the newest applied event to when it was applied."),
		waiting:  describe("holdfast_ledger_waiting_entries", "Entries of the stream that wait to be applied."),
		applied:  describe("holdfast_ledger_applied_events_total", "Events applied by this process."),
		refused:  describe("holdfast_ledger_refused_events_total", "Events that the ledger refused, and that were undone."),
		rebuilds: describe("holdfast_ledger_rebuilds_total", "How often this process has made Redis anew."),
	})
}

type ledgerCollector struct {
	ledger                                                   func() Ledger
	working, epoch, lag, waiting, applied, refused, rebuilds *prometheus.Desc
}

// Describe says what there will be.
func (c *ledgerCollector) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, out) }

// Collect reads one moment.
func (c *ledgerCollector) Collect(out chan<- prometheus.Metric) {
	now := c.ledger()
	working := 0.0
	if now.Working {
		working = 1
	}
	for _, m := range []struct {
		what  *prometheus.Desc
		kind  prometheus.ValueType
		value float64
	}{
		{c.working, prometheus.GaugeValue, working}, {c.epoch, prometheus.GaugeValue, float64(now.Epoch)},
		{c.lag, prometheus.GaugeValue, now.Lag.Seconds()}, {c.waiting, prometheus.GaugeValue, float64(now.Waiting)},
		{c.applied, prometheus.CounterValue, float64(now.Applied)}, {c.refused, prometheus.CounterValue, float64(now.Refused)},
		{c.rebuilds, prometheus.CounterValue, float64(now.Rebuilds)},
	} {
		out <- prometheus.MustNewConstMetric(m.what, m.kind, m.value)
	}
}
