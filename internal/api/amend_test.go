package api_test

import (
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
)

func TestAmend(t *testing.T) {
	const target, body = "/v1/reservations/ord-1001/amend", `{"id": "chg-1", "lines": [{"line": "1", "quantity": 5}, {"line": "3", "sku": "CAP", "quantity": 1, "location": "lyon"}]}`
	asked := cache.AmendRequest{ID: "ord-1001", Operation: "chg-1", Lines: []cache.LineAmendment{{Line: "1", Quantity: 5}, {Line: "3", SKU: "CAP", Quantity: 1, Location: "lyon"}}}
	sold := cache.Result{Reservation: with(held, cache.StateConfirmed, 3), Replay: true, Durable: true, DurableCall: true}
	problem := func(status, code, rest string) string {
		return `{"type":"/docs/problems#` + code + `","title":` + status + `,"code":"` + code + `",` + rest + "}\n"
	}
	for _, e := range []exchange{
		{
			name: "of a hold", method: "POST", target: target, body: body, asked: asked, status: 200,
			store: fakeStore{result: cache.Result{Reservation: with(held, cache.StateHeld, 2)}}, answer: changed("held", "2", ""),
			headers: map[string]string{"Idempotent-Replay": ""},
		},
		{
			name: "of a sale, repeated", method: "POST", target: target, body: body, asked: asked, status: 200,
			store: fakeStore{result: sold}, answer: changed("confirmed", "3", `,"durable":true`), headers: map[string]string{"Idempotent-Replay": "true"},
		},
		{
			name: "with a version, and 0", method: "POST", target: target, status: 200,
			body:  `{"version": 2, "lines": [{"line": "1", "quantity": 0}], "not_after": "2026-11-27T08:00:05.123Z"}`,
			asked: cache.AmendRequest{ID: "ord-1001", Version: 2, NotAfter: time.Date(2026, 11, 27, 8, 0, 5, 123_000_000, time.UTC), Lines: []cache.LineAmendment{{Line: "1"}}},
			store: fakeStore{result: cache.Result{Reservation: with(held, cache.StateHeld, 3)}}, answer: changed("held", "3", ""),
		},
		{
			name: "without a quantity", method: "POST", target: target, body: `{"version": 2, "lines": [{"line": "1", "quantity": 1}, {"line": "2"}]}`, status: 422,
			answer: problem(`"Invalid request","status":422,"detail":"invalid request: /lines/1/quantity: is required; 0 removes the line"`, "invalid_request",
				`"errors":[{"path":"/lines/1/quantity","message":"is required; 0 removes the line"}]`),
		},
		{
			name: "fewer than have left", method: "POST", target: target, body: body, asked: asked, status: 409,
			store: fakeStore{err: &cache.FulfilledError{Lines: []cache.FulfilledLine{{Line: "1", Requested: 5, Fulfilled: 6}}}},
			answer: problem(`"Already fulfilled","status":409,"detail":"units have left: line 1: 5 requested, 6 fulfilled"`, "already_fulfilled",
				`"fulfilled":[{"line":"1","requested":5,"fulfilled":6}]`),
		},
		{
			name: "an operation id that is none", method: "POST", target: target, body: body, asked: asked, status: 422,
			store: fakeStore{err: &cache.InvalidError{Faults: []cache.Fault{{Path: "/operation", Message: "is wrong"}}}},
			answer: problem(`"Invalid request","status":422,"detail":"invalid request: /id: is wrong"`, "invalid_request",
				`"errors":[{"path":"/id","message":"is wrong"}]`),
		},
	} {
		t.Run(e.name, e.run)
	}
}
