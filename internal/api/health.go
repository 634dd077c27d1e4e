package api

import (
	"context"
	"net/http"
	"time"
)

// readyTimeout bounds the question to the store, so that a probe gets an answer and not silence.
const readyTimeout = time.Second

// Live is the answer of /livez.
type Live struct {
	Status string `json:"status" enum:"ok"`

	_ struct{} `additionalProperties:"true"`
}

// Ready is the answer of /readyz where reserve can be served.
type Ready struct {
	Status   string   `json:"status" enum:"ok"`
	Degraded []string `json:"degraded" nullable:"false" doc:"What does not work as it should, though reserve can be served."`

	_ struct{} `additionalProperties:"true"`
}

const (
	tagHealth = "Health"
	livePath  = "/livez"
)

// registerHealth serves the probes. They are no calls: an overload doesn't keep them from answering.
func (a *API) registerHealth() {
	describe[nothing, Live](a.document, operation{
		id: "live", method: http.MethodGet, path: livePath, tag: tagHealth,
		summary: "The process runs",
		answers: map[int]string{http.StatusOK: "Always, while the process runs."},
	})
	a.mux.HandleFunc("GET "+livePath, func(w http.ResponseWriter, _ *http.Request) {
		out := reply[Live]{body: Live{Status: "ok"}}
		out.write(w)
	})
	describe[nothing, Ready](a.document, operation{
		id: "ready", method: http.MethodGet, path: "/readyz", tag: tagHealth,
		summary:  "Reserve can be served",
		answers:  map[int]string{http.StatusOK: "It can; `degraded` names what does not work."},
		problems: []*kind{rebuilding, backlogFull},
	})
	a.mux.HandleFunc("GET /readyz", a.ready)
	if a.options.Metrics != nil {
		a.mux.Handle("GET /metrics", a.options.Metrics)
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
		p.Detail = err.Error() // who watches over a server is told more than its callers
		w.Header().Set("Retry-After", retryAfter)
		p.write(w)
		return
	}
	out := reply[Ready]{body: Ready{Status: "ok", Degraded: a.options.Degraded()}}
	out.write(w)
}
