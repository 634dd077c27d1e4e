package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/internal/contract"
)

func TestMalformed(t *testing.T) {
	const reserve, confirm = "/v1/reservations", "/v1/reservations/x/confirm"
	for _, c := range []struct {
		name, target, body string
		status             int
		tail               string // of the answer, from detail on
	}{
		{"not JSON", reserve, `id=1`, 400, `"detail":"the body is not JSON at byte 0","code":"malformed"}`},
		{"cut off", reserve, `{"id": "a"`, 400, `"detail":"the body is not JSON at byte 10","code":"malformed"}`},
		{"more after it", reserve, `{} {}`, 400, `"detail":"the body is not JSON at byte 3","code":"malformed"}`},
		{"not UTF-8", reserve, "{\"id\": \"a\xff\"}", 400, `"detail":"the body is not JSON at byte 9","code":"malformed"}`},
		{"half a surrogate pair", reserve, `{"id": "\ud800"}`, 400, `"detail":"the body is not JSON at byte 8","code":"malformed"}`},
		{"a list", reserve, `[]`, 400, at("", "must be an object")},
		{"unknown field", reserve, `{"qty": 1}`, 400, at("/qty", "unknown field")},
		{"unknown field, deep", reserve, `{"lines": [{}, {"x/y": 1}]}`, 400, at("/lines/1/x~1y", "unknown field")},
		{"field in another case", reserve, `{"ID": "a"}`, 400, at("/ID", "unknown field")},
		{"field of another operation", confirm, `{"lines": []}`, 400, at("/lines", "unknown field")},
		{"twice", reserve, `{"id": "a", "id": "b"}`, 400, at("/id", "appears twice")},
		{"number as id", reserve, `{"id": 1}`, 400, at("/id", "must be a string")},
		{"string as quantity", reserve, `{"lines": [{"quantity": "1"}]}`, 400, at("/lines/0/quantity", "must be a whole number")},
		{"1.5", reserve, `{"lines": [{"quantity": 1.5}]}`, 400, at("/lines/0/quantity", "must be a whole number")},
		{"1e-3", reserve, `{"lines": [{"quantity": 1e-3}]}`, 400, at("/lines/0/quantity", "must be a whole number")},
		{"true as version", confirm, `{"version": true}`, 400, at("/version", "must be a whole number")},
		{"object as lines", reserve, `{"lines": {}}`, 400, at("/lines", "must be a list")},
		{"list as address", reserve, `{"ship_to": []}`, 400, at("/ship_to", "must be an object")},
		{"string as latitude", reserve, `{"ship_to": {"latitude": "1"}}`, 400, at("/ship_to/latitude", "must be a number")},
		{"string as repair", "/v1/audits", `{"repair": "yes"}`, 400, at("/repair", "must be true or false")},
		{"number as metadata", reserve, `{"metadata": {"a": 1}}`, 400, at("/metadata/a", "must be a string")},
		{
			"latitude beyond a float", reserve, `{"ship_to": {"latitude": 1e999}}`, 422,
			`"detail":"invalid request: /ship_to/latitude: is out of range","code":"invalid_request",` +
				`"errors":[{"path":"/ship_to/latitude","message":"is out of range"}]}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := &fakeStore{result: cache.Result{Reservation: held}}
			w := send(api.New(store, api.Options{}), http.MethodPost, c.target, c.body)
			if _, tail, _ := strings.Cut(w.Body.String(), `,"detail"`); w.Code != c.status || `"detail"`+tail != c.tail+"\n" {
				t.Errorf("%d %s\nwant %d %s", w.Code, w.Body, c.status, c.tail)
			}
			if store.asked != nil {
				t.Errorf("the store was asked %+v", store.asked)
			}
		})
	}
}

func at(path, message string) string {
	return `"detail":"malformed request: ` + path + `: ` + message + `","code":"malformed",` +
		`"errors":[{"path":"` + path + `","message":"` + message + `"}]}`
}

func TestMalformedQuery(t *testing.T) {
	for query, tail := range map[string]string{
		"sku-prefix=TEE":  at("/sku-prefix", "unknown parameter"),
		"limit=1&limit=2": at("/limit", "appears twice"),
		"limit=ten":       at("/limit", "must be a whole number"),
		"limit=1.0":       at("/limit", "must be a whole number"),
		"location=%zz":    `"detail":"the query is not valid percent-encoding","code":"malformed"}`,
	} {
		store := &fakeStore{}
		w := send(api.New(store, api.Options{}), http.MethodGet, "/v1/stock?"+query, "")
		if w.Code != 400 || !strings.HasSuffix(w.Body.String(), tail+"\n") || store.asked != nil {
			t.Errorf("%s: %d %s, want %s", query, w.Code, w.Body, tail)
		}
	}
}

func TestContentType(t *testing.T) {
	for _, c := range []struct {
		contentType, body string
		status            int
	}{
		{"application/json", "{}", 201},
		{"Application/JSON; charset=UTF-8", "{}", 201},
		{"application/json; charset=latin1", "{}", 415},
		{"application/x-www-form-urlencoded", "{}", 415},
		{"application/json;;", "{}", 415},
		{"", "{}", 415},
		{"", "", 201},
		{"text/plain", "", 201},
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/reservations", strings.NewReader(c.body))
		if c.contentType != "" {
			r.Header.Set("Content-Type", c.contentType)
		}
		w := httptest.NewRecorder()
		api.New(&fakeStore{}, api.Options{}).ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%q with %q: %d %s, want %d", c.contentType, c.body, w.Code, w.Body, c.status)
		}
		if c.status == 415 && !strings.Contains(w.Body.String(), `"detail":"send JSON, with the header Content-Type: application/json","code":"unsupported_media_type"`) {
			t.Errorf("%q: %s", c.contentType, w.Body)
		}
	}
}

func TestTooLarge(t *testing.T) {
	fits := "{" + strings.Repeat(" ", contract.BodyBytesMax-2) + "}"
	for name, c := range map[string]struct {
		body   io.Reader
		status int
	}{
		"fits":            {strings.NewReader(fits), 201},
		"too large":       {strings.NewReader(fits + " "), 413},
		"unknown length":  {io.MultiReader(strings.NewReader(fits), strings.NewReader(" ")), 413},
		"fits, unknown":   {io.MultiReader(strings.NewReader(fits)), 201},
		"length is wrong": {io.MultiReader(strings.NewReader(fits), strings.NewReader(fits)), 413},
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/reservations", c.body)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		api.New(&fakeStore{}, api.Options{}).ServeHTTP(w, r)
		if w.Code != c.status || c.status == 413 && !strings.Contains(w.Body.String(), `"code":"too_large"`) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// The rest of a body that is too large is read, so that its sender sees the answer. It is not read
// if it is far too long, or if the sender waits for a 100 Continue.
func TestTooLargeIsDrained(t *testing.T) {
	for name, c := range map[string]struct {
		length int64
		expect string
		read   int
	}{
		"length known":   {3 << 20, "", 3 << 20},
		"length unknown": {-1, "", 3 << 20},
		"far too long":   {1 << 40, "", 0},
		"100-continue":   {3 << 20, "100-continue", 0},
	} {
		body := strings.NewReader(strings.Repeat(" ", 3<<20))
		r := httptest.NewRequest(http.MethodPost, "/v1/reservations", io.MultiReader(body))
		r.ContentLength = c.length
		r.Header.Set("Content-Type", "application/json")
		if c.expect != "" {
			r.Header.Set("Expect", c.expect)
		}
		w := httptest.NewRecorder()
		api.New(&fakeStore{}, api.Options{}).ServeHTTP(w, r)
		if read := 3<<20 - body.Len(); w.Code != 413 || read != c.read {
			t.Errorf("%s: %d after %d bytes, want 413 after %d", name, w.Code, read, c.read)
		}
	}
}

// FuzzReserve sends random bodies to reserve. Every answer must be in the contract, and only a
// success may reach the store.
func FuzzReserve(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "null", benchBody, `{"id":"a","id":"b"}`, `{"ttl_seconds":99999999999999999999}`,
		`{"lines":[{"line":"1","sku":"s","quantity":1e3}]}`, `{"ship_to":{"latitude":1e999}}`, `[1`, "\xff", `{"id":"\ud800"}`,
		`{"metadata":{"a":null}}`, `{"ID":1}`, `{} x`,
	} {
		f.Add(seed)
	}
	store := &fakeStore{result: cache.Result{Reservation: held}}
	handler := api.New(store, api.Options{})
	f.Fuzz(func(t *testing.T, body string) {
		store.asked = nil
		w := send(handler, http.MethodPost, "/v1/reservations", body)
		if w.Code == 201 {
			if _, ok := store.asked.(cache.ReserveRequest); !ok {
				t.Fatalf("%q: the store was asked %v", body, store.asked)
			}
			return
		}
		var p contract.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatalf("%q: %s: %v", body, w.Body, err)
		}
		wants := map[int]string{400: "malformed", 413: "too_large", 422: "invalid_request"}
		if p.Status != w.Code || p.Code != wants[w.Code] || store.asked != nil {
			t.Fatalf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}

// FuzzCalls sends random calls to every operation. Every answer must be in the contract.
func FuzzCalls(f *testing.F) {
	for i, body := range []string{
		"", "null", "{}", "[]", `{"lines":[{"line":"1","sku":"s","quantity":1}]}`, `{"version":-0,"lines":[]}`, `{"version":1e999}`,
		`{"id":"a\u0000","on_hand":2147483648,"as_of":"2026-11-20T06:00:00+99:99"}`, `{"counts":[{"on_hand":-1}]}`, `{"skus":[""]}`,
		`{"locations":[{"id":"a","latitude":1e999}],"channels":null}`, "locations: [&a {id: *a}]", `{"metadata":{"a":"b","a":"c"}}`, `{}{}`,
	} {
		f.Add(uint8(i), "a", "limit=1&cursor=x", "application/json", `"3"`, body)
		f.Add(uint8(i+14), "%00", "limit=-0&limit=%zz", "application/yaml", "W/3", body)
	}
	f.Add(uint8(25), "a", "", "application/merge-patch+json", `"3"`, `{"version":3,"customer":null,"identities":["a","a"],"metadata":{"a":null}}`)
	f.Add(uint8(25), "a", "", "application/merge-patch+json", "", `{"order":"","metadata":null}`)
	f.Add(uint8(26), "a", "", "application/json", "", `{"id":"op","lines":[{"line":"1","quantity":-1},{"line":"2","sku":"","quantity":0}]}`)
	operations := []string{
		"POST /v1/reservations", "POST /v1/reservations/*/confirm", "POST /v1/reservations/*/release", "POST /v1/reservations/*/fulfill",
		"POST /v1/reservations/*/move", "POST /v1/reservations/*/return", "POST /v1/reservations/*/unfulfill", "POST /v1/reservations/*/extend", "PUT /v1/stock/*/b",
		"POST /v1/stock/adjustments", "POST /v1/stock/counts", "POST /v1/stock/transfers", "DELETE /v1/stock/*/b", "PUT /v1/directory",
		"POST /v1/route", "POST /v1/availability", "POST /v1/audits", "GET /v1/reservations", "GET /v1/reservations/*", "GET /v1/stock",
		"GET /v1/stock/*", "GET /v1/directory", "GET /v1/audits/*", "GET /*", "PATCH /v1/stock/*",
		"PATCH /v1/reservations/*", "POST /v1/reservations/*/amend",
	}
	store := &fakeStore{
		result: cache.Result{Reservation: held}, reservation: held, adjusted: cache.AdjustResult{Levels: []cache.AdjustedLevel{{Level: teeBerlin}}},
	}
	handler := api.New(store, api.Options{Audits: &fakeAudits{}, Hosts: &api.Hosts{}, Logger: quiet})
	f.Fuzz(func(t *testing.T, operation uint8, id, query, contentType, ifMatch, body string) {
		method, path, _ := strings.Cut(operations[int(operation)%len(operations)], " ")
		r := &http.Request{
			Method: method, Header: http.Header{"Content-Type": {contentType}, "If-Match": {ifMatch}}, Host: "localhost",
			URL:           &url.URL{Path: strings.Replace(path, "*", id, 1), RawPath: strings.Replace(path, "*", url.PathEscape(id), 1), RawQuery: query},
			ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r.WithContext(t.Context()))
		if w.Code < 300 {
			return
		}
		var p contract.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || p.Code == "" || p.Detail == "" || w.Code >= 500 {
			t.Fatalf("%s %s?%s %q: %d %s: %v", method, r.URL, query, body, w.Code, w.Body, err)
		}
	})
}

// TestIfMatch checks which versions the header If-Match may name. Without Directories, a valid one is
// refused later, with 409.
func TestIfMatch(t *testing.T) {
	handler := api.New(&fakeStore{}, api.Options{})
	for version, status := range map[string]int{
		"": 409, "*": 409, "3": 409, `"3"`: 409, `W/"3"`: 409, "9223372036854775807": 409,
		"+3": 400, "-0": 400, "-1": 400, `"3`: 400, `3"`: 400, `""`: 400, `"3", "4"`: 400, "W/3": 400, "x": 400, "3.0": 400, "9223372036854775808": 400,
	} {
		r := httptest.NewRequest(http.MethodPut, "/v1/directory", strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("If-Match", version)
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, r); w.Code != status {
			t.Errorf("%s: %d %s", version, w.Code, w.Body)
		}
	}
}
