package cache

import (
	"fmt"
	"testing"
)

func units(n int64) *int64 { return &n }

func adjust(id string, changes ...Change) func(*bench) string {
	return func(b *bench) string {
		result, err := b.store.Adjust(b.ctx, AdjustRequest{ID: id, Changes: changes})
		if err != nil {
			return toldError(err)
		}
		text := ""
		if result.Replay {
			text = "again "
		}
		text += "at " + seconds(result.At.UnixMilli())
		for _, l := range result.Levels {
			text += fmt.Sprintf(" | %s@%s %d held %d committed %d safety %d backorder %d available %d", l.SKU, l.Location,
				l.OnHand, l.Held, l.Committed, l.SafetyStock, l.BackorderLimit, l.Available)
			if l.Created {
				text += " new"
			}
		}
		return text
	}
}

// tee is a change of TEE in berlin.
func tee(c Change) Change { c.SKU, c.Location = "TEE", "berlin"; return c }

var adjustments = []operation{
	{
		name: "a count makes a level", when: adjust("op", tee(Change{OnHand: units(5)})),
		answer: "at 0s | TEE@berlin 5 held 0 committed 0 safety 0 backorder 0 available 5 new",
		state: `stock TEE@berlin 5
			level TEE@berlin 5 0 0 0
			event adjust op at 0s | TEE@berlin on hand 0>5 safety 0>0 backorder 0>0 available 5`,
	},
	{
		name: "a count becomes a change", stock: "TEE@berlin=5", given: calls(reserve(order("ord", "1:TEE:3"))),
		when:   adjust("op", tee(Change{OnHand: units(7)})),
		answer: "at 0s | TEE@berlin 7 held 3 committed 0 safety 0 backorder 0 available 4",
		state: `stock TEE@berlin 4
			level TEE@berlin 7 0 0 0
			ord held v1 until 10s | 1 TEE 3 berlin:3
			deadline 10s ord
			event adjust op at 0s | TEE@berlin on hand 5>7 safety 0>0 backorder 0>0 available 4`,
	},
	{
		name: "a count below the held units", stock: "TEE@berlin=5", given: calls(reserve(order("ord", "1:TEE:3"))),
		when:   adjust("op", tee(Change{OnHand: units(1)})),
		answer: "at 0s | TEE@berlin 1 held 3 committed 0 safety 0 backorder 0 available -2",
		state: `stock TEE@berlin -2
			level TEE@berlin 1 0 0 0
			ord held v1 until 10s | 1 TEE 3 berlin:3
			deadline 10s ord
			event adjust op at 0s | TEE@berlin on hand 5>1 safety 0>0 backorder 0>0 available -2`,
	},
	{
		name: "policy", stock: "TEE@berlin=8",
		when:   adjust("op", tee(Change{SafetyStock: units(5), BackorderLimit: units(2)})),
		answer: "at 0s | TEE@berlin 8 held 0 committed 0 safety 5 backorder 2 available 5",
		state: `stock TEE@berlin 5
			level TEE@berlin 8 0 5 2
			event adjust op at 0s | TEE@berlin on hand 8>8 safety 0>5 backorder 0>2 available 5`,
	},
	{
		name: "a delta", stock: "TEE@berlin=5", when: adjust("op", tee(Change{Delta: units(-2)})),
		answer: "at 0s | TEE@berlin 3 held 0 committed 0 safety 0 backorder 0 available 3",
		state: `stock TEE@berlin 3
			level TEE@berlin 3 0 0 0
			event adjust op at 0s | TEE@berlin on hand 5>3 safety 0>0 backorder 0>0 available 3`,
	},
	{
		name: "repeated", stock: "TEE@berlin=5",
		given:  calls(adjust("op", tee(Change{Delta: units(-2)})), reserve(order("ord", "1:TEE:1"))),
		when:   adjust("op", tee(Change{Delta: units(-2)})),
		answer: "again at 0s | TEE@berlin 3 held 1 committed 0 safety 0 backorder 0 available 2",
	},
	{
		name: "conflict", stock: "TEE@berlin=5", given: calls(adjust("op", tee(Change{Delta: units(-2)}))),
		when: adjust("op", tee(Change{Delta: units(-1)})), answer: "id_conflict",
	},
	{
		name: "the id of a reservation is free", stock: "TEE@berlin=5",
		given:  calls(reserve(order("op", "1:TEE:1"))),
		when:   adjust("op", tee(Change{Delta: units(1)})),
		answer: "at 0s | TEE@berlin 6 held 1 committed 0 safety 0 backorder 0 available 5",
		state: `stock TEE@berlin 5
			level TEE@berlin 6 0 0 0
			op held v1 until 10s | 1 TEE 1 berlin:1
			deadline 10s op
			event adjust op at 0s | TEE@berlin on hand 5>6 safety 0>0 backorder 0>0 available 5`,
	},
	{name: "a negative delta without a level", stock: "TEE@lyon=5", when: adjust("op", tee(Change{Delta: units(-1)})), answer: "not_found"},
	{
		name: "below zero", stock: "TEE@berlin=5", when: adjust("op", tee(Change{Delta: units(-6)})),
		answer: "insufficient_stock |  TEE 5 of 6",
	},
	{
		name: "above the limit", stock: "TEE@berlin=5", when: adjust("op", tee(Change{Delta: units(QuantityMax)})),
		answer: "invalid_request | /changes/0/delta would take on hand from 5 over 2147483647",
	},
	{
		name: "as expected", stock: "TEE@berlin=5", when: adjust("op", tee(Change{OnHand: units(6), IfOnHand: units(5)})),
		answer: "at 0s | TEE@berlin 6 held 0 committed 0 safety 0 backorder 0 available 6",
		state: `stock TEE@berlin 6
			level TEE@berlin 6 0 0 0
			event adjust op at 0s | TEE@berlin on hand 5>6 safety 0>0 backorder 0>0 available 6`,
	},
	{
		name: "not as expected", stock: "TEE@berlin=5", when: adjust("op", tee(Change{OnHand: units(6), IfOnHand: units(4)})),
		answer: "version_conflict TEE 5",
	},
	{
		name: "all or none", stock: "TEE@berlin=5",
		when:   adjust("op", Change{SKU: "MUG", Location: "berlin", OnHand: units(3)}, tee(Change{Delta: units(-6)})),
		answer: "insufficient_stock |  TEE 5 of 6",
	},
	{
		name: "several levels", stock: "TEE@berlin=5",
		when: adjust("op", Change{SKU: "MUG", Location: "lyon", OnHand: units(3)}, tee(Change{Delta: units(1)})),
		answer: "at 0s | MUG@lyon 3 held 0 committed 0 safety 0 backorder 0 available 3 new" +
			" | TEE@berlin 6 held 0 committed 0 safety 0 backorder 0 available 6",
		state: `stock MUG@lyon 3
			stock TEE@berlin 6
			level MUG@lyon 3 0 0 0
			level TEE@berlin 6 0 0 0
			event adjust op at 0s | MUG@lyon on hand 0>3 safety 0>0 backorder 0>0 available 3 |` +
			` TEE@berlin on hand 5>6 safety 0>0 backorder 0>0 available 6`,
	},
	{
		name:   "one level twice",
		when:   adjust("op", tee(Change{OnHand: units(3)}), tee(Change{OnHand: units(4)})),
		answer: "invalid_request | /changes/1 names TEE at berlin a second time",
	},
}

