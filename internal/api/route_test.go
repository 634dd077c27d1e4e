package api_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/internal/contract"
)

const noPathJSON = `{"type":"/docs/problems#not_found","title":"Not found","status":404,` +
	`"detail":"no such path; see /docs for the paths","code":"not_found"}` + "\n"

func TestUnknownPath(t *testing.T) {
	handler := api.New(&fakeStore{}, api.Options{})
	for _, target := range []string{
		"GET /", "GET /v1", "GET /v2/stock", "GET /v1/reservations/", "POST /v1/reservations/", "POST /v1/reservations/a/vanish",
		"POST /v1/reservations/a/confirm/", "GET /v1/reservations/a/b", "GET /v1//stock", "GET //v1/stock", "GET /v1/./stock",
		"GET /v1/../v1/stock", "GET /v1/stock/.", "GET /v1/stock/..", "POST /v1/reservations//confirm", "GET /metrics",
		"POST /v1/availability/TEE-M", "GET /v1/audits/1/2", "CONNECT /", "HEAD /nowhere", "PROPFIND /v1",
	} {
		method, path, _ := strings.Cut(target, " ")
		w := send(handler, method, path, "")
		if w.Code != 404 || w.Body.String() != noPathJSON || w.Header().Get("Content-Type") != contract.ProblemType {
			t.Errorf("%s: %d %s %v", target, w.Code, w.Body, w.Header())
		}
	}
}

func TestMethodNotAllowed(t *testing.T) {
	handler := api.New(&fakeStore{}, api.Options{})
	for target, allow := range map[string]string{
		"PUT /v1/reservations":           "GET, HEAD, POST",
		"DELETE /v1/reservations/a":      "GET, HEAD, PATCH",
		"GET /v1/reservations/a/confirm": "POST",
		"POST /v1/stock":                 "GET, HEAD",
		"PUT /v1/stock/TEE-M":            "GET, HEAD",
		"PATCH /v1/stock/adjustments":    "GET, HEAD, POST",
		"GET /v1/stock/TEE-M/berlin":     "PUT, DELETE",
		"PATCH /v1/stock/a%2Fb/berlin":   "PUT, DELETE",
		"POST /livez":                    "GET, HEAD",
		"OPTIONS /openapi.json":          "GET, HEAD",
	} {
		method, path, _ := strings.Cut(target, " ")
		w := send(handler, method, path, "")
		if w.Code != 405 || w.Header().Get("Allow") != allow || !strings.Contains(w.Body.String(), `"code":"method_not_allowed"`) {
			t.Errorf("%s: %d Allow %q %s", target, w.Code, w.Header().Get("Allow"), w.Body)
		}
	}
}

func TestIdentifiersInPaths(t *testing.T) {
	for escaped, id := range map[string]string{
		"ord-1001":             "ord-1001",
		"a%2Fb":                "a/b",
		"a%2F%2Fb%2F":          "a//b/",
		"%2E%2E":               "..",
		"%2E":                  ".",
		"a..b":                 "a..b",
		"a%20b+c":              "a b+c",
		"caf%C3%A9":            "café",
		"%E6%B3%A8%E6%96%87-1": "注文-1",
		"a%25b":                "a%b",
		"a%3Fb%23c":            "a?b#c",
		"a;b=c":                "a;b=c",
		"%FF":                  "\xff",
	} {
		store := &fakeStore{reservation: held, result: cache.Result{Reservation: held}}
		handler := api.New(store, api.Options{Logger: quiet})
		if w := send(handler, "GET", "/v1/reservations/"+escaped, ""); w.Code != 200 || store.asked != id {
			t.Errorf("GET %s: %d, asked for %q", escaped, w.Code, store.asked)
		}
		send(handler, "POST", "/v1/reservations/"+escaped+"/extend", "")
		if want := (cache.ExtendRequest{ID: id}); !reflect.DeepEqual(store.asked, want) {
			t.Errorf("POST %s: asked for %+v", escaped, store.asked)
		}
		send(handler, "PUT", "/v1/stock/"+escaped+"/"+escaped, "")
		if c := store.asked.(cache.AdjustRequest).Changes[0]; string(c.SKU) != id || string(c.Location) != id {
			t.Errorf("PUT %s: asked for %+v", escaped, c)
		}
	}
}

