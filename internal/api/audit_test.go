package api_test

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/internal/contract"
)

// fakeAudits returns audit and err, and records its last request.
type fakeAudits struct {
	asked any
	audit contract.Audit
	err   error
}

func (f *fakeAudits) StartAudit(_ context.Context, r api.StartAudit) (contract.Audit, error) {
	r.RequestID = ""
	f.asked = r
	return f.audit, f.err
}

func (f *fakeAudits) Audit(_ context.Context, id, after string, limit int) (contract.Audit, error) {
	f.asked = []any{id, after, limit}
	return f.audit, f.err
}

func TestAudits(t *testing.T) {
	for _, c := range []struct {
		name, method, path, body string
		err                      error
		status                   int
		asked                    any
		answer                   string
	}{
		{"no body", "POST", "/v1/audits", "", nil, 202, api.StartAudit{}, `"id":"a-1"`},
		{"repair", "POST", "/v1/audits", `{"repair": true, "sku": "TEE", "location": "berlin", "actor": "anna", "max_units": 5}`, nil, 202,
			api.StartAudit{Repair: true, SKU: "TEE", Location: "berlin", By: cache.By{Actor: "anna"}, MaxUnits: 5}, `"state":"running"`},
		{"invalid fields", "POST", "/v1/audits", `{"max_units": 0, "sku": "{"}`, nil, 422, nil, `"path":"/max_units"`},
		{"invalid actor", "POST", "/v1/audits", `{"actor": "a\u001db"}`, nil, 422, nil, `"path":"/actor"`},
		{"unknown field", "POST", "/v1/audits", `{"fix": true}`, nil, 400, nil, `"code":"malformed"`},
		{"another audit runs", "POST", "/v1/audits", "", api.ErrAuditRuns, 503, api.StartAudit{}, `another audit runs on this server`},
		{"one page", "GET", "/v1/audits/a-1?limit=7&cursor=f", "", nil, 200, []any{"a-1", "f", 7}, `"findings":[{"id":"f1","kind":"counter_drift"`},
		{"default page", "GET", "/v1/audits/a-1", "", nil, 200, []any{"a-1", "", 50}, `"redis":{"available":14},"ledger":null`},
		{"limit too large", "GET", "/v1/audits/a-1?limit=501", "", nil, 422, nil, `"path":"/limit"`},
		{"invalid cursor", "GET", "/v1/audits/a-1?cursor=%00", "", nil, 422, nil, `"path":"/cursor"`},
		{"invalid id", "GET", "/v1/audits/a%00", "", nil, 404, nil, "no such audit"},
		{"unknown id", "GET", "/v1/audits/a-2", "", cache.ErrNotFound, 404, []any{"a-2", "", 50}, "no such audit"},
		{"ledger down", "GET", "/v1/audits/a-2", "", cache.ErrNotDurable, 503, []any{"a-2", "", 50}, "not_durable_yet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			audits := &fakeAudits{err: c.err, audit: contract.Audit{ID: "a-1", State: "running", Findings: []contract.AuditFinding{
				{ID: "f1", Kind: "counter_drift", State: "open", Redis: map[string]any{"available": 14}},
			}}}
			w := send(api.New(&fakeStore{}, api.Options{Audits: audits, Logger: quiet}), c.method, c.path, c.body)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.answer) || !reflect.DeepEqual(audits.asked, c.asked) {
				t.Errorf("%d %s, asked %+v", w.Code, w.Body, audits.asked)
			}
			if c.status == http.StatusAccepted && w.Header().Get("Location") != "/v1/audits/a-1" {
				t.Errorf("%v", w.Header())
			}
		})
	}
	if w := send(api.New(&fakeStore{}, api.Options{}), "POST", "/v1/audits", ""); w.Code != 404 {
		t.Errorf("without Audits: %d %s", w.Code, w.Body)
	}
}
