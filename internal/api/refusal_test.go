package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/location"
)

// refusals are errors of the store and the whole problem that answers each.
var refusals = []struct {
	err    error
	status int
	code   string
	title  string
	rest   string // of the body, after title and status
	retry  string
}{
	{
		&cache.InvalidError{Faults: []cache.Fault{{Path: "/id", Message: "is required"}, {Path: "/lines", Message: "must be 1 to 100"}}},
		422, "invalid_request", "Invalid request",
		`"detail":"invalid request: 2 faults, the first: /id: is required","code":"invalid_request",` +
			`"errors":[{"path":"/id","message":"is required"},{"path":"/lines","message":"must be 1 to 100"}]}`, "",
	},
	{
		&cache.InsufficientError{Shortages: []cache.Shortage{{Line: "1", SKU: "TEE-M", Requested: 2, Available: 0}}},
		409, "insufficient_stock", "Insufficient stock",
		`"detail":"insufficient stock: line 1: TEE-M: 2 requested, 0 available","code":"insufficient_stock",` +
			`"shortages":[{"line":"1","sku":"TEE-M","requested":2,"available":0}]}`, "",
	},
	{
		&cache.UnknownStockError{Lines: []string{"1", "2"}}, 409, "unknown_stock", "Unknown stock",
		`"detail":"unknown stock: no level for line 1, 2","code":"unknown_stock","lines":["1","2"]}`, "",
	},
	{
		&cache.NoLocationError{Rejected: []location.Rejected{{Line: "1", Location: "lyon", Reason: location.ReasonZone}}},
		409, "no_location", "No location",
		`"detail":"no location may serve this: line 1: lyon: zone","code":"no_location",` +
			`"rejected":[{"line":"1","location":"lyon","reason":"zone"}]}`, "",
	},
	{
		&cache.ExpiredRequestError{NotAfter: created, Now: created.Add(10*time.Second + time.Millisecond)}, 409, "expired_request", "Expired request",
		`"detail":"expired request: not_after was 2026-11-27T08:00:00.000Z, and the server's clock says 2026-11-27T08:00:10.001Z: ` +
			`this call changed nothing","code":"expired_request"}`, "",
	},
	{
		&cache.WrongStateError{State: cache.StateReleased}, 409, "wrong_state", "Wrong state",
		`"detail":"wrong state: the reservation is released","code":"wrong_state","state":"released"}`, "",
	},
	{
		&cache.VersionError{Current: 3}, 409, "version_conflict", "Version conflict",
		`"detail":"version conflict: the version is now 3","code":"version_conflict","version":3}`, "",
	},
	{
		&cache.VersionError{Current: 0, SKU: "TEE-M", Location: "berlin"}, 409, "version_conflict", "Version conflict",
		`"detail":"version conflict: on hand of TEE-M at berlin is now 0","code":"version_conflict","on_hand":0,"sku":"TEE-M","location":"berlin"}`, "",
	},
	{
		&cache.NotOnSaleError{
			Campaign: "drop", StartsAt: time.UnixMilli(1_900_000_000_001), EndsAt: time.UnixMilli(1_900_000_060_000), Now: time.UnixMilli(1_900_000_000_000),
		}, 409, "not_on_sale", "Not on sale",
		`"detail":"not on sale: drop starts at 2030-03-17T17:46:40.001Z","code":"not_on_sale","campaign":"drop",` +
			`"starts_at":"2030-03-17T17:46:40.001Z","ends_at":"2030-03-17T17:47:40.000Z"}`, "1",
	},
	{
		&cache.NotOnSaleError{Campaign: "drop", StartsAt: time.UnixMilli(1_900_000_000_000), Now: time.UnixMilli(1_899_999_940_000)},
		409, "not_on_sale", "Not on sale", `"detail":"not on sale: drop starts at 2030-03-17T17:46:40.000Z","code":"not_on_sale",` +
			`"campaign":"drop","starts_at":"2030-03-17T17:46:40.000Z"}`, "60",
	},
	{
		&cache.NotOnSaleError{Campaign: "drop", EndsAt: time.UnixMilli(1_900_000_000_000), Now: time.UnixMilli(1_900_000_000_000)},
		409, "not_on_sale", "Not on sale", `"detail":"not on sale: drop ended at 2030-03-17T17:46:40.000Z","code":"not_on_sale",` +
			`"campaign":"drop","ends_at":"2030-03-17T17:46:40.000Z"}`, "",
	},
	{
		&cache.CampaignSoldOutError{Campaign: "drop", Total: 100, Taken: 99}, 409, "campaign_sold_out", "Campaign sold out",
		`"detail":"campaign sold out: drop has 1 of its 100 units left","code":"campaign_sold_out","campaign":"drop","limit":100,"taken":99}`, "",
	},
	{
		cache.ErrIDConflict, 409, "id_conflict", "Id already used",
		`"detail":"this id was used before for another request","code":"id_conflict"}`, "",
	},
	{
		cache.ErrNotFound, 404, "not_found", "Not found",
		`"detail":"no such reservation; if a reserve with this id was answered 201, the hold was lost: ` +
			`repeat the reserve with the same id and body, then confirm","code":"not_found"}`, "",
	},
	{
		cache.ErrUnavailable, 503, "unavailable", "Unavailable",
		`"detail":"redis is unavailable; the outcome is unknown, repeat the same call with the same id","code":"unavailable"}`, "1",
	},
	{
		cache.ErrClosed, 503, "unavailable", "Unavailable",
		`"detail":"the server is shutting down; repeat the same call with the same id","code":"unavailable"}`, "1",
	},
	{
		context.DeadlineExceeded, 503, "unavailable", "Unavailable",
		`"detail":"no answer in time; the outcome is unknown, repeat the same call with the same id","code":"unavailable"}`, "1",
	},
	{
		context.Canceled, 503, "unavailable", "Unavailable",
		`"detail":"the call was cancelled; the outcome is unknown, repeat the same call with the same id","code":"unavailable"}`, "1",
	},
	{
		cache.ErrRebuilding, 503, "rebuilding", "Rebuilding",
		`"detail":"stock is being rebuilt from the ledger; repeat the same call with the same id","code":"rebuilding"}`, "1",
	},
	{
		cache.ErrBacklogFull, 503, "backlog_full", "Backlog full",
		`"detail":"too many changes wait to be written to the ledger; repeat the same call with the same id","code":"backlog_full"}`, "1",
	},
	{
		cache.ErrCorrupt, 500, "internal", "Internal error",
		`"detail":"a stored value is corrupt; see the server log","code":"internal"}`, "",
	},
	{
		errors.New("dial tcp 10.0.0.7: secret"), 500, "internal", "Internal error",
		`"detail":"unexpected error; see the server log","code":"internal"}`, "",
	},
}

