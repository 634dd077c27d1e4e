package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/holdfast/holdfast/cache"
)

// What this package itself refuses with.
var (
	errPath      = errors.New("no such path")
	errOrigin    = errors.New("called by a page of another site")
	errMethod    = errors.New("no such method")
	errMediaType = errors.New("unsupported media type")
	errTooLarge  = errors.New("body too large")
	errBusy      = errors.New("too many requests at once")
	errDraining  = errors.New("shutting down")
	errNotReady  = errors.New("not ready")
)

// refusal maps one error to the problem that it is. detail is the problem's, where it doesn't
// depend on the error; fill adds what the error carries.
type refusal struct {
	err    error
	kind   *kind
	detail string
	fill   func(*Problem, error)
}

// What a caller may rely on after a 503.
const (
	unknownOutcome = "; the outcome is unknown, repeat the same call with the same id"
	nothingChanged = "; nothing was changed, repeat the same call"
	maybeDone      = "; repeat the same call with the same id" // an attempt before may have done it, and its reply was lost
)

// refusals is the one table from errors to HTTP; the first row that is the error counts. Those that
// a flash sale gives by the thousand come first.
var refusals = []refusal{
	{cache.ErrInsufficient, insufficientStock, "", fillInsufficient},
	{cache.ErrInvalid, invalidRequest, "", fillInvalid},
	{cache.ErrIDConflict, idConflict, "this id was used before for another request", nil},
	{cache.ErrUnknownStock, unknownStock, "", fillUnknownStock},
	{cache.ErrNoLocation, noLocation, "", fillNoLocation},
	{cache.ErrPurchaseLimit, purchaseLimit, "", fillPurchaseLimit},
	{cache.ErrInUse, inUse, "", fillInUse},
	{cache.ErrNotFound, notFound, "", nil},
	{cache.ErrWrongState, wrongState, "", fillWrongState},
	{cache.ErrVersionConflict, versionConflict, "", fillVersionConflict},
	{cache.ErrRebuilding, rebuilding, "stock is being rebuilt from the ledger" + maybeDone, nil},
	{cache.ErrNotDurable, notDurableYet, "the ledger has not decided this yet; repeat the same call with the same id", nil},
	{cache.ErrBacklogFull, backlogFull, "too much waits to be written to the ledger" + maybeDone, nil},
	{cache.ErrUnavailable, unavailable, "redis is unavailable" + unknownOutcome, nil},
	{cache.ErrClosed, unavailable, "the server is shutting down; repeat the same call with the same id", nil},
	{cache.ErrCorrupt, internal, "a stored value is corrupt; the log of the server names it", nil},
	{context.DeadlineExceeded, unavailable, "no answer in time" + unknownOutcome, nil},
	{context.Canceled, unavailable, "the call was given up" + unknownOutcome, nil},

	{ErrDirectoryIsFile, directoryIsFile, "this server reads its directory from a file (directory.file): change that file", nil},
	{errMalformed, malformed, "", fillMalformed},
	{errPath, notFound, "no such path; /docs lists those there are", nil},
	{errOrigin, forbidden, "a page of another site must not make a browser call this", nil},
	{errMethod, methodNotAllowed, "the header Allow names the methods that this path has", nil},
	{errMediaType, unsupportedMediaType, "send JSON, with the header Content-Type: application/json", nil},
	{errTooLarge, tooLarge, "the body is larger than 1 MiB (1048576 bytes)", nil},
	{errBusy, unavailable, "too many requests at once" + nothingChanged, nil},
	{ErrAuditRuns, unavailable, "another audit runs in this server; nothing was begun, repeat the same call when it has ended", nil},
	{errDraining, unavailable, "the server is shutting down", nil},
	{errNotReady, unavailable, "reserve can't be served now", nil},
}

// unexpected is any other error.
var unexpected = refusal{nil, internal, "unexpected error; the log of the server names it", nil}

func refusalOf(err error) *refusal {
	for i := range refusals {
		if errors.Is(err, refusals[i].err) {
			return &refusals[i]
		}
	}
	return &unexpected
}

// problem is err as a problem.
func problem(err error) *Problem {
	row := refusalOf(err)
	p := &Problem{
		Type:   row.kind.uri(),
		Title:  row.kind.title,
		Status: row.kind.status,
		Detail: row.detail,
		Code:   row.kind.code,
	}
	if row.fill != nil {
		row.fill(p, err)
	}
	if p.Detail == "" {
		p.Detail = row.kind.title
	}
	return p
}

// retryAfter is in seconds: a rebuild, a restart or a burst is over, or not, in about that time.
const retryAfter = "1"

// refuse answers err, and logs it where it is no refusal but a defect.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error, missing string) {
	p := problem(err)
	switch p.Status {
	case http.StatusNotFound:
		if missing != "" {
			p.Detail = missing
		}
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusRequestEntityTooLarge:
		w.Header().Set("Connection", "close") // the rest of the body is not worth reading
	case http.StatusInternalServerError:
		a.logger.Error("request failed", "method", r.Method, "route", r.Pattern,
			"path", r.URL.EscapedPath(), "error", err)
	}
	p.write(w)
}

func fillInsufficient(p *Problem, err error) {
	var e *cache.InsufficientError
	if errors.As(err, &e) {
		p.Detail, p.Shortages = e.Error(), shortages(e.Shortages)
	}
}

func fillInvalid(p *Problem, err error) {
	var e *cache.InvalidError
	if errors.As(err, &e) {
		p.Detail, p.Errors = e.Error(), faults(e.Faults)
		if n := len(e.Faults); n > 1 {
			p.Detail = fmt.Sprintf("%v: %d faults, the first: %s: %s",
				cache.ErrInvalid, n, e.Faults[0].Path, e.Faults[0].Message)
		}
	}
}

func fillUnknownStock(p *Problem, err error) {
	var e *cache.UnknownStockError
	if errors.As(err, &e) {
		p.Detail, p.Lines = e.Error(), e.Lines
	}
}

func fillNoLocation(p *Problem, err error) {
	var e *cache.NoLocationError
	if errors.As(err, &e) {
		p.Detail, p.Rejected = e.Error(), rejected(e.Rejected)
	}
}

func fillWrongState(p *Problem, err error) {
	var e *cache.WrongStateError
	if errors.As(err, &e) {
		p.Detail, p.State = e.Error(), string(e.State)
	}
}

func fillVersionConflict(p *Problem, err error) {
	var e *cache.VersionError
	if !errors.As(err, &e) {
		return
	}
	p.Detail = e.Error()
	if e.SKU == "" {
		p.Version = &e.Current
	} else {
		p.OnHand = &e.Current
	}
}

func fillMalformed(p *Problem, err error) {
	var e *malformedError
	if errors.As(err, &e) {
		p.Detail, p.Errors = e.Error(), faults(e.faults)
	}
}
