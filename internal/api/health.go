package api

import (
	"context"
	"net/http"
	"time"

	"github.com/holdfast/holdfast/internal/keys"
)

// readyTimeout bounds the check of the store, so that a probe always gets an answer.
const readyTimeout = time.Second

// Live is the answer of /livez.
type Live struct {
	Status string `json:"status" enum:"ok"`
}

// Ready is the answer of /readyz if the server can reserve.
type Ready struct {
	Status   string   `json:"status" enum:"ok"`
	Degraded []string `json:"degraded" nullable:"false" doc:"What does not work, although the server can reserve."`
}

const (
	tagHealth = "Health"
	livePath  = "/livez"
)

// registerHealth serves the probes. They do not count as calls, so they answer even in an overload.
func (a *API) registerHealth() {
	describe[nothing, Live](a.document, operation{
		id: "live", method: http.MethodGet, path: livePath, tag: tagHealth, role: keys.Open,
		summary: "Check that the process runs",
		answers: map[int]string{http.StatusOK: "The process runs."},
	})
	a.handle(http.MethodGet, livePath, keys.Open, func(w http.ResponseWriter, _ *http.Request) {
		out := reply[Live]{body: Live{Status: "ok"}}
		out.write(w)
	})
	describe[nothing, Ready](a.document, operation{
		id: "ready", method: http.MethodGet, path: "/readyz", tag: tagHealth, role: keys.Open,
		summary:  "Check that the server can reserve",
		answers:  map[int]string{http.StatusOK: "The server can reserve. `degraded` lists what does not work."},
		problems: []*kind{rebuilding, backlogFull},
	})
	a.handle(http.MethodGet, "/readyz", keys.Open, a.ready)
	if a.options.Metrics != nil {
		a.handle(http.MethodGet, "/metrics", keys.Read, a.options.Metrics.ServeHTTP)
	}
}

func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	if a.draining.Load() {
		a.refuse(w, r, errDraining, "")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := a.store.Ready(ctx); err != nil {
		p := problem(err)
		if p.Status != http.StatusServiceUnavailable {
			p = problem(errNotReady)
		}
		p.Detail = err.Error() // operators are told more than callers
		w.Header().Set("Retry-After", retryAfter)
		writeProblem(w, p)
		return
	}
	out := reply[Ready]{body: Ready{Status: "ok", Degraded: a.options.Degraded()}}
	out.write(w)
}
