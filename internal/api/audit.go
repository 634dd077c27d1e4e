package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/holdfast/holdfast/cache"
)

// Audits compares Redis with the ledger.
type Audits interface {
	// StartAudit begins an audit, and does not wait for its end. Where one of the same request runs
	// already in this process it answers that one; ErrAuditRuns where it is another.
	StartAudit(ctx context.Context, r StartAudit) (Audit, error)
	// Audit is an audit and a page of its findings, behind after. ErrNotFound where there is none.
	Audit(ctx context.Context, id, after string, limit int) (Audit, error)
}

// ErrAuditRuns refuses a second audit at once.
var ErrAuditRuns = errors.New("another audit runs")

// StartAudit is what is audited.
type StartAudit struct {
	Repair        bool
	SKU, Location string // "": all
	Actor         string
	MaxUnits      int64 // that a repair may change; 0 is the default
}

// Audit is an audit as an answer has it.
type Audit struct {
	ID           string         `json:"id" example:"audit-20261125-031500-k2f7qa"`
	State        string         `json:"state" enum:"running,done,failed" doc:"failed: it could not go on, or repaired nothing since too much would change; failure says why."`
	Repair       bool           `json:"repair"`
	SKU          string         `json:"sku,omitempty"`
	Location     string         `json:"location,omitempty"`
	Actor        string         `json:"actor,omitempty"`
	StartedAt    string         `json:"started_at" format:"date-time"`
	FinishedAt   string         `json:"finished_at,omitempty" format:"date-time"`
	Failure      string         `json:"failure,omitempty"`
	Levels       int64          `json:"levels" doc:"How many were compared; so the next three."`
	Reservations int64          `json:"reservations"`
	Limits       int64          `json:"limits"`
	Deadlines    int64          `json:"deadlines"`
	Drift        int            `json:"drift" doc:"Findings that are drift and still there."`
	Repaired     int            `json:"repaired" doc:"Findings that were repaired."`
	Findings     []AuditFinding `json:"findings" nullable:"false" doc:"In order of id."`
	NextCursor   string         `json:"next_cursor,omitempty" doc:"The cursor of the next page of findings; absent on the last one."`

	_ struct{} `additionalProperties:"true"`
}

// AuditFinding is one thing that an audit has found.
type AuditFinding struct {
	ID          string `json:"id" example:"9f86d081884c7d65" doc:"Of its kind and what it is about: the same in each audit that finds it."`
	Kind        string `json:"kind" example:"counter_drift"`
	State       string `json:"state" enum:"open,repaired,gone"`
	SKU         string `json:"sku,omitempty" example:"TEE-M"`
	Location    string `json:"location,omitempty" example:"berlin"`
	Reservation string `json:"reservation,omitempty" example:"ord-1001"`
	Limit       string `json:"limit,omitempty"`
	Customer    string `json:"customer,omitempty"`
	Name        string `json:"name,omitempty" doc:"What Redis calls it, where it is none of those."`
	Position    string `json:"position,omitempty" example:"1-4711" doc:"Of the stream, where both sides were read."`
	Redis       any    `json:"redis" doc:"What Redis has; null is nothing."`
	Ledger      any    `json:"ledger" doc:"What it should have; null is nothing."`
	Units       int64  `json:"units" doc:"How many a repair would change at most."`
	Frozen      bool   `json:"frozen,omitempty,omitzero" doc:"A level below zero, now or once it is repaired: nothing is sold from it then; note says until when."`
	Means       string `json:"means" doc:"For people."`
	Do          string `json:"do,omitempty" doc:"For people: what to do."`
	Note        string `json:"note,omitempty"`

	_ struct{} `additionalProperties:"true"`
}

