package api

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holdfast/holdfast/internal/keys"
)

// ConcurrentMax is how many calls are served at once. Every further call is answered 503
// `unavailable` immediately, so that callers do not pile up in memory when Redis hangs.
const ConcurrentMax = 8192

// Options configures an API. The zero value works.
type Options struct {
	Version       string          // of the program, for the OpenAPI document; default "dev"
	TTL           time.Duration   // documented default of ttl_seconds; default 10m
	TTLMax        time.Duration   // documented maximum of ttl_seconds; default 24h
	ConcurrentMax int             // calls served at once; default ConcurrentMax
	Hosts         *Hosts          // names in the header Host; default any
	Keys          *keys.Ring      // keys of the callers; nil: everybody may do everything
	People        *keys.People    // with Keys: people may send a token in place of a key; nil: none do
	Degraded      func() []string // what /readyz lists beside its 200; default nothing
	Directories   Directories     // keeps the routing directory; nil: there is none
	Changes       Changes         // lists what was changed; nil: it is not listed
	Audits        Audits          // compares Redis with the ledger; nil: there are no audits
	Metrics       http.Handler    // serves /metrics; nil: there is no such path
	Observer      Observer        // is told of every request; default nobody
	Logger        *slog.Logger    // default slog.Default()
}

// Observer is told of every HTTP request after its answer. It must be quick and must not block.
type Observer interface {
	// Request reports one request. route is the pattern that matched, such as /v1/stock/{sku}, or
	// "" if none did.
	Request(method, route string, status int, elapsed time.Duration)
}

// API serves the HTTP contract. It is an http.Handler, safe for concurrent use.
type API struct {
	store    Store
	options  Options
	logger   *slog.Logger
	mux      *http.ServeMux
	routes   []Route
	origins  http.CrossOriginProtection
	document *huma.OpenAPI
	serving  atomic.Int64 // calls under way
	draining atomic.Bool
}

// New returns an API that serves store.
func New(store Store, options Options) *API {
	a := &API{store: store, options: withDefaults(options), mux: http.NewServeMux()}
	a.logger = a.options.Logger
	a.document = newDocument(a.options)
	a.registerReservations()
	a.registerTransitions()
	a.registerStock()
	a.registerStockChanges()
	a.registerDirectory()
	a.registerRoute()
	a.registerAudits()
	a.registerChanges()
	a.registerHealth()
	a.registerDocs() // last: it serves what the others described
	a.mux.HandleFunc("/", a.unmatched)
	return a
}

func withDefaults(o Options) Options {
	o.Version = cmp.Or(o.Version, "dev")
	o.TTL = cmp.Or(o.TTL, 10*time.Minute)
	o.TTLMax = cmp.Or(o.TTLMax, 24*time.Hour)
	o.ConcurrentMax = cmp.Or(o.ConcurrentMax, ConcurrentMax)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Degraded == nil {
		o.Degraded = func() []string { return nil }
	}
	return o
}

// Drain makes /readyz answer 503 from now on, so that load balancers send no more calls. All other
// calls are still served.
func (a *API) Drain() { a.draining.Store(true) }

// ServeHTTP answers one request. A panic is answered with a problem, too.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	answer := &recorder{ResponseWriter: w}
	answer.Header()[requestIDHeader] = []string{requestIDOf(r)}
	defer a.finish(answer, r, started)
	switch {
	case a.options.Hosts != nil && !a.options.Hosts.accept(r.Host):
		a.refuse(answer, r, errHost, "")
	case !plainPath(r.URL.EscapedPath()):
		a.refuse(answer, r, errPath, "")
	case a.origins.Check(r) != nil:
		a.refuse(answer, r, errOrigin, "")
	default:
		a.mux.ServeHTTP(answer, r)
	}
}

// finish recovers a panic and reports the request. ServeHTTP defers it.
func (a *API) finish(w *recorder, r *http.Request, started time.Time) {
	if cause := recover(); cause != nil {
		if cause == http.ErrAbortHandler {
			panic(cause) // drops the connection; it is not a defect
		}
		a.logger.Error("panic", "method", r.Method, "route", r.Pattern, "path", r.URL.EscapedPath(),
			"request_id", w.Header().Get(requestIDHeader), "cause", cause, "stack", string(debug.Stack()))
		if w.status == 0 {
			writeProblem(w, problem(errPanic))
		}
	}
	if a.options.Observer != nil {
		_, route, _ := strings.Cut(r.Pattern, " ") // "" for the pattern of unmatched
		a.options.Observer.Request(r.Method, route, w.status, time.Since(started))
	}
}

var errPanic = errors.New("panic")

// plainPath reports whether the mux serves path as it is. It would redirect any other path to a
// cleaned one, which no caller of an API expects. Percent-encoded slashes and dots of an id are
// left alone.
func plainPath(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.Contains(path, "//") &&
		!strings.Contains(path, "/./") && !strings.Contains(path, "/../") &&
		!strings.HasSuffix(path, "/.") && !strings.HasSuffix(path, "/..")
}

// unmatched answers a request that matches no route: 405 if the path has other methods, else 404.
func (a *API) unmatched(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := a.mux.Handler(probe); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		a.refuse(w, r, errPath, "")
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	a.refuse(w, r, errMethod, "")
}

// recorder remembers the status of the answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
