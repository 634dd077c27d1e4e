package cache

import (
	"testing"
	"time"
)

// TestConfirm_Forgotten confirms expired reservations with the ledger's record, as Confirm does after
// Redis has forgotten them.
func TestConfirm_Forgotten(t *testing.T) {
	for _, o := range []operation{
		{
			name: "expired and forgotten: takes the units again", stock: "TEE@berlin=5",
			given:  calls(reserve(order("ord", "1:TEE:5")), after(time.Minute), expire),
			when:   confirmForgotten("ord", 2),
			answer: "confirmed v3 | 1 TEE 5/5 berlin:5",
			state: `stock TEE@berlin 0
				level TEE@berlin 5 5 0 0
				ord confirmed v3 until 10s | 1 TEE 5 berlin:5
				event confirm at 60s: expired v2 > ord confirmed v3 until 10s | 1 TEE 5 berlin:5`,
		},
		{
			name: "expired and forgotten, and the units are sold", stock: "TEE@berlin=5",
			given: calls(reserve(order("ord", "1:TEE:5")), after(time.Minute), expire, reserve(order("other", "1:TEE:2")),
				confirm("other", 0)),
			when: confirmForgotten("ord", 0), answer: "insufficient_stock | 1 TEE 3 of 5",
			state: `stock TEE@berlin 3
				level TEE@berlin 5 2 0 0
				other confirmed v2 until 70s | 1 TEE 2 berlin:2
				deadline 70s other`,
		},
		{
			name: "expired and forgotten, and the level is removed", stock: stockOfTwo,
			given: calls(reserve(order("ord", "1:TEE:5")), after(time.Minute), expire, remove("gone", "TEE", "berlin")),
			when:  confirmForgotten("ord", 0), answer: "insufficient_stock | 1 TEE 0 of 5",
			state: `stock MUG@berlin 4
				level MUG@berlin 4 0 0 0`,
		},
		{
			name: "expired and forgotten, of another version", stock: "TEE@berlin=5",
			given: calls(reserve(order("ord", "1:TEE:5")), after(time.Minute), expire),
			when:  confirmForgotten("ord", 1), answer: "version_conflict  2",
			state: `stock TEE@berlin 5
				level TEE@berlin 5 0 0 0`,
		},
		{
			name: "known to the ledger as expired, but confirmed meanwhile", stock: "TEE@berlin=5",
			given: calls(reserve(order("ord", "1:TEE:5")), after(time.Minute), expire),
			when: func(b *bench) string {
				late := lateCall(b, "ord", 0)
				confirm("ord", 0)(b)
				return told(b.store.transit(b.ctx, late, late.request.refused))
			},
			answer: "again confirmed v3 | 1 TEE 5/5 berlin:5",
			state: `stock TEE@berlin 0
				level TEE@berlin 5 5 0 0
				ord confirmed v3 until 10s | 1 TEE 5 berlin:5
				event confirm at 60s: expired v2 > ord confirmed v3 until 10s | 1 TEE 5 berlin:5`,
		},
	} {
		o.run(t)
	}
}

// lateCall is the confirm that Confirm sends with the ledger's record.
func lateCall(b *bench, id string, version int64) *transitionCall {
	b.tb.Helper()
	record, err := b.client.HGet(b.ctx, b.store.keys.Reservations, id).Result()
	if err != nil {
		b.tb.Fatal(err)
	}
	return &transitionCall{verb: VerbConfirm, request: &TransitionRequest{ID: id, Version: version}, record: record}
}

// forget makes Redis forget a reservation, as after the retention.
func (b *bench) forget(id string) {
	b.tb.Helper()
	if err := b.client.HDel(b.ctx, b.store.keys.Reservations, id).Err(); err != nil {
		b.tb.Fatal(err)
	}
}

// confirmForgotten confirms a reservation after Redis has forgotten it.
func confirmForgotten(id string, version int64) func(*bench) string {
	return func(b *bench) string {
		late := lateCall(b, id, version)
		b.forget(id)
		return told(b.store.transit(b.ctx, late, late.request.refused))
	}
}