// AuditRequest is the body of a POST.
type AuditRequest struct {
	Repair   bool   `json:"repair,omitempty" doc:"Repair what is found, and not only report it."`
	SKU      string `json:"sku,omitempty" doc:"Only what belongs to this SKU."`
	Location string `json:"location,omitempty" doc:"Only what belongs to this location."`
	Actor    string `json:"actor,omitempty" maxLength:"512" doc:"Who repairs, kept with each repair."`
	MaxUnits *Whole `json:"max_units,omitempty" minimum:"1" doc:"Units that a repair may change in all; default 1000. Where it would be more, nothing is repaired."`
}

// How many findings there are in a page.
const (
	findingsMax     = 500
	findingsDefault = 50
)

const tagAudits = "Audits"

func (a *API) registerAudits() {
	register(a, operation{
		id: "start-audit", method: http.MethodPost, path: "/v1/audits", tag: tagAudits,
		summary: "Start an audit",
		description: "Compares Redis with the ledger, and the ledger with itself, while sales go on. It runs on after the answer; " +
			"GET says how far it is. One runs at a time: the same request meanwhile is answered with the one that runs.",
		answers:  map[int]string{http.StatusAccepted: "It runs."},
		problems: []*kind{invalidRequest, notFound, notDurableYet},
		missing:  auditsMissing,
	}, a.startAudit)
	register(a, operation{
		id: "audit", method: http.MethodGet, path: "/v1/audits/{id}", tag: tagAudits,
		summary:  "An audit and its findings",
		query:    pageParams("Findings in the page.", findingsMax, findingsDefault),
		answers:  map[int]string{http.StatusOK: "The audit as it is now."},
		problems: []*kind{malformed, invalidRequest, notFound, notDurableYet},
		missing:  "no such audit",
	}, a.showAudit)
}

const auditsMissing = "this server keeps no audits"

func (a *API) startAudit(r *http.Request, in *AuditRequest) (reply[Audit], error) {
	var faults []cache.Fault
	for _, of := range []struct{ path, text string }{{"/sku", in.SKU}, {"/location", in.Location}} {
		if of.text != "" && !cache.IsIdentifier(of.text) {
			faults = append(faults, cache.Fault{Path: of.path, Message: "is no identifier"})
		}
	}
	faults = append(faults, cache.ActorFaults(in.Actor)...)
	if in.MaxUnits.positive() < 0 {
		faults = append(faults, cache.Fault{Path: "/max_units", Message: "must be at least 1"})
	}
	if len(faults) > 0 {
		return reply[Audit]{}, &cache.InvalidError{Faults: faults}
	}
	if a.options.Audits == nil {
		return reply[Audit]{}, cache.ErrNotFound
	}
	started, err := a.options.Audits.StartAudit(r.Context(), StartAudit{
		Repair: in.Repair, SKU: in.SKU, Location: in.Location, Actor: in.Actor, MaxUnits: in.MaxUnits.positive(),
	})
	return reply[Audit]{body: started, status: http.StatusAccepted, location: "/v1/audits/" + url.PathEscape(started.ID)}, err
}

func (a *API) showAudit(r *http.Request, _ *nothing) (reply[Audit], error) {
	limit, after := 0, ""
	if err := readQuery(r.URL.RawQuery, &limit, map[string]func(string){"cursor": func(v string) { after = v }}); err != nil {
		return reply[Audit]{}, err
	}
	if limit == 0 {
		limit = findingsDefault
	}
	if limit < 1 || limit > findingsMax {
		return reply[Audit]{}, &cache.InvalidError{Faults: []cache.Fault{{Path: "/limit", Message: "must be from 1 to 500"}}}
	}
	if after != "" && !cache.IsIdentifier(after) {
		return reply[Audit]{}, &cache.InvalidError{Faults: []cache.Fault{{Path: "/cursor", Message: "is none that was given out"}}}
	}
	id := r.PathValue("id")
	if a.options.Audits == nil || !cache.IsIdentifier(id) {
		return reply[Audit]{}, cache.ErrNotFound
	}
	found, err := a.options.Audits.Audit(r.Context(), id, after, limit)
	return reply[Audit]{body: found}, err
}

// FormatTime is a time as answers have it; "" where there is none.
func FormatTime(t time.Time) string { return formatTime(t) }
