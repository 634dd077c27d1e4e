package cache

import (
	"testing"
	"time"
)

// TestMove moves a line to another location in one step, or refuses and changes nothing.
func TestMove(t *testing.T) {
	const stock = "TEE@a=5 TEE@b=3 MUG@a=5"
	routed := func(more ...func(*bench) string) []func(*bench) string {
		return append(calls(direct(shop("", nil, "a", "b")), reserve(order("ord", "1:TEE:3 2:MUG:1"))), more...)
	}
	for _, o := range []operation{
		{
			name: "held", stock: stock, given: routed(), when: moveTo("ord", 1, "1", "b"),
			answer: "held v2 until 10s | 1 TEE 3/3 b:3 | 2 MUG 1/1 a:1",
			state: `stock MUG@a 4
				stock TEE@a 5
				stock TEE@b 0
				level MUG@a 5 0 0 0
				level TEE@a 5 0 0 0
				level TEE@b 3 0 0 0
				ord held v2 until 10s | 1 TEE 3 b:3 | 2 MUG 1 a:1
				deadline 10s ord
				event move at 0s: held v1 > ord held v2 until 10s | 1 TEE 3 b:3 | 2 MUG 1 a:1`,
		},
		{
			name: "the rest of a confirmed line", stock: stock, given: routed(confirm("ord", 0), fulfill("ord", 2, "1:1")),
			when:   moveTo("ord", 3, "1", "b"),
			answer: "confirmed v4 | 1 TEE 3/3 a:1 b:2 fulfilled 1 | 2 MUG 1/1 a:1",
			state: `stock MUG@a 4
				stock TEE@a 4
				stock TEE@b 1
				level MUG@a 5 1 0 0
				level TEE@a 4 0 0 0
				level TEE@b 3 2 0 0
				ord confirmed v4 until 10s | 1 TEE 3 a:1(1) b:2 | 2 MUG 1 a:1
				deadline 10s ord
				event move at 0s: confirmed v3 > ord confirmed v4 until 10s | 1 TEE 3 a:1(1) b:2 | 2 MUG 1 a:1`,
		},
		{name: "repeated", stock: stock, given: routed(moveTo("ord", 1, "1", "b")), when: moveTo("ord", 1, "1", "b"),
			answer: "again held v2 until 10s | 1 TEE 3/3 b:3 | 2 MUG 1/1 a:1"},
		{name: "there already", stock: stock, given: routed(), when: moveTo("ord", 1, "1", "a"),
			answer: "again held v1 until 10s | 1 TEE 3/3 a:3 | 2 MUG 1/1 a:1"},
		{name: "too few units there", stock: stock, given: routed(reserve(order("other", "1:TEE:1:b"))), when: moveTo("ord", 1, "1", "b"),
			answer: "insufficient_stock | 1 TEE 2 of 3"},
		{
			name: "units of an overdue hold", stock: stock, when: moveTo("ord", 2, "1", "b"),
			given:  routed(reserve(order("other", "1:TEE:2:b")), extend("ord", time.Minute, 1), after(11*time.Second)),
			answer: "held v3 until 60s | 1 TEE 3/3 b:3 | 2 MUG 1/1 a:1",
			state: `stock MUG@a 4
				stock TEE@a 5
				stock TEE@b 0
				level MUG@a 5 0 0 0
				level TEE@a 5 0 0 0
				level TEE@b 3 0 0 0
				ord held v3 until 60s | 1 TEE 3 b:3 | 2 MUG 1 a:1
				other expired v2 until 10s | 1 TEE 2 b:2
				deadline 60s ord
				event expire at 11s: held v1 > other expired v2 until 10s | 1 TEE 2 b:2
				event move at 11s: held v2 > ord held v3 until 60s | 1 TEE 3 b:3 | 2 MUG 1 a:1`,
		},
		{name: "no level at the location", stock: stock, given: routed(), when: moveTo("ord", 1, "2", "b"), answer: "no_location | 2 b no_level"},
		{name: "unknown location", stock: stock, given: routed(), when: moveTo("ord", 1, "1", "moon"), answer: "no_location | 1 moon unknown_location"},
		{name: "no such line", stock: stock, given: routed(), when: moveTo("ord", 1, "9", "b"), answer: "invalid_request | /line the reservation has no such line"},
		{name: "another version", stock: stock, given: routed(), when: moveTo("ord", 2, "1", "b"), answer: "version_conflict  1"},
		{name: "no version", stock: stock, given: routed(), when: moveTo("ord", 0, "1", "b"),
			answer: "invalid_request | /version is required without an operation id, so that a repeat is recognised"},
		{name: "unknown", stock: stock, when: moveTo("ord", 1, "1", "b"), answer: "not_found"},
		{name: "overdue", stock: stock, given: routed(after(time.Minute)), when: moveTo("ord", 1, "1", "b"), answer: "wrong_state expired"},
		{name: "released", stock: stock, given: routed(release("ord", 0, "")), when: moveTo("ord", 2, "1", "b"), answer: "wrong_state released"},
	} {
		o.run(t)
	}
	operation{
		name: "a kit moves whole", stock: "TEE@a=6 CAP@a=2 TEE@b=9 CAP@b=1", given: calls(direct(gift("")), reserve(order("ord", "1:GIFT:2"))),
		when: moveTo("ord", 1, "1", "b"), answer: "insufficient_stock | 1 GIFT 1 of 2",
	}.run(t)
	operation{
		name: "a kit whose components fit", stock: "TEE@a=6 CAP@a=2 TEE@b=9 CAP@b=2", given: calls(direct(gift("")), reserve(order("ord", "1:GIFT:2"))),
		when: moveTo("ord", 1, "1", "b"), answer: "held v2 until 10s | 1 GIFT 2/2 b:2 + TEE 6 b:6 + CAP 2 b:2",
	}.runAnswer(t)
}