func TestAdjust(t *testing.T) {
	for _, o := range adjustments {
		o.run(t)
	}
}

// TestPolicyBoundsSale sells what safety stock and backorder limit leave, and no more.
func TestPolicyBoundsSale(t *testing.T) {
	policy := func(safety, backorder int64) func(*bench) string {
		return adjust("policy", Change{SKU: "TEE", Location: "berlin", SafetyStock: &safety, BackorderLimit: &backorder})
	}
	for _, o := range []operation{
		{name: "safety stock 5 of 8: 4 no", stock: "TEE@berlin=8", given: calls(policy(5, 0)),
			when: reserve(order("ord", "1:TEE:4")), answer: "insufficient_stock | 1 TEE 3 of 4"},
		{name: "backorder limit 5 on 3: 9 no", stock: "TEE@berlin=3", given: calls(policy(0, 5)),
			when: reserve(order("ord", "1:TEE:9")), answer: "insufficient_stock | 1 TEE 8 of 9"},
		{name: "safety stock 5 of 8: 3 yes", stock: "TEE@berlin=8", given: calls(policy(5, 0)),
			when: reserve(order("ord", "1:TEE:3")), answer: "held v1 until 10s | 1 TEE 3/3 berlin:3",
			state: `stock TEE@berlin 0
				level TEE@berlin 8 0 5 0
				ord held v1 until 10s | 1 TEE 3 berlin:3
				deadline 10s ord
				event reserve at 0s:  v0 > ord held v1 until 10s | 1 TEE 3 berlin:3`},
		{name: "backorder limit 5 on 3: 8 yes", stock: "TEE@berlin=3", given: calls(policy(0, 5)),
			when: reserve(order("ord", "1:TEE:8")), answer: "held v1 until 10s | 1 TEE 8/8 berlin:8",
			state: `stock TEE@berlin 0
				level TEE@berlin 3 0 0 5
				ord held v1 until 10s | 1 TEE 8 berlin:8
				deadline 10s ord
				event reserve at 0s:  v0 > ord held v1 until 10s | 1 TEE 8 berlin:8`},
	} {
		o.run(t)
	}
}
