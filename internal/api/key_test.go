package api_test

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/api"
)

// sendKeyed sends a body with the headers Idempotency-Key.
func sendKeyed(handler http.Handler, method, target, body string, keys ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header["Content-Type"] = []string{"application/json"}
	r.Header["Idempotency-Key"] = keys
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func TestIdempotencyKey(t *testing.T) {
	for name, c := range map[string]struct {
		keys   []string
		body   string
		status int
		code   string
		id     string // that the store is asked for
	}{
		"instead of an id":  {[]string{"ord-1"}, `{}`, 201, "", "ord-1"},
		"without a body":    {[]string{"ord-1"}, ``, 201, "", "ord-1"},
		"in quotes":         {[]string{`"ord-1"`}, `{}`, 201, "", "ord-1"},
		"a single quote":    {[]string{`"`}, `{}`, 201, "", `"`},
		"the same":          {[]string{"ord-1"}, `{"id": "ord-1"}`, 201, "", "ord-1"},
		"empty":             {[]string{""}, `{"id": "ord-1"}`, 201, "", "ord-1"},
		"another":           {[]string{"ord-2"}, `{"id": "ord-1"}`, 422, "id_mismatch", ""},
		"twice":             {[]string{"ord-1", "ord-1"}, `{}`, 400, "malformed", ""},
		"a malformed body":  {[]string{"ord-2"}, `{"id": 1}`, 400, "malformed", ""},
		"before the fields": {[]string{"ord-2"}, `{"id": "ord-1", "not_after": "x"}`, 422, "id_mismatch", ""},
	} {
		t.Run(name, func(t *testing.T) {
			store := fakeStore{result: cache.Result{Reservation: held}}
			w := sendKeyed(api.New(&store, api.Options{Logger: quiet}), "POST", "/v1/reservations", c.body, c.keys...)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.code) {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, c.status, c.code)
			}
			asked, _ := store.asked.(cache.ReserveRequest)
			if asked.ID != c.id {
				t.Errorf("asked for %q, want %q", asked.ID, c.id)
			}
		})
	}
}

// Every call whose body has an id takes the header. Other calls ignore it.
func TestIdempotencyKey_Calls(t *testing.T) {
	for target, field := range map[string]string{
		"POST /v1/reservations":             "ID",
		"POST /v1/reservations/a/release":   "Operation",
		"POST /v1/reservations/a/fulfill":   "Operation",
		"POST /v1/reservations/a/move":      "Operation",
		"POST /v1/reservations/a/amend":     "Operation",
		"POST /v1/reservations/a/return":    "ID",
		"POST /v1/reservations/a/unfulfill": "ID",
		"PUT /v1/stock/TEE-M/berlin":        "ID",
		"POST /v1/stock/adjustments":        "ID",
		"POST /v1/stock/counts":             "ID",
		"POST /v1/stock/transfers":          "ID",
		"POST /v1/reservations/a/confirm":   "",
		"POST /v1/reservations/a/extend":    "",
		"PATCH /v1/reservations/a":          "",
		"POST /v1/route":                    "",
	} {
		method, path, _ := strings.Cut(target, " ")
		store := fakeStore{result: cache.Result{Reservation: held}}
		w := sendKeyed(api.New(&store, api.Options{Logger: quiet}), method, path, "{}", "k-1")
		if store.asked == nil {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
			continue
		}
		asked := reflect.ValueOf(store.asked)
		if field != "" && asked.FieldByName(field).String() != "k-1" {
			t.Errorf("%s: %+v, want %s to be the key", target, store.asked, field)
		}
		if field == "" && asked.FieldByName("ID").String() == "k-1" {
			t.Errorf("%s: %+v takes the key", target, store.asked)
		}
	}
}
