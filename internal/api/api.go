package api

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// ConcurrentMax is how many calls are served at once; the next is answered 503 `unavailable` at
// once. When Redis hangs, callers pile up here and not in memory.
const ConcurrentMax = 8192

// Options of an API. The zero value works.
type Options struct {
	Version       string          // of the program, for the OpenAPI document; default "dev"
	TTL           time.Duration   // of a reservation that names none, as documented; default 10m
	TTLMax        time.Duration   // the longest, as documented; default 24h
	ConcurrentMax int             // calls served at once; default ConcurrentMax
	Degraded      func() []string // what /readyz names beside its 200; default nothing
	Directories   Directories     // keeps the routing directory; nil: there is none
	Audits        Audits          // compares Redis with the ledger; nil: there are none
	Metrics       http.Handler    // serves /metrics; nil: no such path
	Observer      Observer        // told of every request; default nobody
	Logger        *slog.Logger    // default slog.Default()
}

// Observer is told of every HTTP request once it was answered. It must be quick and must not block.
type Observer interface {
	// Request reports one: route is the pattern that matched, such as /v1/stock/{sku}, or "" where
	// none did.
	Request(method, route string, status int, elapsed time.Duration)
}

// API serves the contract over HTTP. It is an http.Handler, safe for concurrent use.
type API struct {
	store    Store
	options  Options
	logger   *slog.Logger
	mux      *http.ServeMux
	origins  http.CrossOriginProtection
	document *huma.OpenAPI
	serving  atomic.Int64 // calls under way
	draining atomic.Bool
}

// New makes an API over store.
func New(store Store, options Options) *API {
	a := &API{store: store, options: withDefaults(options), mux: http.NewServeMux()}
	a.logger = a.options.Logger
	a.document = newDocument(a.options)
	a.registerReservations()
	a.registerStock()
	a.registerDirectory()
	a.registerRoute()
	a.registerAudits()
	a.registerHealth()
	a.registerDocs() // last: it serves what the others described
	a.mux.HandleFunc("/", a.unmatched)
	return a
}

func withDefaults(o Options) Options {
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.TTL == 0 {
		o.TTL = 10 * time.Minute
	}
	if o.TTLMax == 0 {
		o.TTLMax = 24 * time.Hour
	}
	if o.ConcurrentMax == 0 {
		o.ConcurrentMax = ConcurrentMax
	}
	if o.Degraded == nil {
		o.Degraded = func() []string { return nil }
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Drain makes /readyz answer 503 from now on, so that a load balancer sends no more; every other
// call is still served.
func (a *API) Drain() { a.draining.Store(true) }

// ServeHTTP answers one request. Whatever happens, a panic included, the answer is ours.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	answer := &recorder{ResponseWriter: w}
	defer a.finish(answer, r, started)
	if !plainPath(r.URL.EscapedPath()) {
		a.refuse(answer, r, errPath, "")
		return
	}
	if a.origins.Check(r) != nil {
		a.refuse(answer, r, errOrigin, "")
		return
	}
	a.mux.ServeHTTP(answer, r)
}

// finish is deferred by ServeHTTP: it recovers a panic and reports the request.
func (a *API) finish(w *recorder, r *http.Request, started time.Time) {
	if cause := recover(); cause != nil {
		if cause == http.ErrAbortHandler {
			panic(cause) // the way to drop a connection, not a defect
		}
		a.logger.Error("panic", "method", r.Method, "route", r.Pattern, "path", r.URL.EscapedPath(),
			"cause", cause, "stack", string(debug.Stack()))
		if w.status == 0 {
			problem(errPanic).write(w)
		}
	}
	if a.options.Observer != nil {
		a.options.Observer.Request(r.Method, route(r.Pattern), w.status, time.Since(started))
	}
}

var errPanic = errors.New("panic")

// route is the path of a pattern of the mux; "" for the pattern that takes what no other did.
func route(pattern string) string {
	_, path, _ := strings.Cut(pattern, " ")
	return path
}

// plainPath reports whether the mux takes path as it is. It would answer any other with a redirect
// to a cleaned path, which no caller of an API asked for. Ids keep their slashes and dots by being
// percent-encoded, and those are not touched.
func plainPath(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.Contains(path, "//") &&
		!strings.Contains(path, "/./") && !strings.Contains(path, "/../") &&
		!strings.HasSuffix(path, "/.") && !strings.HasSuffix(path, "/..")
}

// unmatched answers what no route took: 405 where the path has other methods, else 404.
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

// recorder remembers the status that was answered.
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
