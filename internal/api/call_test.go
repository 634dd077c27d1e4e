package api_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/location"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// send sends one request to handler. It sends a body as JSON.
func send(handler http.Handler, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

type exchange struct {
	name, method, target, body string

	store   fakeStore
	asked   any // the request that the store must get; nil for none
	status  int
	answer  string
	headers map[string]string // "" means absent
}

func (e *exchange) run(t *testing.T) {
	t.Helper()
	w := send(api.New(&e.store, api.Options{Logger: quiet}), e.method, e.target, e.body)
	if w.Code != e.status {
		t.Errorf("status %d, want %d", w.Code, e.status)
	}
	if w.Body.String() != e.answer {
		t.Errorf("answer\n  %s\nwant\n  %s", w.Body, e.answer)
	}
	if !reflect.DeepEqual(e.store.asked, e.asked) {
		t.Errorf("asked the store\n  %+v\nwant\n  %+v", e.store.asked, e.asked)
	}
	for name, want := range e.headers {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

var notAfter = time.Date(2026, 11, 27, 8, 0, 5, 123e6, time.UTC)

func pointer[T any](v T) *T { return &v }

func with(r cache.Reservation, state cache.State, version int64) cache.Reservation {
	r.State, r.Version = state, version
	return r
}

// changed returns heldJSON in another state, with more fields at its end.
func changed(state, version, more string) string {
	s := strings.Replace(heldJSON, `"state":"held","version":1`, `"state":"`+state+`","version":`+version, 1)
	return strings.TrimSuffix(s, "}\n") + more + "}\n"
}

func TestReserve(t *testing.T) {
	full := `{"id": "ord-1001", "channel": "web", "customer": "c-9", "order": "5512",
	 "ship_to": {"country": "DE", "region": "BE", "postal_code": "10115", "latitude": 52.5, "longitude": 13.4},
	 "pickup": "store-7", "prefer": ["lyon", "berlin"], "ttl_seconds": 600, "split": "lines",
	 "lines": [{"line": "1", "sku": "TEE-M", "quantity": 2, "location": "berlin", "locations": ["oslo"],
	   "ship_to": {"country": "FR"}, "pickup": "store-8", "backorder": true}], "metadata": {"cart": "x"},
	 "not_after": "2026-11-27T09:00:05.123+01:00", "identities": ["card:ab12"]}`
	asked := cache.ReserveRequest{
		ID: "ord-1001", Channel: "web", Customer: "c-9", Order: "5512",
		ShipTo: &location.Address{
			Country: "DE", Region: "BE", PostalCode: "10115", Latitude: pointer(52.5), Longitude: pointer(13.4),
		},
		Pickup: "store-7", Prefer: []location.ID{"lyon", "berlin"}, TTL: 10 * time.Minute, Split: location.SplitLines,
		Lines:    []cache.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: 2, Location: "berlin", Locations: []location.ID{"oslo"}, ShipTo: &location.Address{Country: "FR"}, Pickup: "store-8", Backorder: true}},
		Metadata: map[string]string{"cart": "x"}, NotAfter: notAfter, Identities: []string{"card:ab12"},
	}
	empty := cache.ReserveRequest{Lines: []cache.LineRequest{}}
	store := fakeStore{result: cache.Result{Reservation: held}}
	created := map[string]string{
		"Location": "/v1/reservations/ord-1001", "Idempotent-Replay": "", "Content-Type": "application/json",
	}
	late := held
	late.Lines = slices.Clone(held.Lines)
	late.Lines[0].Backorder, late.Lines[0].Backordered = true, 1
	slash := held
	slash.ID, slash.Lines = "a/b c", nil
	for _, e := range []exchange{
		{name: "every field", body: full, store: store, asked: asked, status: 201, answer: heldJSON, headers: created},
		{
			name: "replay", body: full, asked: asked, status: 200, answer: heldJSON,
			store:   fakeStore{result: cache.Result{Reservation: held, Replay: true}},
			headers: map[string]string{"Location": "", "Idempotent-Replay": "true"},
		},
		{
			name: "backordered", body: full, asked: asked, status: 201, store: fakeStore{result: cache.Result{Reservation: late}},
			answer: strings.Replace(heldJSON, `"quantity":2}]}`, `"quantity":2}],"backorder":true,"backordered":1}`, 1),
		},
		{name: "no body", store: store, asked: empty, status: 201, answer: heldJSON},
		{name: "spaces", body: " \n", store: store, asked: empty, status: 201, answer: heldJSON},
		{name: "empty object", body: "{}", store: store, asked: empty, status: 201, answer: heldJSON},
		{name: "null", body: "null", store: store, asked: empty, status: 201, answer: heldJSON},
		{
			name:  "null fields count as absent",
			body:  `{"ttl_seconds": null, "ship_to": null, "lines": null, "metadata": null, "channel": null}`,
			store: store, asked: empty, status: 201, answer: heldJSON,
		},
		{
			name: "ttl 0 does not count as absent", body: `{"ttl_seconds": 0}`, store: store,
			asked:  cache.ReserveRequest{TTL: -time.Second, Lines: []cache.LineRequest{}},
			status: 201, answer: heldJSON,
		},
		{
			name: "numbers beyond int64 become the nearest int64", store: store, status: 201, answer: heldJSON,
			body: `{"ttl_seconds": 99999999999999999999, "lines": [{"quantity": -99999999999999999999}, {"quantity": 12345678901234567}]}`,
			asked: cache.ReserveRequest{
				TTL:   9223372036 * time.Second,
				Lines: []cache.LineRequest{{Quantity: -1 << 63}, {Quantity: 12345678901234567}},
			},
		},
		{
			name: "id needs encoding, lines are never null", store: fakeStore{result: cache.Result{Reservation: slash}},
			asked: empty, status: 201, headers: map[string]string{"Location": "/v1/reservations/a%2Fb%20c"},
			answer: `{"id":"a/b c","state":"held","version":1,"expires_at":"2026-11-27T08:10:00.007Z",` +
				`"created_at":"2026-11-27T08:00:00.000Z","channel":"web","customer":"c-9","order":"5512","lines":[]}` + "\n",
		},
	} {
		e.method, e.target = http.MethodPost, "/v1/reservations"
		t.Run(e.name, e.run)
	}
}

func TestTransitions(t *testing.T) {
	confirmed := cache.Result{Reservation: with(held, cache.StateConfirmed, 2), Durable: true, DurableCall: true}
	released := cache.Result{Reservation: with(held, cache.StateReleased, 2)}
	given := cache.Result{Reservation: with(held, cache.StateReleased, 3), Durable: true, DurableCall: true}
	fulfilled := cache.Result{Reservation: with(held, cache.StateFulfilled, 3), Replay: true, DurableCall: true}
	some := []cache.LineQuantity{{Line: "1", Quantity: 1}}
	for _, e := range []exchange{
		{
			name: "confirm", target: "confirm", store: fakeStore{result: confirmed}, status: 200,
			asked: cache.TransitionRequest{ID: "ord-1001"}, answer: changed("confirmed", "2", `,"durable":true`),
			headers: map[string]string{"Idempotent-Replay": ""},
		},
		{
			name: "confirm with a version", target: "confirm", body: `{"version": 1, "not_after": "2026-11-27T08:00:05.123Z"}`, status: 200,
			store: fakeStore{result: confirmed}, asked: cache.TransitionRequest{ID: "ord-1001", Version: 1, NotAfter: notAfter},
			answer: changed("confirmed", "2", `,"durable":true`),
		},
		{
			name: "version 0 does not count as absent", target: "confirm", body: `{"version": 0}`, status: 200,
			store: fakeStore{result: confirmed}, asked: cache.TransitionRequest{ID: "ord-1001", Version: -1},
			answer: changed("confirmed", "2", `,"durable":true`),
		},
		{
			name: "release", target: "release", store: fakeStore{result: released}, status: 200,
			asked: cache.TransitionRequest{ID: "ord-1001"}, answer: changed("released", "2", ""),
		},
		{
			name: "release of a confirmed reservation", target: "release", status: 200, store: fakeStore{result: given},
			asked: cache.TransitionRequest{ID: "ord-1001"}, answer: changed("released", "3", `,"durable":true`),
		},
		{
			name: "release some", target: "release", body: `{"version": 1, "lines": [{"line": "1", "quantity": 1}]}`,
			status: 200, store: fakeStore{result: released}, answer: changed("released", "2", ""),
			asked: cache.TransitionRequest{ID: "ord-1001", Version: 1, Lines: some},
		},
		{
			name: "release of an empty list", target: "release", body: `{"version": 1, "lines": []}`, status: 422,
			answer: `{"type":"/docs/problems#invalid_request","title":"Invalid request","status":422,` +
				`"detail":"invalid request: /lines: must not be empty; leave it out for all units","code":"invalid_request",` +
				`"errors":[{"path":"/lines","message":"must not be empty; leave it out for all units"}]}` + "\n",
		},
		{
			name: "fulfill", target: "fulfill", body: `{"version": 2, "lines": [{"line": "1", "quantity": 1}]}`,
			status: 200, store: fakeStore{result: fulfilled}, answer: changed("fulfilled", "3", `,"durable":false`),
			asked:   cache.TransitionRequest{ID: "ord-1001", Version: 2, Lines: some},
			headers: map[string]string{"Idempotent-Replay": "true"},
		},
		{
			name: "release with an id", target: "release", body: `{"id": "less-1", "lines": [{"line": "1", "quantity": 1}]}`,
			status: 200, store: fakeStore{result: released}, answer: changed("released", "2", ""),
			asked: cache.TransitionRequest{ID: "ord-1001", Operation: "less-1", Lines: some},
		},
		{
			name: "release with a wrong id", target: "release", body: `{"id": "{"}`, status: 422,
			asked: cache.TransitionRequest{ID: "ord-1001", Operation: "{"},
			store: fakeStore{err: &cache.InvalidError{Faults: []cache.Fault{{Path: "/operation", Message: "must not contain { or }"}}}},
			answer: `{"type":"/docs/problems#invalid_request","title":"Invalid request","status":422,` +
				`"detail":"invalid request: /id: must not contain { or }","code":"invalid_request",` +
				`"errors":[{"path":"/id","message":"must not contain { or }"}]}` + "\n",
		},
		{
			name: "move with an id", target: "move", body: `{"id": "move-1", "line": "1", "to": "lyon"}`, status: 200,
			store: fakeStore{result: cache.Result{Reservation: with(held, cache.StateHeld, 2)}},
			asked: cache.MoveRequest{ID: "ord-1001", Operation: "move-1", Line: "1", To: "lyon"}, answer: changed("held", "2", ""),
		},
		{
			name: "extend", target: "extend", body: `{"ttl_seconds": 60, "version": 1, "not_after": "2026-11-27T08:00:05.123Z"}`, status: 200,
			store: fakeStore{result: cache.Result{Reservation: with(held, cache.StateHeld, 2)}},
			asked: cache.ExtendRequest{ID: "ord-1001", TTL: time.Minute, Version: 1, NotAfter: notAfter}, answer: changed("held", "2", ""),
		},
	} {
		e.method, e.target = http.MethodPost, "/v1/reservations/ord-1001/"+e.target
		t.Run(e.name, e.run)
	}
}

func TestDescribe(t *testing.T) {
	described := with(held, cache.StateHeld, 2)
	described.Identities, described.Metadata = []string{"card:ab12"}, map[string]string{"cart": "x"}
	store := fakeStore{result: cache.Result{Reservation: described, DurableCall: true, Durable: true}}
	answer := changed("held", "2", `,"identities":["card:ab12"],"metadata":{"cart":"x"},"durable":true`)
	id := cache.DescribeRequest{ID: "ord-1001"}
	changes := func(change func(r *cache.DescribeRequest)) cache.DescribeRequest {
		r := id
		change(&r)
		return r
	}
	text := pointer[string]
	for _, e := range []exchange{
		{
			name: "every field",
			body: `{"version": 1, "customer": "c-9", "order": "5512", "identities": ["card:ab12"], "metadata": {"cart": "x", "old": null}}`,
			asked: cache.DescribeRequest{ID: "ord-1001", Version: 1, Customer: text("c-9"), Order: text("5512"),
				Identities: []string{"card:ab12"}, Metadata: map[string]*string{"cart": text("x"), "old": nil}},
		},
		{name: "nothing", body: `{}`, asked: id},
		{name: "no body", asked: id},
		{
			name: "null", body: `{"version": null, "customer": null, "order": null, "identities": null, "metadata": null}`,
			asked: changes(func(r *cache.DescribeRequest) {
				r.Customer, r.Order, r.Identities, r.ClearMetadata = text(""), text(""), []string{}, true
			}),
		},
		{
			name: "empty", body: `{"customer": "", "identities": [], "metadata": {}}`,
			asked: changes(func(r *cache.DescribeRequest) {
				r.Customer, r.Identities, r.Metadata = text(""), []string{}, map[string]*string{}
			}),
		},
		{
			name: "a key that stands for all", body: `{"metadata": {"\ufffd": null}}`,
			asked: changes(func(r *cache.DescribeRequest) { r.Metadata = map[string]*string{"\ufffd": nil} }),
		},
	} {
		e.method, e.target, e.store, e.status, e.answer = http.MethodPatch, "/v1/reservations/ord-1001", store, 200, answer
		t.Run(e.name, e.run)
	}
}

// TestDescribe_MediaTypes sends a patch with each media type that a call may have.
func TestDescribe_MediaTypes(t *testing.T) {
	for _, c := range []struct {
		method, target, media string
		status                int
	}{
		{http.MethodPatch, "/v1/reservations/a", "application/merge-patch+json", 200},
		{http.MethodPatch, "/v1/reservations/a", "application/merge-patch+json; charset=UTF-8", 200},
		{http.MethodPatch, "/v1/reservations/a", "application/json", 200},
		{http.MethodPatch, "/v1/reservations/a", "application/json-patch+json", 415},
		{http.MethodPost, "/v1/reservations/a/confirm", "application/merge-patch+json", 415},
	} {
		request := httptest.NewRequest(c.method, c.target, strings.NewReader("{}"))
		request.Header.Set("Content-Type", c.media)
		w := httptest.NewRecorder()
		api.New(&fakeStore{}, api.Options{}).ServeHTTP(w, request)
		if w.Code != c.status {
			t.Errorf("%s %s with %s: %d, want %d", c.method, c.target, c.media, w.Code, c.status)
		}
	}
}

func TestReads(t *testing.T) {
	described := held
	described.Metadata = map[string]string{"cart": "x"}
	collected := held
	collected.ShipTo, collected.Lines = &location.Address{Country: "DE"}, slices.Clone(held.Lines)
	collected.Lines[0].Pickup = "store-7"
	for _, e := range []exchange{
		{
			name: "metadata", target: "/v1/reservations/ord-1001", store: fakeStore{reservation: described},
			asked: "ord-1001", status: 200, answer: changed("held", "1", `,"metadata":{"cart":"x"}`),
		},
		{
			name: "destinations", target: "/v1/reservations/ord-1001", store: fakeStore{reservation: collected},
			asked: "ord-1001", status: 200,
			answer: strings.NewReplacer(`"lines":`, `"ship_to":{"country":"DE"},"lines":`, `}]}]`, `}],"pickup":"store-7"}]`).Replace(heldJSON),
		},
		{
			name: "reservation", target: "/v1/reservations/ord-1001", store: fakeStore{reservation: held},
			asked: "ord-1001", status: 200, answer: heldJSON, headers: map[string]string{"Cache-Control": "no-store"},
		},
		{
			name:   "search",
			target: "/v1/reservations?state=held&id_prefix=ord-&order=5512&customer=c-9&line=1&sku=TEE-M&location=berlin&limit=2&cursor=a%3D",
			store:  fakeStore{found: cache.ReservationPage{Reservations: []cache.Reservation{held}, Next: "n="}},
			asked: cache.ReservationFilter{State: "held", IDPrefix: "ord-", Order: "5512", Customer: "c-9", Line: "1", SKU: "TEE-M",
				Location: "berlin", Limit: 2, Cursor: "a="},
			status: 200, answer: `{"reservations":[` + strings.TrimSpace(heldJSON) + `],"next_cursor":"n="}` + "\n",
		},
		{
			name: "search that finds nothing", target: "/v1/reservations?limit=0",
			asked: cache.ReservationFilter{Limit: -1}, status: 200, answer: `{"reservations":[]}` + "\n",
		},
		{
			name: "SKU", target: "/v1/stock/TEE-M", store: fakeStore{levels: []cache.Level{teeBerlin}},
			asked: location.SKU("TEE-M"), status: 200,
			answer: `{"sku":"TEE-M","levels":[` + teeBerlinFields + `}]}` + "\n",
		},
		{
			name: "SKU with the name of a path", target: "/v1/stock/adjustments", store: fakeStore{levels: []cache.Level{teeBerlin}},
			asked: location.SKU("adjustments"), status: 200,
			answer: `{"sku":"adjustments","levels":[` + teeBerlinFields + `}]}` + "\n",
		},
		{
			name: "page", target: "/v1/stock?location=berlin&sku_prefix=TEE&limit=1&cursor=a%3D",
			store:  fakeStore{page: cache.LevelPage{Levels: []cache.Level{teeBerlin}, Next: "n=", Position: "1-7"}},
			asked:  cache.LevelFilter{Location: "berlin", SKUPrefix: "TEE", Limit: 1, Cursor: "a="},
			status: 200, answer: `{"levels":[` + teeBerlinFields + `}],"next_cursor":"n=","position":"1-7"}` + "\n",
		},
		{
			name: "last page, empty parameters count as absent", target: "/v1/stock?location=&limit=",
			asked: cache.LevelFilter{}, status: 200, answer: `{"levels":[]}` + "\n",
		},
		{
			name: "limit 0 does not count as absent", target: "/v1/stock?limit=0",
			asked: cache.LevelFilter{Limit: -1}, status: 200, answer: `{"levels":[]}` + "\n",
		},
	} {
		e.method = http.MethodGet
		t.Run(e.name, e.run)
	}
}

func TestQueryLevels(t *testing.T) {
	for _, e := range []exchange{
		{
			name: "every field", body: `{"skus": ["TEE-M", "CAP"], "locations": ["berlin"], "limit": 1, "cursor": "a="}`,
			store:  fakeStore{page: cache.LevelPage{Levels: []cache.Level{teeBerlin}, Next: "n=", Position: "1-7"}},
			asked:  cache.LevelFilter{SKUs: []location.SKU{"TEE-M", "CAP"}, Locations: []location.ID{"berlin"}, Limit: 1, Cursor: "a="},
			status: 200, answer: `{"levels":[` + teeBerlinFields + `}],"next_cursor":"n=","position":"1-7"}` + "\n",
		},
		{name: "no body", asked: cache.LevelFilter{SKUs: []location.SKU{}}, status: 200, answer: `{"levels":[]}` + "\n"},
		{name: "limit 0", body: `{"limit": 0}`, asked: cache.LevelFilter{SKUs: []location.SKU{}, Limit: -1}, status: 200, answer: `{"levels":[]}` + "\n"},
	} {
		e.method, e.target = http.MethodPost, "/v1/stock/query"
		t.Run(e.name, e.run)
	}
}
