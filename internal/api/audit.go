package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/location"
)

// Audits compares Redis with the ledger.
type Audits interface {
	// StartAudit starts an audit and does not wait for its end. If an audit of the same request
	// runs in this process, StartAudit returns that one. Errors: ErrAuditRuns if another audit
	// runs.
	StartAudit(ctx context.Context, r StartAudit) (contract.Audit, error)
	// Audit returns an audit and the page of its findings after the id after. Errors:
	// cache.ErrNotFound.
	Audit(ctx context.Context, id, after string, limit int) (contract.Audit, error)
}

// ErrAuditRuns refuses to start an audit while another one runs.
var ErrAuditRuns = errors.New("another audit runs")

// StartAudit is the scope of an audit.
type StartAudit struct {
	Repair        bool
	SKU, Location string // "": all
	cache.By
	MaxUnits int64 // that a repair may change; 0 for the default
}

// The size of a page of findings.
const (
	findingsMax     = 500
	findingsDefault = 50
)

const tagAudits = "Audits"

func (a *API) registerAudits() {
	register(a, operation{
		id: "start-audit", method: http.MethodPost, path: "/v1/audits", tag: tagAudits, role: keys.Operate,
		summary: "Start an audit",
		description: "Compares Redis with the ledger, and the ledger with itself, while sales go on. The audit continues " +
			"after the answer; get it to follow its progress. One audit runs at a time. Until it ends, the same " +
			"request returns it, and any other request is answered `unavailable`.",
		answers:  map[int]string{http.StatusAccepted: "The audit runs."},
		problems: []*kind{invalidRequest, notFound, notDurableYet},
		missing:  "this server has no audits",
	}, a.startAudit)
	register(a, operation{
		id: "audit", method: http.MethodGet, path: "/v1/audits/{id}", tag: tagAudits, role: keys.Operate,
		summary:  "Get an audit and its findings",
		query:    pageParams("findings", findingsMax, findingsDefault),
		answers:  map[int]string{http.StatusOK: "The current state of the audit."},
		problems: []*kind{malformed, invalidRequest, notFound, notDurableYet},
		missing:  "no such audit",
	}, a.showAudit)
}

func (a *API) startAudit(r *http.Request, in *contract.AuditRequest) (reply[contract.Audit], error) {
	var faults []cache.Fault
	for _, field := range [][2]string{{"/sku", in.SKU}, {"/location", in.Location}} {
		if field[1] != "" && !location.IsIdentifier(field[1]) {
			faults = append(faults, cache.Fault{Path: field[0], Message: "is not a valid identifier"})
		}
	}
	for path, text := range map[string]string{"/actor": in.Actor, "/on_behalf_of": in.OnBehalfOf} {
		if wrong := location.TextFault(text); wrong != "" {
			faults = append(faults, cache.Fault{Path: path, Message: wrong})
		}
	}
	if positive(in.MaxUnits) < 0 {
		faults = append(faults, cache.Fault{Path: "/max_units", Message: "must be at least 1"})
	}
	if len(faults) > 0 {
		return reply[contract.Audit]{}, &cache.InvalidError{Faults: faults}
	}
	if a.options.Audits == nil {
		return reply[contract.Audit]{}, cache.ErrNotFound
	}
	started, err := a.options.Audits.StartAudit(r.Context(), StartAudit{
		Repair: in.Repair, SKU: in.SKU, Location: in.Location, By: by(r.Context(), in.Actor, in.OnBehalfOf), MaxUnits: positive(in.MaxUnits),
	})
	return reply[contract.Audit]{
		body: started, status: http.StatusAccepted, location: "/v1/audits/" + url.PathEscape(started.ID),
	}, err
}

func (a *API) showAudit(r *http.Request, _ *nothing) (reply[contract.Audit], error) {
	query := r.URL.Query()
	limit := cmp.Or(pageLimit(query), findingsDefault)
	if limit < 1 || limit > findingsMax {
		return reply[contract.Audit]{}, invalid("/limit", "must be from 1 to 500")
	}
	after := query.Get("cursor")
	if after != "" && !location.IsIdentifier(after) {
		return reply[contract.Audit]{}, invalid("/cursor", "was not issued by this server")
	}
	id := r.PathValue("id")
	if a.options.Audits == nil || !location.IsIdentifier(id) {
		return reply[contract.Audit]{}, cache.ErrNotFound
	}
	found, err := a.options.Audits.Audit(r.Context(), id, after, limit)
	return reply[contract.Audit]{body: found}, err
}
