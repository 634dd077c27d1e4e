package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/api"
)

func TestStockChanges(t *testing.T) {
	made := cache.AdjustResult{Levels: []cache.AdjustedLevel{{Level: teeBerlin, Created: true}}, At: created, Durable: true}
	changed := cache.AdjustResult{Levels: []cache.AdjustedLevel{{Level: teeBerlin}}}
	replay := cache.AdjustResult{Levels: changed.Levels, Replay: true}
	few := teeBerlin
	few.OnHand, few.Available = 0, -10
	short := cache.AdjustResult{Levels: []cache.AdjustedLevel{{Level: few}}, At: created}
	named := cache.AdjustResult{Levels: []cache.AdjustedLevel{{Level: few, Short: []cache.ShortReservation{
		{ID: "o-2", Order: "5512", Customer: "c-9", Quantity: 4}, {ID: "o-1", Quantity: 3},
	}}}, At: created}
	const namedJSON = `,"shortfall":5,"short_reservations":[{"id":"o-2","order":"5512","customer":"c-9","quantity":4},{"id":"o-1","quantity":3}]`
	shortJSON := strings.NewReplacer(`"on_hand":40`, `"on_hand":0`, `"available":30`, `"available":-10,"backordered":10`).Replace(teeBerlinFields)
	count := cache.AdjustRequest{ID: "c-1", Reason: "count", Actor: "anna", Changes: []cache.Change{{
		SKU: "TEE-M", Location: "berlin", OnHand: pointer(int64(0)), IfOnHand: pointer(int64(1)),
		SafetyStock: pointer(int64(2)), BackorderLimit: pointer(int64(3)),
	}}}
	countBody := `{"id": "c-1", "on_hand": 0, "if_on_hand": 1, "safety_stock": 2, "backorder_limit": 3, "reason": "count", "actor": "anna"}`
	const put, adjust, counts = "/v1/stock/TEE-M/berlin", "/v1/stock/adjustments", "/v1/stock/counts"
	delta := func(n int64) cache.AdjustRequest {
		return cache.AdjustRequest{ID: "d-1", Changes: []cache.Change{{SKU: "TEE-M", Location: "berlin", Delta: &n}}}
	}
	for _, e := range []exchange{
		{
			name: "PUT creates the level", method: "PUT", target: put, body: countBody, store: fakeStore{adjusted: made},
			asked: count, status: 201, answer: teeBerlinFields + `,"durable":true}` + "\n",
		},
		{
			name: "PUT", method: "PUT", target: put, body: countBody, store: fakeStore{adjusted: changed},
			asked: count, status: 200, answer: teeBerlinFields + `,"durable":false}` + "\n",
			headers: map[string]string{"Idempotent-Replay": ""},
		},
		{
			name: "PUT replayed", method: "PUT", target: put, body: countBody, store: fakeStore{adjusted: replay},
			asked: count, status: 200, answer: teeBerlinFields + `,"durable":false}` + "\n",
			headers: map[string]string{"Idempotent-Replay": "true"},
		},
		{
			name: "adjustment", method: "POST", target: adjust, store: fakeStore{adjusted: changed}, asked: delta(-3),
			body:   `{"id": "d-1", "sku": "TEE-M", "location": "berlin", "delta": -3}`,
			status: 200, answer: teeBerlinFields + `,"durable":false}` + "\n",
		},
		{
			name: "adjustment without a delta means 0", method: "POST", target: adjust,
			store: fakeStore{adjusted: made}, asked: delta(0), body: `{"id": "d-1", "sku": "TEE-M", "location": "berlin"}`,
			status: 201, answer: teeBerlinFields + `,"durable":true}` + "\n",
		},
		{
			name: "counts", method: "POST", target: counts, store: fakeStore{adjusted: made}, status: 200,
			body:   `{"id": "c-1", "counts": [{"sku": "TEE-M", "location": "berlin", "on_hand": 7}]}`,
			asked:  cache.AdjustRequest{ID: "c-1", Changes: []cache.Change{{SKU: "TEE-M", Location: "berlin", OnHand: pointer(int64(7))}}},
			answer: `{"id":"c-1","levels":[` + teeBerlinFields + `}],"applied_at":"2026-11-27T08:00:00.000Z","durable":true}` + "\n",
		},
		{
			name: "as_of of PUT", method: "PUT", target: put, body: `{"id": "c-1", "on_hand": 1, "as_of": "2026-11-27T09:00:00.007+01:00"}`,
			store: fakeStore{adjusted: short}, status: 200, answer: shortJSON + `,"durable":false,"shortfall":5}` + "\n",
			asked: cache.AdjustRequest{ID: "c-1", AsOf: created.UTC().Add(7 * time.Millisecond), Changes: []cache.Change{
				{SKU: "TEE-M", Location: "berlin", OnHand: pointer(int64(1))},
			}},
		},
		{
			name: "as_of of counts", method: "POST", target: counts, body: `{"id": "c-1", "as_of": "2026-11-27T08:00:00Z", "counts": []}`,
			store: fakeStore{adjusted: short}, asked: cache.AdjustRequest{ID: "c-1", AsOf: created.UTC(), Changes: []cache.Change{}}, status: 200,
			answer: `{"id":"c-1","levels":[` + shortJSON + `,"shortfall":5}],"applied_at":"2026-11-27T08:00:00.000Z","durable":false}` + "\n",
		},
		{
			name: "PUT with a shortfall", method: "PUT", target: put, body: `{"id": "c-1", "on_hand": 0}`, store: fakeStore{adjusted: named},
			asked:  cache.AdjustRequest{ID: "c-1", Changes: []cache.Change{{SKU: "TEE-M", Location: "berlin", OnHand: pointer(int64(0))}}},
			status: 200, answer: shortJSON + `,"durable":false` + namedJSON + "}\n",
		},
		{
			name: "counts with a shortfall", method: "POST", target: counts, body: `{"id": "c-1", "counts": []}`, store: fakeStore{adjusted: named},
			asked: cache.AdjustRequest{ID: "c-1", Changes: []cache.Change{}}, status: 200,
			answer: `{"id":"c-1","levels":[` + shortJSON + namedJSON + `}],"applied_at":"2026-11-27T08:00:00.000Z","durable":false}` + "\n",
		},
		{name: "as_of is not a time", method: "PUT", target: put, body: `{"as_of": "2026-11-27 08:00"}`, status: 422, answer: asOfJSON},
		{name: "as_of is empty", method: "POST", target: counts, body: `{"as_of": ""}`, status: 422, answer: asOfJSON},
		{name: "as_of before 1970", method: "POST", target: counts, body: `{"as_of": "0001-01-01T00:00:00Z"}`, status: 422, answer: asOfJSON},
	} {
		t.Run(e.name, e.run)
	}
}

