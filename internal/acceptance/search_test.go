package acceptance

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// found returns the ids on all pages of a search.
func (p *program) found(t *testing.T, query string) string {
	t.Helper()
	var ids []string
	for cursor := ""; ; {
		path := "/v1/reservations?" + query
		if cursor != "" {
			path += "&cursor=" + url.QueryEscape(cursor)
		}
		page := decoded(t, p.do(t, "when", get(path)).body)
		for _, entry := range page["reservations"].([]any) {
			ids = append(ids, entry.(map[string]any)["id"].(string))
		}
		next, more := page["next_cursor"]
		if !more {
			return strings.Join(ids, " ")
		}
		cursor = next.(string)
	}
}

func TestSearch(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		p.do(t, "when", get("/v1/reservations").is(200, `{"reservations": []}`))
		p.do(t, "given", level("TEE", "berlin", 10))
		p.do(t, "given", level("MUG", "lyon", 10))
		for n, sku := range []string{"TEE", "MUG", "TEE"} {
			p.do(t, "given", reserve(fmt.Sprintf(`{"id": "o%d", "customer": "c%d", "order": "5512/%d", "lines": [{"line": "L%d", "sku": "%s", "quantity": 1}]}`,
				n, n%2, n, n, sku)))
		}
		p.do(t, "given", transition("confirm", "o0", ""))
		await(t, "the ledger to have them", func() bool { return p.found(t, "") == "o2 o1 o0" })
		for query, want := range map[string]string{
			"limit=1": "o2 o1 o0", "state=held": "o2 o1", "state=confirmed": "o0", "state=expired": "",
			"order=5512%2F1": "o1", "customer=c0": "o2 o0", "line=L2": "o2", "sku=TEE": "o2 o0", "location=lyon": "o1",
			"sku=TEE&customer=c0&state=held": "o2",
		} {
			if got := p.found(t, query); got != want {
				t.Errorf("%s finds %q, want %q", query, got, want)
			}
		}
		p.do(t, "then", get("/v1/reservations?limit=500&order=5512/1").is(200, `{"reservations": [`+
			`{"id": "o1", "state": "held", "version": 1, "expires_at": "<time>", "created_at": "<time>", "customer": "c1", "order": "5512/1", "lines": [`+
			line("L1", "MUG", 1, 1, 0, "lyon")+`]}]}`))
		for _, wrong := range []string{"limit=501", "limit=0", "state=sold", "cursor=x", "sku=%7B"} {
			name, _, _ := strings.Cut(wrong, "=")
			p.do(t, "when", invalid(get("/v1/reservations?"+wrong), "/"+name))
		}
		p.do(t, "when", get("/v1/reservations?orders=1").refused(400, "malformed", `"errors": "<any>"`))
	})
}
