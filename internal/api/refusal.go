package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/location"
)

// The refusals of this package.
var (
	errPath       = errors.New("no such path")
	errHost       = errors.New("called under a name of another site")
	errOrigin     = errors.New("called by a page of another site")
	errMethod     = errors.New("no such method")
	errMediaType  = errors.New("unsupported media type")
	errIDMismatch = errors.New("ids differ")
	errTooLarge   = errors.New("body too large")
	errBusy       = errors.New("too many requests at once")
	errDraining   = errors.New("shutting down")
	errNotReady   = errors.New("not ready")
)

// refusal maps an error to its problem. detail is the problem's detail if it does not depend on the
// error; fill adds what the error carries.
type refusal struct {
	err    error
	kind   *kind
	detail string
	fill   func(*contract.Problem, error)
}

// What a caller may rely on after a 503.
const (
	unknownOutcome = "; the outcome is unknown, repeat the same call with the same id"
	nothingChanged = "; nothing was changed, repeat the same call"
	maybeDone      = "; repeat the same call with the same id" // an earlier attempt may have done it and lost its reply
)

// refusals is the one table from errors to HTTP. The first row that matches counts. The refusals
// that a flash sale gives by the thousand come first.
var refusals = []refusal{
	{cache.ErrInsufficient, insufficientStock, "", fill(func(p *contract.Problem, e *cache.InsufficientError) {
		p.Shortages = convert(e.Shortages, shortage)
	})},
	{cache.ErrInvalid, invalidRequest, "", fill(fillInvalid)},
	{cache.ErrIDConflict, idConflict, "this id was used before for another request", nil},
	{cache.ErrUnknownStock, unknownStock, "", fill(func(p *contract.Problem, e *cache.UnknownStockError) { p.Lines = e.Lines })},
	{cache.ErrNoLocation, noLocation, "", fill(func(p *contract.Problem, e *cache.NoLocationError) {
		p.Rejected = convert(e.Rejected, rejected)
	})},
	{cache.ErrNotOnSale, notOnSale, "", fill(func(p *contract.Problem, e *cache.NotOnSaleError) {
		p.Campaign, p.StartsAt, p.EndsAt = e.Campaign, contract.Time{Time: e.StartsAt}, contract.Time{Time: e.EndsAt}
	})},
	{cache.ErrPurchaseLimit, purchaseLimit, "", fill(func(p *contract.Problem, e *cache.PurchaseLimitError) {
		p.Campaign, p.Limit, p.Taken, p.Identity = e.Campaign, &e.Limit, &e.Taken, e.Identity
	})},
	{cache.ErrCampaignSoldOut, campaignSoldOut, "", fill(func(p *contract.Problem, e *cache.CampaignSoldOutError) {
		p.Campaign, p.Limit, p.Taken = e.Campaign, &e.Total, &e.Taken
	})},
	{cache.ErrExpiredRequest, expiredRequest, "", fill(func(*contract.Problem, *cache.ExpiredRequestError) {})},
	{cache.ErrInUse, inUse, "", fill(func(p *contract.Problem, e *cache.InUseError) { p.Held, p.Committed = &e.Held, &e.Committed })},
	{cache.ErrFulfilled, alreadyFulfilled, "", fill(func(p *contract.Problem, e *cache.FulfilledError) {
		p.Fulfilled = convert(e.Lines, fulfilledLine)
	})},
	{cache.ErrNotFound, notFound, "", nil},
	{cache.ErrWrongState, wrongState, "", fill(func(p *contract.Problem, e *cache.WrongStateError) { p.State = string(e.State) })},
	{cache.ErrVersionConflict, versionConflict, "", fill(fillVersionConflict)},
	{cache.ErrRebuilding, rebuilding, "stock is being rebuilt from the ledger" + maybeDone, nil},
	{cache.ErrNotDurable, notDurableYet, "the ledger has not decided this yet" + maybeDone, nil},
	{cache.ErrBacklogFull, backlogFull, "too many changes wait to be written to the ledger" + maybeDone, nil},
	{cache.ErrRefused, unavailable, "redis refuses the call" + nothingChanged, nil},
	{cache.ErrUnavailable, unavailable, "redis is unavailable" + unknownOutcome, nil},
	{cache.ErrClosed, unavailable, "the server is shutting down" + maybeDone, nil},
	{cache.ErrCorrupt, internal, "a stored value is corrupt; see the server log", nil},
	{context.DeadlineExceeded, unavailable, "no answer in time" + unknownOutcome, nil},
	{context.Canceled, unavailable, "the call was cancelled" + unknownOutcome, nil},

	{ErrDirectoryIsFile, directoryIsFile, "this server reads its directory from a file: change the file that directory.file names", nil},
	{errMalformed, malformed, "", fill(func(p *contract.Problem, e *malformedError) { p.Errors = convert(e.faults, fault) })},
	{keys.ErrMissing, unauthenticated, "", fill(fillKey)},
	{keys.ErrMistyped, unauthenticated, "", fill(fillKey)},
	{keys.ErrNotRead, unavailable, keys.ErrNotRead.Error() + nothingChanged, nil},
	{keys.ErrUnknown, unauthenticated, "", fill(fillKey)},
	{keys.ErrRevoked, unauthenticated, "", fill(fillKey)},
	{keys.ErrExpired, unauthenticated, "", fill(fillKey)},
	{keys.ErrNoProvider, unavailable, keys.ErrNoProvider.Error() + nothingChanged, nil},
	{keys.ErrToken, unauthenticated, "", fill(fillKey)},
	{errTooMany, tooManyRequests, "the key sends more requests a second than it may" + nothingChanged, nil},
	{errRole, forbidden, "", fill(func(p *contract.Problem, e *roleError) { p.Role = string(e.role) })},
	{errCrowding, tooManyRequests, "the key has too many calls under way" + nothingChanged, nil},
	{errChannel, forbidden, "", fill(func(*contract.Problem, *channelError) {})},
	{errIDMismatch, idMismatch, "the header Idempotency-Key and id of the body differ: send one of them", nil},
	{errPath, notFound, "no such path; see /docs for the paths", nil},
	{errHost, forbidden, "the header Host does not name this server; to add a name, list it in the setting http.hosts", nil},
	{errOrigin, forbidden, "a page of another site must not call this from a browser", nil},
	{errMethod, methodNotAllowed, "this path does not have this method; see the header Allow", nil},
	{errMediaType, unsupportedMediaType, "send JSON, with the header Content-Type: application/json", nil},
	{errTooLarge, tooLarge, "the body is larger than 1 MiB (1048576 bytes)", nil},
	{errBusy, unavailable, "too many requests at once" + nothingChanged, nil},
	{ErrAuditRuns, unavailable, "another audit runs on this server; repeat the same call when it has ended", nil},
	{errDraining, unavailable, "the server is shutting down", nil},
	{errNotReady, unavailable, "the server can't reserve now", nil},
}

