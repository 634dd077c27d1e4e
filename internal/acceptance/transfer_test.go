package acceptance

import (
	"fmt"
	"testing"
)

// transfer returns a call that moves units of a SKU from Berlin to Lyon.
func transfer(id, sku string, units int) step {
	return post("/v1/stock/transfers", fmt.Sprintf(`{"id": "%s", "sku": "%s", "from": "berlin", "to": "lyon", "quantity": %d, "reason": "closer", "actor": "anna"}`, id, sku, units))
}

func TestTransfer(t *testing.T) {
	five := level("$A", "berlin", 5)
	answer := func(berlin, lyon [6]int) string {
		return `{"id": "$t", "levels": [{` + units("$A", "berlin", berlin) + `}, {` + units("$A", "lyon", lyon) + `}], "applied_at": "<time>", ` + durable + `}`
	}
	both := func(berlin, lyon [6]int) step {
		return get("/v1/stock/$A").is(200, `{"sku": "$A", "levels": [{`+units("$A", "berlin", berlin)+`}, {`+units("$A", "lyon", lyon)+`}]}`)
	}
	short := func(there int) string {
		return fmt.Sprintf(`"shortages": [{"sku": "$A", "requested": 3, "available": %d}]`, there)
	}
	two, three := [6]int{2, 0, 0, 0, 0, 2}, [6]int{3, 0, 0, 0, 0, 3}
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{
				name: "to where there is no level", given: []step{five}, when: transfer("$t", "$A", 3).is(200, answer(two, three)).with("Idempotent-Replay", ""),
				then: []step{both(two, three)},
			},
			{
				name: "to a level", given: []step{five, level("$A", "lyon", 1)}, when: transfer("$t", "$A", 3).is(200, answer(two, [6]int{4, 0, 0, 0, 0, 4})),
				then: []step{both(two, [6]int{4, 0, 0, 0, 0, 4})},
			},
			{name: "again", given: []step{five, transfer("$t", "$A", 3)}, when: transfer("$t", "$A", 3).is(200, answer(two, three)).replayed(), then: []step{both(two, three)}},
			{name: "the same id for another", given: []step{five, transfer("$t", "$A", 3)}, when: transfer("$t", "$A", 2).refused(409, "id_conflict", ""), then: []step{both(two, three)}},
			{
				name: "more than is available", given: []step{five, hold("$o", "$A", 3)}, when: transfer("$t", "$A", 3).refused(409, "insufficient_stock", short(2)),
				then: []step{stocked("$A", "berlin", [6]int{5, 3, 0, 0, 0, 2})},
			},
			{
				name: "more than is on hand", given: []step{put("/v1/stock/$A/berlin", `{"id": "$p", "on_hand": 2, "backorder_limit": 5}`).is(201, "")},
				when: transfer("$t", "$A", 3).refused(409, "insufficient_stock", short(2)),
			},
			{name: "from where there is no level", given: []step{level("$A", "lyon", 5)}, when: transfer("$t", "$A", 3).refused(404, "not_found", ""), then: []step{stocked("$A", "lyon", [6]int{5, 0, 0, 0, 0, 5})}},
			{name: "of what there is none of", when: transfer("$t", "$A", 3).refused(404, "not_found", "")},
			{name: "0", given: []step{five}, when: invalid(transfer("$t", "$A", 0), "/quantity")},
			{name: "to the same place", given: []step{five}, when: invalid(post("/v1/stock/transfers", `{"id": "$t", "sku": "$A", "from": "berlin", "to": "berlin", "quantity": 1}`), "/to")},
			{
				name: "everything missing",
				when: post("/v1/stock/transfers", "{}").refused(422, "invalid_request", `"errors": [{"path": "/id", "message": "<text>"}, {"path": "/sku", "message": "<text>"},
					{"path": "/from", "message": "<text>"}, {"path": "/to", "message": "<text>"}, {"path": "/quantity", "message": "<text>"}]`),
			},
			{name: "then it is sold there", given: []step{five, transfer("$t", "$A", 3)}, when: hold("$o", "$A", 3), then: []step{both(two, [6]int{3, 3, 0, 0, 0, 0})}},
		})
	})
}
