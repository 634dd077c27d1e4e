package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type routeMethod struct{ route, method string }

type request struct {
	routeMethod
	status int
}

// other is the label for everything that a caller can make up: paths without a route, unknown
// methods.
const other = "other"

func (m *Metrics) registerRequests() {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "holdfast_http_requests_total", Help: "HTTP requests, by route, method and status.",
	}, []string{"route", "method", "status"})
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "holdfast_http_request_duration_seconds",
		Help: "How long HTTP requests took, by route and method.", Buckets: durations,
	}, []string{"route", "method"})
	m.registry.MustRegister(requests, duration)

	m.requests = newChildren(func(r request) prometheus.Counter {
		return requests.WithLabelValues(r.route, r.method, strconv.Itoa(r.status))
	})
	m.requestDuration = newChildren(func(r routeMethod) prometheus.Observer {
		return duration.WithLabelValues(r.route, r.method)
	})
	scraping := routeMethod{"/metrics", http.MethodGet} // so that the first scrape has both metrics
	m.requests.of(request{scraping, http.StatusOK})
	m.requestDuration.of(scraping)
}

// Request counts one HTTP request. route is the pattern that matched, or "" if none did.
func (m *Metrics) Request(method, route string, status int, elapsed time.Duration) {
	if route == "" {
		route = other
	}
	at := routeMethod{route, knownMethod(method)}
	m.requests.of(request{at, status}).Inc()
	m.requestDuration.of(at).Observe(elapsed.Seconds())
}

// knownMethod returns method, or other if HTTP does not define it.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions:
		return method
	}
	return other
}