// A page of another site must not release a reservation: a browser sends a POST without a body to
// any host.
func TestCrossOrigin(t *testing.T) {
	for site, status := range map[string]int{"cross-site": 403, "same-site": 403, "same-origin": 200, "none": 200, "": 200} {
		store := &fakeStore{}
		r := httptest.NewRequest(http.MethodPost, "/v1/reservations/a/release", nil)
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		w := httptest.NewRecorder()
		api.New(store, api.Options{}).ServeHTTP(w, r)
		if w.Code != status || (store.asked == nil) != (status == 403) {
			t.Errorf("%q: %d %s", site, w.Code, w.Body)
		}
		if status == 403 && !strings.Contains(w.Body.String(), `"code":"forbidden"`) {
			t.Errorf("%q: %s", site, w.Body)
		}
	}
}

// TestForeignOrigin checks that an older browser, which sends only Origin, is refused too.
func TestForeignOrigin(t *testing.T) {
	for origin, status := range map[string]int{
		"": 200, "http://127.0.0.1:8080": 200, "http://127.0.0.1:9": 403, "http://evil.example": 403, "null": 403, "https://127.0.0.1": 403,
	} {
		store := &fakeStore{}
		r := httptest.NewRequest(http.MethodPost, "/v1/reservations/a/release", nil)
		r.Host = "127.0.0.1:8080"
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		api.New(store, api.Options{Hosts: &api.Hosts{}}).ServeHTTP(w, r)
		if w.Code != status || (store.asked == nil) != (status == 403) {
			t.Errorf("%q: %d %s", origin, w.Code, w.Body)
		}
	}
}

func TestHeadOverTheWire(t *testing.T) {
	server := httptest.NewServer(api.New(&fakeStore{err: cache.ErrNotFound}, api.Options{}))
	defer server.Close()
	answer, err := server.Client().Head(server.URL + "/v1/reservations/a")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 404 || answer.Header.Get("Content-Type") != contract.ProblemType || answer.ContentLength < 100 {
		t.Errorf("%d %v %d", answer.StatusCode, answer.Header, answer.ContentLength)
	}
}

func TestPanic(t *testing.T) {
	var log bytes.Buffer
	store := &fakeStore{during: func(context.Context) { panic("the store is broken") }}
	handler := api.New(store, api.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	w := send(handler, "GET", "/v1/stock/TEE-M", "")
	want := `{"type":"/docs/problems#internal","title":"Internal error","status":500,` +
		`"detail":"unexpected error; see the server log","code":"internal"}` + "\n"
	if w.Code != 500 || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, part := range []string{"level=ERROR", "the store is broken", "fakeStore", `route="GET /v1/stock/{sku}"`} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log lacks %q: %s", part, &log)
		}
	}
}

func TestTooManyAtOnce(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	store := &fakeStore{during: func(context.Context) { entered <- struct{}{}; <-leave }}
	handler := api.New(store, api.Options{ConcurrentMax: 1})
	first := make(chan int)
	go func() { first <- send(handler, "GET", "/v1/stock/TEE-M", "").Code }()
	<-entered
	w := send(handler, "GET", "/v1/stock/TEE-M", "")
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"code":"unavailable"`) {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := send(handler, "GET", "/livez", ""); w.Code != 200 {
		t.Errorf("/livez %d", w.Code)
	}
	close(leave)
	if code := <-first; code != 200 {
		t.Errorf("the first call: %d", code)
	}
	store.during = nil
	if w := send(handler, "GET", "/v1/stock/TEE-M", ""); w.Code != 200 {
		t.Errorf("after it: %d", w.Code)
	}
}

type observed struct {
	method, route string
	status        int
}

type observer struct{ got []observed }

func (o *observer) Request(method, route string, status int, _ time.Duration) {
	o.got = append(o.got, observed{method, route, status})
}

func TestObserver(t *testing.T) {
	o := &observer{}
	panics := &fakeStore{during: func(context.Context) { panic("x") }}
	handler := api.New(panics, api.Options{Observer: o, Logger: quiet, Metrics: http.NotFoundHandler()})
	for _, target := range []string{
		"GET /v1/reservations/a%2Fb", "GET /livez", "GET /nowhere", "DELETE /v1/stock/a", "GET //", "GET /docs/swagger-ui.css", "GET /metrics",
	} {
		method, path, _ := strings.Cut(target, " ")
		send(handler, method, path, "")
	}
	want := []observed{
		{"GET", "/v1/reservations/{id}", 500}, {"GET", "/livez", 200}, {"GET", "", 404}, {"DELETE", "", 405}, {"GET", "", 404},
		{"GET", "/docs/", 200}, {"GET", "/metrics", 404},
	}
	if !reflect.DeepEqual(o.got, want) {
		t.Errorf("%v, want %v", o.got, want)
	}
}
