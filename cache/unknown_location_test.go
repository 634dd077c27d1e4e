package cache

import (
	"strings"
	"testing"

	"github.com/holdfast/holdfast/location"
)

// TestUnknownLocation puts units at a location that the directory does not have, by each verb that can.
func TestUnknownLocation(t *testing.T) {
	one, none, minus := int64(1), int64(0), int64(-1)
	at := func(change Change) func(*bench) string {
		change.SKU, change.Location = "TEE", "A"
		return adjust("op", change)
	}
	given := calls(direct(shop("", nil, "a", "b")), reserve(order("ord", "1:TEE:3")), confirm("ord", 0), fulfill("ord", 0, ""))
	const there = `is "A", which the directory does not have; there are a, b, c, d`
	for _, o := range []operation{
		{name: "return", stock: "TEE@a=9", given: given, when: back("ret", "A", "1:1"), answer: "invalid_request | /to " + there},
		{name: "transfer", stock: "TEE@a=9", given: given, when: transfer(tees("op", "a", "A", 1)), answer: "invalid_request | /to " + there},
		{name: "adjust", stock: "TEE@a=9", given: given, when: at(Change{Delta: &one}), answer: "invalid_request | /changes/0/location " + there},
		{name: "count", stock: "TEE@a=9", given: given, when: at(Change{OnHand: &one}), answer: "invalid_request | /changes/0/location " + there},
		{name: "a transfer from it", stock: "TEE@A=1", given: given[:1], when: short(transfer(tees("op", "A", "a", 1))), answer: "at 0s", state: `stock TEE@A 0
			stock TEE@a 1
			level TEE@A 0 0 0 0
			level TEE@a 1 0 0 0
			event transfer op at 0s | TEE@A on hand 1>0 safety 0>0 backorder 0>0 available 0 | TEE@a on hand 0>1 safety 0>0 backorder 0>0 available 1`},
		{name: "units taken away", stock: "TEE@A=1", given: given[:1], when: short(at(Change{Delta: &minus})), answer: "at 0s", state: `stock TEE@A 0
			level TEE@A 0 0 0 0
			event adjust op at 0s | TEE@A on hand 1>0 safety 0>0 backorder 0>0 available 0`},
		{name: "a count of nothing", stock: "TEE@A=1", given: given[:1], when: short(at(Change{OnHand: &none})), answer: "at 0s", state: `stock TEE@A 0
			level TEE@A 0 0 0 0
			event adjust op at 0s | TEE@A on hand 1>0 safety 0>0 backorder 0>0 available 0`},
		{name: "without a directory", stock: "TEE@a=9", when: short(at(Change{OnHand: &one})), answer: "at 0s", state: `stock TEE@A 1
			stock TEE@a 9
			level TEE@A 1 0 0 0
			level TEE@a 9 0 0 0
			event adjust op at 0s | TEE@A on hand 0>1 safety 0>0 backorder 0>0 available 1`},
		{name: "allowed", stock: "TEE@a=9", given: given[:1], when: short(func(b *bench) string {
			_, err := b.store.Adjust(b.ctx, AdjustRequest{ID: "op", AllowUnknownLocations: true,
				Changes: []Change{{SKU: "TEE", Location: location.ID("A"), OnHand: &one}}})
			if err != nil {
				return toldError(err)
			}
			return "at 0s"
		}), answer: "at 0s", state: `stock TEE@A 1
			stock TEE@a 9
			level TEE@A 1 0 0 0
			level TEE@a 9 0 0 0
			event adjust op at 0s | TEE@A on hand 0>1 safety 0>0 backorder 0>0 available 1`},
	} {
		o.run(t)
	}
}

// short cuts an answer after its time.
func short(call func(*bench) string) func(*bench) string {
	return func(b *bench) string {
		text, _, _ := strings.Cut(call(b), " |")
		return text
	}
}