// Each error is wrapped, as the store does it.
func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		t.Run(strings.ReplaceAll(c.err.Error(), "/", "_"), func(t *testing.T) {
			store := &fakeStore{err: fmt.Errorf("confirm ord-1001: %w", c.err)}
			w := send(api.New(store, api.Options{Logger: quiet}), http.MethodPost, "/v1/reservations/ord-1001/confirm", "")
			want := fmt.Sprintf(`{"type":"/docs/problems#%s","title":"%s","status":%d,%s`+"\n", c.code, c.title, c.status, c.rest)
			if w.Code != c.status || w.Body.String() != want {
				t.Errorf("%d\n  %s\nwant %d\n  %s", w.Code, w.Body, c.status, want)
			}
			if got := w.Header().Get("Content-Type"); got != contract.ProblemType {
				t.Errorf("Content-Type %q", got)
			}
			if got := w.Header().Get("Retry-After"); got != c.retry {
				t.Errorf("Retry-After %q, want %q", got, c.retry)
			}
		})
	}
}

func TestNotFoundByOperation(t *testing.T) {
	for target, want := range map[string]string{
		"GET /v1/stock/TEE-M":        "this SKU has no level at any location",
		"POST /v1/stock/adjustments": "no such level; units can only be taken from a level that exists",
	} {
		method, path, _ := strings.Cut(target, " ")
		w := send(api.New(&fakeStore{err: cache.ErrNotFound}, api.Options{}), method, path, "")
		if w.Code != 404 || !strings.Contains(w.Body.String(), `"detail":"`+want+`","code":"not_found"`) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

// TestUnavailable_WithoutID tells a caller to repeat the call, and nothing about an id if the call
// has none.
func TestUnavailable_WithoutID(t *testing.T) {
	const ledgerDown, redisDown = "the ledger does not answer; repeat the same call", "redis is unavailable; repeat the same call"
	for _, c := range []struct {
		method, target, body string
		err                  error
		want                 string
	}{
		{"GET", "/v1/reservations?state=held", "", cache.ErrNotDurable, ledgerDown},
		{"GET", "/v1/reservations/a", "", cache.ErrNotDurable, ledgerDown},
		{"GET", "/v1/stock", "", cache.ErrNotDurable, ledgerDown},
		{"GET", "/v1/stock/TEE-M", "", cache.ErrUnavailable, redisDown},
		{"GET", "/v1/audits/a", "", cache.ErrNotDurable, ledgerDown},
		{"POST", "/v1/audits", "{}", cache.ErrNotDurable, ledgerDown},
		{"POST", "/v1/route", `{"lines": [{"line": "1", "sku": "TEE-M", "quantity": 1}]}`, cache.ErrUnavailable, redisDown},
		{"POST", "/v1/availability", `{"skus": ["TEE-M"]}`, cache.ErrUnavailable, redisDown},
		{"DELETE", "/v1/stock/TEE-M/berlin", "", cache.ErrUnavailable, redisDown},
	} {
		handler := api.New(&fakeStore{err: c.err}, api.Options{Logger: quiet, Audits: &fakeAudits{err: c.err}})
		w := send(handler, c.method, c.target, c.body)
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"detail":"`+c.want+`",`) {
			t.Errorf("%s %s: %d %s", c.method, c.target, w.Code, w.Body)
		}
	}
}
