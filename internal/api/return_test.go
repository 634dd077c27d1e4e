package api_test

import (
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
)

func TestReturn(t *testing.T) {
	const target = "/v1/reservations/ord-1001/return"
	body := `{"id": "ret-1", "version": 3, "lines": [{"line": "1", "quantity": 1}], "to": "berlin"}`
	asked := cache.ReturnRequest{
		ID: "ret-1", Reservation: "ord-1001", Version: 3, Lines: []cache.LineQuantity{{Line: "1", Quantity: 1}}, To: "berlin",
	}
	done := cache.Result{Reservation: with(held, cache.StateFulfilled, 4), DurableCall: true, Durable: true}
	done.Lines = []cache.Line{done.Lines[0]}
	done.Lines[0].Fulfilled, done.Lines[0].Returned = 2, 1
	replay := done
	replay.Replay = true
	answer := strings.Replace(changed("fulfilled", "4", `,"durable":true`), `"fulfilled":0,"returned":0`, `"fulfilled":2,"returned":1`, 1)
	for _, e := range []exchange{
		{
			name: "done", method: "POST", target: target, body: body, asked: asked, store: fakeStore{result: done}, status: 200,
			answer: answer, headers: map[string]string{"Idempotent-Replay": ""},
		},
		{
			name: "replayed", method: "POST", target: target, body: body, asked: asked, store: fakeStore{result: replay}, status: 200,
			answer: answer, headers: map[string]string{"Idempotent-Replay": "true"},
		},
		{
			name: "no body", method: "POST", target: target, asked: cache.ReturnRequest{Reservation: "ord-1001", Lines: []cache.LineQuantity{}},
			store: fakeStore{result: done}, status: 200, answer: answer,
		},
	} {
		t.Run(e.name, e.run)
	}
}

func TestUnfulfill(t *testing.T) {
	const target = "/v1/reservations/ord-1001/unfulfill"
	done := cache.Result{Reservation: with(held, cache.StateConfirmed, 4), DurableCall: true, Durable: true}
	done.Lines = []cache.Line{done.Lines[0]}
	done.Lines[0].Fulfilled = 1
	answer := strings.Replace(changed("confirmed", "4", `,"durable":true`), `"fulfilled":0`, `"fulfilled":1`, 1)
	for _, e := range []exchange{
		{
			name: "done", method: "POST", target: target, body: `{"id": "un-1", "version": 3, "lines": [{"line": "1", "quantity": 1}], "to": "lyon"}`,
			asked: cache.UnfulfillRequest{ID: "un-1", Reservation: "ord-1001", Version: 3, Lines: []cache.LineQuantity{{Line: "1", Quantity: 1}}, To: "lyon"},
			store: fakeStore{result: done}, status: 200, answer: answer, headers: map[string]string{"Idempotent-Replay": ""},
		},
		{
			name: "no body", method: "POST", target: target, asked: cache.UnfulfillRequest{Reservation: "ord-1001", Lines: []cache.LineQuantity{}},
			store: fakeStore{result: done}, status: 200, answer: answer,
		},
	} {
		t.Run(e.name, e.run)
	}
}