const asOfJSON = `{"type":"/docs/problems#invalid_request","title":"Invalid request","status":422,` +
	`"detail":"invalid request: /as_of: must be a time such as 2026-11-20T06:00:00Z","code":"invalid_request",` +
	`"errors":[{"path":"/as_of","message":"must be a time such as 2026-11-20T06:00:00Z"}]}` + "\n"

// The store names faults in its list of changes. The answer must name them in the body that was
// sent.
func TestFaultPaths(t *testing.T) {
	refused := func() fakeStore {
		return fakeStore{err: &cache.InvalidError{Faults: []cache.Fault{
			{Path: "/id", Message: "m"}, {Path: "/changes/0", Message: "m"}, {Path: "/changes/0/on_hand", Message: "m"},
		}}}
	}
	for _, c := range []struct{ method, target, faults string }{
		{"PUT", "/v1/stock/a/b", `"errors":[{"path":"/id","message":"m"},{"path":"","message":"m"},{"path":"/on_hand","message":"m"}]`},
		{"POST", "/v1/stock/counts", `"errors":[{"path":"/id","message":"m"},{"path":"/counts/0","message":"m"},{"path":"/counts/0/on_hand","message":"m"}]`},
	} {
		store := refused()
		w := send(api.New(&store, api.Options{}), c.method, c.target, "{}")
		if w.Code != 422 || !strings.Contains(w.Body.String(), c.faults) {
			t.Errorf("%s: %d %s, want %s", c.target, w.Code, w.Body, c.faults)
		}
	}
}
