package api_test

import (
	"testing"

	"github.com/holdfast/holdfast/cache"
)

func TestTransfer(t *testing.T) {
	const target = "/v1/stock/transfers"
	body := `{"id": "van-7", "sku": "TEE-M", "from": "berlin", "to": "lyon", "quantity": 6, "reason": "closer", "actor": "anna"}`
	asked := cache.TransferRequest{ID: "van-7", SKU: "TEE-M", From: "berlin", To: "lyon", Quantity: 6, Reason: "closer", Actor: "anna"}
	moved := cache.TransferResult{From: cache.AdjustedLevel{Level: teeBerlin}, To: cache.AdjustedLevel{Level: teeBerlin}, At: created, Durable: true}
	moved.To.Location = "lyon"
	replay := moved
	replay.Replay = true
	lyon := `{"sku":"TEE-M","location":"lyon"` + teeBerlinFields[len(`{"sku":"TEE-M","location":"berlin"`):]
	answer := `{"id":"van-7","levels":[` + teeBerlinFields + `},` + lyon + `}],"applied_at":"2026-11-27T08:00:00.000Z","durable":true}` + "\n"
	for _, e := range []exchange{
		{
			name: "done", method: "POST", target: target, body: body, asked: asked, store: fakeStore{moved: moved}, status: 200,
			answer: answer, headers: map[string]string{"Idempotent-Replay": ""},
		},
		{
			name: "replayed", method: "POST", target: target, body: body, asked: asked, store: fakeStore{moved: replay}, status: 200,
			answer: answer, headers: map[string]string{"Idempotent-Replay": "true"},
		},
		{
			name: "no level to take from", method: "POST", target: target, asked: cache.TransferRequest{}, store: fakeStore{err: cache.ErrNotFound}, status: 404,
			answer: `{"type":"/docs/problems#not_found","title":"Not found","status":404,` +
				`"detail":"no such level; units can only be taken from a level that exists","code":"not_found"}` + "\n",
		},
	} {
		t.Run(e.name, e.run)
	}
}
