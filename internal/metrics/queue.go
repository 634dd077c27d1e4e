package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast/holdfast/cache"
)

// Queues is who knows the queues of the hot path; *cache.Store is one.
type Queues interface{ Stats() cache.Stats }

// Watch asks queues at every scrape from now on. It is to be called once.
func (m *Metrics) Watch(queues Queues) error {
	return m.registry.Register(&queueCollector{
		queues: queues,
		queued: prometheus.NewDesc("holdfast_queued_requests",
			"Requests that wait for a batch.", []string{"verb"}, nil),
		inFlight: prometheus.NewDesc("holdfast_in_flight_batches",
			"Batches under way.", []string{"verb"}, nil),
	})
}

type queueCollector struct {
	queues           Queues
	queued, inFlight *prometheus.Desc
}

// Describe says what there will be.
func (c *queueCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.queued
	out <- c.inFlight
}

// Collect reads one moment of the queues. Every verb is there, at 0 where nothing is known of it.
func (c *queueCollector) Collect(out chan<- prometheus.Metric) {
	stats := c.queues.Stats()
	for _, verb := range cache.Verbs {
		out <- gauge(c.queued, stats.Queued[verb], verb)
		out <- gauge(c.inFlight, stats.InFlight[verb], verb)
	}
}

func gauge(what *prometheus.Desc, n int, verb cache.Verb) prometheus.Metric {
	return prometheus.MustNewConstMetric(what, prometheus.GaugeValue, float64(n), string(verb))
}