// unexpected is the refusal of any other error.
var unexpected = refusal{nil, internal, "unexpected error; see the server log", nil}

// problem returns err as a problem.
func problem(err error) *contract.Problem {
	row := &unexpected
	for i := range refusals {
		if errors.Is(err, refusals[i].err) {
			row = &refusals[i]
			break
		}
	}
	p := &contract.Problem{
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

// retryAfter is in seconds. A rebuild, a restart or a burst takes about that long.
const retryAfter = "1"

// refuse answers err. It logs err if it is a defect. missing is the detail of a 404; "" for that of
// err.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error, missing string) {
	p := problem(err)
	switch p.Status {
	case http.StatusNotFound:
		if missing != "" {
			p.Detail = missing
		}
	case http.StatusConflict:
		if p.Code == notOnSale.code {
			retryAtStart(w, err)
		}
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="holdfast"`)
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
		if r.Method == http.MethodGet || slices.Contains(withoutID, r.Pattern) {
			p.Detail = detailWithoutID(r.Method, p)
		}
	case http.StatusRequestEntityTooLarge:
		w.Header().Set("Connection", "close") // do not read the rest of the body
	case http.StatusInternalServerError:
		a.logger.Error("request failed", "method", r.Method, "route", r.Pattern,
			"path", r.URL.EscapedPath(), "request_id", w.Header().Get(requestIDHeader), "error", err)
	}
	writeProblem(w, p)
}

// retryAtStart tells the caller how many seconds are left until the campaign starts.
func retryAtStart(w http.ResponseWriter, err error) {
	if e, ok := errors.AsType[*cache.NotOnSaleError](err); ok && e.Wait() > 0 {
		w.Header().Set("Retry-After", strconv.FormatFloat(math.Ceil(e.Wait().Seconds()), 'f', 0, 64))
	}
}

// withoutID lists the calls that take no id, besides those with GET. Each is safe to repeat.
var withoutID = []string{
	"POST /v1/route", "POST /v1/stock/query", "POST /v1/availability", "POST /v1/audits", "PUT /v1/directory", "DELETE /v1/stock/{sku}/{location}",
}

// detailWithoutID returns the detail of a 503 for a call that takes no id.
func detailWithoutID(method string, p *contract.Problem) string {
	for _, withID := range []string{unknownOutcome, maybeDone} {
		if what, cut := strings.CutSuffix(p.Detail, withID); cut {
			if p.Code == notDurableYet.code && method != http.MethodDelete {
				what = "the ledger does not answer"
			}
			return what + "; repeat the same call"
		}
	}
	return p.Detail
}

// fill returns a refusal's fill that takes the detail from an error of type E, and the rest by add.
func fill[E error](add func(*contract.Problem, E)) func(*contract.Problem, error) {
	return func(p *contract.Problem, err error) {
		if e, ok := errors.AsType[E](err); ok {
			p.Detail = e.Error()
			add(p, e)
		}
	}
}

func fillInvalid(p *contract.Problem, e *cache.InvalidError) {
	p.Errors = convert(e.Faults, fault)
	if n := len(e.Faults); n > 1 {
		p.Detail = fmt.Sprintf("%v: %d faults, the first: %s: %s",
			cache.ErrInvalid, n, e.Faults[0].Path, e.Faults[0].Message)
	}
}

func fillKey(p *contract.Problem, e *keyError) { p.Role = string(e.role) }

func fillVersionConflict(p *contract.Problem, e *cache.VersionError) {
	if e.SKU == "" {
		p.Version = &e.Current
	} else {
		p.OnHand, p.SKU, p.Location = &e.Current, string(e.SKU), string(e.Location)
	}
}

func fault(f *cache.Fault) contract.Fault { return contract.Fault(*f) }

func shortage(s *cache.Shortage) contract.Shortage {
	return contract.Shortage{Line: s.Line, SKU: string(s.SKU), Requested: s.Requested, Available: s.Available}
}

func fulfilledLine(l *cache.FulfilledLine) contract.Fulfilled {
	return contract.Fulfilled{Line: l.Line, Requested: l.Requested, Fulfilled: l.Fulfilled}
}

func rejected(r *location.Rejected) contract.Rejected {
	return contract.Rejected{Line: r.Line, Location: string(r.Location), Reason: string(r.Reason)}
}

// invalid returns the error for one fault.
func invalid(path, message string) error {
	return &cache.InvalidError{Faults: []cache.Fault{{Path: path, Message: message}}}
}
