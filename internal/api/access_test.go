package api_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/internal/keys/keystest"
	"github.com/holdfast/holdfast/location"
)

var update = flag.Bool("update", false, "rewrite the table of roles in docs/security.md")

// ring returns a ring with a key for each role, and their texts.
func ring(more ...keys.Key) (*keys.Ring, map[keys.Role]string) {
	texts := map[keys.Role]string{}
	for _, role := range keys.Roles {
		id, text := keys.Generate()
		texts[role] = text
		more = append(more, keys.Key{ID: id, Name: "key-" + string(role), Roles: []keys.Role{role}, Hash: keys.HashOf(text)})
	}
	r := &keys.Ring{}
	r.Replace(more)
	return r, texts
}

// call sends a request with a key.
func call(handler http.Handler, method, path, key, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func problemOf(t *testing.T, w *httptest.ResponseRecorder) (p contract.Problem) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Code == "" {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return p
}

func withMetrics(r *keys.Ring, store api.Store) *api.API {
	return api.New(store, api.Options{Keys: r, Metrics: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
}

// TestRoles calls every route of the router without a key and with a key of each role.
func TestRoles(t *testing.T) {
	r, texts := ring()
	handler := withMetrics(r, &fakeStore{})
	if len(handler.Routes()) < 30 {
		t.Fatalf("%d routes", len(handler.Routes()))
	}
	for _, route := range handler.Routes() {
		name, path := route.Method+" "+route.Path, strings.NewReplacer("{", "", "}", "").Replace(route.Path)
		if route.Role != keys.Open && !slices.Contains(keys.Roles, route.Role) {
			t.Errorf("%s has the role %q: name one of package keys", name, route.Role)
			continue
		}
		anonymous := call(handler, route.Method, path, "", "")
		if open := anonymous.Code != http.StatusUnauthorized; open != (route.Role == keys.Open) {
			t.Errorf("%s without a key: %d", name, anonymous.Code)
		}
		if route.Role == keys.Open {
			continue
		}
		if p := problemOf(t, anonymous); p.Code != "unauthenticated" || p.Role != string(route.Role) || anonymous.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s without a key: %+v", name, p)
		}
		for role, text := range texts {
			w := call(handler, route.Method, path, text, "")
			if route.Role == role || route.Role == keys.Read {
				if w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden {
					t.Errorf("%s with the role %s: %d %s", name, role, w.Code, w.Body)
				}
			} else if p := problemOf(t, w); p.Code != "forbidden" || p.Role != string(route.Role) || !strings.Contains(p.Detail, "the role "+string(route.Role)) {
				t.Errorf("%s with the role %s: %d %+v", name, role, w.Code, p)
			}
		}
	}
}

// TestPeople lets people in who have signed in elsewhere, in the roles that their token names.
func TestPeople(t *testing.T) {
	r, texts := ring()
	p := keystest.StartProvider(t)
	handler := api.New(&fakeStore{}, api.Options{Keys: r, People: &keys.People{Issuer: p.URL, Audience: "holdfast", Claim: "groups"}})
	reader := p.Sign(p.Key, jose.ES256, "k1", p.Claims(map[string]any{"groups": []string{"read"}}))
	elsewhere := p.Sign(p.Key, jose.ES256, "k1", p.Claims(map[string]any{"aud": "shop"}))
	for _, c := range []struct {
		what, method, text string
		status             int
		code               string
	}{
		{"a person who may read", "GET", reader, 200, ""},
		{"a person who may only read", "POST", reader, 403, "forbidden"},
		{"a token for another program", "GET", elsewhere, 401, "unauthenticated"},
		{"a key beside tokens", "GET", texts[keys.Read], 200, ""},
	} {
		path := map[string]string{"GET": "/v1/stock", "POST": "/v1/reservations"}[c.method]
		w := call(handler, c.method, path, c.text, "")
		if w.Code != c.status || c.code != "" && problemOf(t, w).Code != c.code {
			t.Errorf("%s: %d %s", c.what, w.Code, w.Body)
		}
	}
	p.Down.Store(true)
	notYet := api.New(&fakeStore{}, api.Options{Keys: r, People: &keys.People{Issuer: p.URL, Audience: "holdfast", Claim: "groups"}})
	if w := call(notYet, "GET", "/v1/stock", reader, ""); w.Code != 503 {
		t.Errorf("the provider is down: %d %s", w.Code, w.Body)
	}
}

// TestRolesAreDescribed compares the roles of the routes with the OpenAPI document.
func TestRolesAreDescribed(t *testing.T) {
	d := document(t)
	if dig(t, d, "components", "securitySchemes", "key", "scheme") != "bearer" {
		t.Error("no scheme for keys")
	}
	paths := dig(t, d, "paths").(object)
	for _, route := range api.New(&fakeStore{}, api.Options{}).Routes() {
		path, described := paths[route.Path].(object)
		if !described {
			if strings.HasPrefix(route.Path, "/v1/") {
				t.Errorf("%s is not described", route.Path)
			}
			continue
		}
		operation := path[strings.ToLower(route.Method)].(object)
		var want any
		if route.Role != keys.Open {
			want = []any{object{"key": []any{string(route.Role)}}}
			for _, status := range []string{"401", "403", "429"} {
				dig(t, operation, "responses", status)
			}
		}
		if got := operation["security"]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s %s: security is %v, want %v", route.Method, route.Path, got, want)
		}
	}
}

// The table of roles stands between these lines of the page.
const (
	securityPage = "../../docs/security.md"
	tableBegin   = "<!-- roles: generated by go test ./internal/api -run TestRoleTable -update -->\n"
	tableEnd     = "<!-- end of roles -->\n"
)

// TestRoleTable checks that docs/security.md lists every route with its role.
func TestRoleTable(t *testing.T) {
	var table strings.Builder
	table.WriteString("| call | role |\n|---|---|\n")
	routes := withMetrics(nil, &fakeStore{}).Routes()
	order := append([]keys.Role{keys.Open}, keys.Roles...)
	slices.SortStableFunc(routes, func(a, b api.Route) int {
		return slices.Index(order, a.Role) - slices.Index(order, b.Role)
	})
	for _, route := range routes {
		role := "`" + string(route.Role) + "`"
		switch route.Role {
		case keys.Open:
			role = "no key"
		case keys.Read:
			role = "any"
		}
		fmt.Fprintf(&table, "| `%s %s` | %s |\n", route.Method, route.Path, role)
	}
	page, err := os.ReadFile(securityPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), tableBegin)
	_, after, ended := strings.Cut(rest, tableEnd)
	if !found || !ended {
		t.Fatalf("%s has no lines %q and %q", securityPage, tableBegin, tableEnd)
	}
	want := before + tableBegin + table.String() + tableEnd + after
	if *update {
		if err := os.WriteFile(securityPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(page) {
		t.Errorf("%s does not list the roles of the routes: run go test ./internal/api -run TestRoleTable -update", securityPage)
	}
}

// TestKeys sends keys that do not count.
func TestKeys(t *testing.T) {
	id, revoked := keys.Generate()
	id2, expired := keys.Generate()
	_, unknown := keys.Generate()
	id4, other := keys.Generate()
	_, secret := keys.Generate()
	past := time.Now().Add(-time.Minute)
	sell := []keys.Role{keys.Sell}
	r, texts := ring(
		keys.Key{ID: id, Name: "a", Roles: sell, Hash: keys.HashOf(revoked), RevokedAt: past},
		keys.Key{ID: id2, Name: "b", Roles: sell, Hash: keys.HashOf(expired), ExpiresAt: past},
		keys.Key{ID: id4, Name: "c", Roles: sell, Hash: keys.HashOf(secret)}, // known id, another secret
	)
	store := &fakeStore{result: cache.Result{Reservation: held}}
	handler := withMetrics(r, store)
	for key, want := range map[string]string{
		"": "no key", "x": "not a whole key", unknown: "no such key", other: "no such key", revoked: "was revoked", expired: "has expired",
		texts[keys.Sell][1:]: "not a whole key", texts[keys.Sell] + "a": "not a whole key",
	} {
		w := call(handler, "POST", "/v1/reservations", key, benchBody)
		if p := problemOf(t, w); w.Code != 401 || p.Code != "unauthenticated" || !strings.Contains(p.Detail, want) || p.Role != "sell" || store.asked != nil {
			t.Errorf("%q: %d %+v", want, w.Code, p)
		}
	}
	if w := call(handler, "POST", "/v1/reservations", texts[keys.Sell], benchBody); w.Code != 201 || store.asked == nil {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for name, header := range map[string]string{"basic": "Basic " + texts[keys.Sell], "no scheme": texts[keys.Sell]} {
		request := httptest.NewRequest("GET", "/v1/stock/TEE-M", nil)
		request.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, request)
		if w.Code != 401 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	notRead := withMetrics(&keys.Ring{}, store)
	if w := call(notRead, "POST", "/v1/reservations", texts[keys.Sell], benchBody); w.Code != 503 || !strings.Contains(w.Body.String(), "nothing was changed") {
		t.Errorf("before the keys are read: %d %s", w.Code, w.Body)
	}
}

// TestChannels calls with a key that is bound to the channel web.
func TestChannels(t *testing.T) {
	id, text := keys.Generate()
	r, _ := ring(keys.Key{ID: id, Name: "web", Roles: []keys.Role{keys.Sell, keys.Ship}, Channels: []string{"web"}, Hash: keys.HashOf(text)})
	ofShop := held
	ofShop.Channel = "shop"
	store := &fakeStore{result: cache.Result{Reservation: held}}
	handler := withMetrics(r, store)
	for _, c := range []struct {
		call, body string
		stored     cache.Reservation
		status     int
	}{
		{"POST /v1/reservations", benchBody, held, 201},
		{"POST /v1/reservations", strings.Replace(benchBody, `"channel": "web"`, `"channel": "shop"`, 1), held, 403},
		{"POST /v1/reservations", strings.Replace(benchBody, `"channel": "web", `, ``, 1), held, 403},
		{"POST /v1/route", strings.Replace(benchBody, `"channel": "web"`, `"channel": "shop"`, 1), held, 403},
		{"POST /v1/availability", `{"channel": "shop", "skus": ["TEE-M"]}`, held, 403},
		{"POST /v1/availability", `{"channel": "web", "skus": ["TEE-M"]}`, held, 200},
		{"GET /v1/reservations/ord-1001", "", held, 200},
		{"GET /v1/reservations/ord-1001", "", ofShop, 404},
		{"PATCH /v1/reservations/ord-1001", `{"order": "1"}`, ofShop, 404},
		{"POST /v1/reservations/ord-1001/confirm", "", held, 200},
		{"POST /v1/reservations/ord-1001/confirm", "", ofShop, 404},
		{"POST /v1/reservations/ord-1001/fulfill", "", ofShop, 404},
	} {
		store.asked, store.reservation = nil, c.stored
		method, path, _ := strings.Cut(c.call, " ")
		w := call(handler, method, path, text, c.body)
		if w.Code != c.status {
			t.Errorf("%s %s of channel %s: %d %s", c.call, c.body, c.stored.Channel, w.Code, w.Body)
		}
		if _, read := store.asked.(string); w.Code >= 400 && store.asked != nil && !read {
			t.Errorf("%s: refused, but the store was asked %v", c.call, store.asked)
		}
	}
	call(handler, "GET", "/v1/reservations", text, "")
	if got := store.asked.(cache.ReservationFilter).Channels; !slices.Equal(got, []location.Channel{"web"}) {
		t.Errorf("searched %v", got)
	}
}

// TestFlood sends more than a key may. The others are served.
func TestFlood(t *testing.T) {
	id, flooder := keys.Generate()
	r, texts := ring(keys.Key{ID: id, Name: "flooder", Roles: []keys.Role{keys.Sell}, Hash: keys.HashOf(flooder), Rate: 5})
	handler := withMetrics(r, &fakeStore{result: cache.Result{Reservation: held}})
	served := 0
	var last *httptest.ResponseRecorder
	for last == nil || last.Code != http.StatusTooManyRequests {
		last = call(handler, "POST", "/v1/reservations", flooder, benchBody)
		served++
		if served > 1_000_000 {
			t.Fatal("the flood is never refused")
		}
	}
	if p := problemOf(t, last); p.Code != "too_many_requests" || last.Header().Get("Retry-After") != "1" || served < 6 {
		t.Errorf("after %d: %+v", served, p)
	}
	if w := call(handler, "POST", "/v1/reservations", texts[keys.Sell], benchBody); w.Code != 201 {
		t.Errorf("another key: %d %s", w.Code, w.Body)
	}
}

// TestCrowd has one key with all the calls under way that it may have. The others are served.
func TestCrowd(t *testing.T) {
	r, texts := ring()
	gate := make(chan struct{})
	store := &crowdedStore{entered: make(chan struct{}), held: gate}
	handler := api.New(store, api.Options{Keys: r, ConcurrentMax: 4})
	answers := make(chan int, 2)
	for range 2 {
		go func() { answers <- call(handler, "POST", "/v1/reservations", texts[keys.Sell], benchBody).Code }()
		<-store.entered
	}
	w := call(handler, "POST", "/v1/reservations", texts[keys.Sell], benchBody)
	if p := problemOf(t, w); p.Code != "too_many_requests" {
		t.Errorf("%+v", p)
	}
	if w := call(handler, "GET", "/v1/stock", texts[keys.Read], ""); w.Code != 200 {
		t.Errorf("another key: %d %s", w.Code, w.Body)
	}
	close(gate)
	for range 2 {
		if code := <-answers; code != 201 {
			t.Errorf("a call under way: %d", code)
		}
	}
}

// crowdedStore holds every reserve until held is closed.
type crowdedStore struct {
	fakeStore
	entered, held chan struct{}
}

func (s *crowdedStore) Reserve(context.Context, cache.ReserveRequest) (cache.Result, error) {
	s.entered <- struct{}{}
	<-s.held
	return cache.Result{Reservation: held}, nil
}

// TestBy checks who is recorded for a change, with and without keys.
func TestBy(t *testing.T) {
	r, texts := ring()
	key := texts[keys.Stock]
	for _, c := range []struct {
		name, key, fields, sent string
		want                    cache.By
	}{
		{"no keys", "", `, "actor": "anna"`, "req-7", cache.By{Actor: "anna", RequestID: "req-7"}},
		{"no keys, on behalf", "", `, "actor": "pos-3", "on_behalf_of": "anna"`, "req-7", cache.By{Actor: "pos-3", OnBehalfOf: "anna", RequestID: "req-7"}},
		{"a key", key, ``, "req-7", cache.By{Actor: "key-stock", RequestID: "req-7"}},
		{"a forged actor", key, `, "actor": "boss"`, "req-7", cache.By{Actor: "key-stock", OnBehalfOf: "boss", RequestID: "req-7"}},
		{"on behalf", key, `, "actor": "boss", "on_behalf_of": "anna"`, "req-7", cache.By{Actor: "key-stock", OnBehalfOf: "anna", RequestID: "req-7"}},
		{"no id", key, ``, "", cache.By{Actor: "key-stock"}},
		{"an id that is not kept", key, ``, "a b\x1fc", cache.By{Actor: "key-stock"}},
		{"a long id", key, ``, strings.Repeat("a", 65), cache.By{Actor: "key-stock"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := &fakeStore{adjusted: cache.AdjustResult{Levels: []cache.AdjustedLevel{{Level: teeBerlin}}}}
			options := api.Options{}
			if c.key != "" {
				options.Keys = r
			}
			request := httptest.NewRequest("POST", "/v1/stock/adjustments",
				strings.NewReader(`{"id": "1", "sku": "TEE-M", "location": "berlin", "delta": 1`+c.fields+`}`))
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Authorization", "Bearer "+c.key)
			request.Header.Set("X-Request-Id", c.sent)
			w := httptest.NewRecorder()
			api.New(store, options).ServeHTTP(w, request)
			asked, ok := store.asked.(cache.AdjustRequest)
			if !ok {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			got := cache.By{Actor: asked.Actor, OnBehalfOf: asked.OnBehalfOf, RequestID: store.requestID}
			answered := w.Header().Get("X-Request-Id")
			if c.want.RequestID == "" {
				if len(answered) < 20 || answered == c.sent {
					t.Errorf("the id is %q", answered)
				}
				c.want.RequestID = answered
			}
			if got != c.want || answered != got.RequestID {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
