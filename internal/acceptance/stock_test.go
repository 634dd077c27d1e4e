package acceptance

import "testing"

// changed returns the level in the answer to a change of stock.
func changed(sku string, n [6]int) string {
	return `{` + units(sku, "berlin", n) + `, ` + durable + `}`
}

func TestPutLevel(t *testing.T) {
	const path = "/v1/stock/$A/berlin"
	full := put(path, `{"id": "$full", "on_hand": 9, "safety_stock": 2, "backorder_limit": 3, "reason": "count", "actor": "anna"}`).
		is(201, changed("$A", [6]int{9, 0, 0, 2, 3, 10}))
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{
				name: "makes a level", when: full.with("Idempotent-Replay", "").with("Content-Type", "application/json"),
				then: []step{stocked("$A", "berlin", [6]int{9, 0, 0, 2, 3, 10})},
			},
			{name: "changes a level", given: []step{full}, when: put(path, `{"id": "$p", "on_hand": 4}`).is(200, changed("$A", [6]int{4, 0, 0, 2, 3, 5}))},
			{name: "only safety stock", given: []step{full}, when: put(path, `{"id": "$p", "safety_stock": 5}`).is(200, changed("$A", [6]int{9, 0, 0, 5, 3, 7}))},
			{name: "only backorder limit", given: []step{full}, when: put(path, `{"id": "$p", "backorder_limit": 0}`).is(200, changed("$A", [6]int{9, 0, 0, 2, 0, 7}))},
			{name: "0 is a value", given: []step{full}, when: put(path, `{"id": "$p", "on_hand": 0, "safety_stock": 0}`).is(200, changed("$A", [6]int{0, 0, 0, 0, 3, 3}))},
			{
				name: "null is absent", given: []step{full},
				when: put(path, `{"id": "$p", "on_hand": 1, "safety_stock": null, "backorder_limit": null, "if_on_hand": null, "as_of": null, "reason": null, "actor": null}`).
					is(200, changed("$A", [6]int{1, 0, 0, 2, 3, 2})),
			},
			{name: "left out on a new level it is 0", when: put(path, `{"id": "$p", "backorder_limit": 4}`).is(201, changed("$A", [6]int{0, 0, 0, 0, 4, 4}))},
			{name: "below zero by policy", when: put(path, `{"id": "$p", "on_hand": 1, "safety_stock": 4}`).is(201, changed("$A", [6]int{1, 0, 0, 4, 0, -3}))},
			{
				name: "below zero beside what is held", given: []step{full, hold("$o", "$A", 8)},
				when: put(path, `{"id": "$p", "on_hand": 0}`).is(200, changed("$A", [6]int{0, 8, 0, 2, 3, -7})),
			},
			{
				name: "the same again answers the level as it is now", given: []step{full, hold("$o", "$A", 1)},
				when: full.is(200, changed("$A", [6]int{9, 1, 0, 2, 3, 9})).replayed(),
			},
			{name: "the same id for another count", given: []step{full}, when: put(path, `{"id": "$full", "on_hand": 9}`).refused(409, "id_conflict", "")},
			{
				name: "the same id at another place", given: []step{full},
				when: put("/v1/stock/$A/lyon", full.body).refused(409, "id_conflict", ""), then: []step{stocked("$A", "berlin", [6]int{9, 0, 0, 2, 3, 10})},
			},
			{name: "if on hand is", given: []step{full}, when: put(path, `{"id": "$p", "on_hand": 8, "if_on_hand": 9}`).is(200, changed("$A", [6]int{8, 0, 0, 2, 3, 9}))},
			{
				name: "if on hand is not", given: []step{full}, then: []step{stocked("$A", "berlin", [6]int{9, 0, 0, 2, 3, 10})},
				when: put(path, `{"id": "$p", "on_hand": 8, "if_on_hand": 7}`).refused(409, "version_conflict", `"on_hand": 9, "sku": "$A", "location": "berlin"`),
			},
			{name: "if on hand, of a new level", when: put(path, `{"id": "$p", "on_hand": 8, "if_on_hand": 0}`).is(201, changed("$A", [6]int{8, 0, 0, 0, 0, 8}))},
			{name: "if on hand with a policy only", given: []step{full}, when: put(path, `{"id": "$p", "safety_stock": 0, "if_on_hand": 9}`).is(200, changed("$A", [6]int{9, 0, 0, 0, 3, 12}))},
			{name: "nothing to set", when: invalid(put(path, `{"id": "$p", "if_on_hand": 1, "reason": "x"}`), "/on_hand")},
			{name: "no id", when: invalid(put(path, `{"on_hand": 1}`), "/id")},
			{name: "below 0", when: invalid(put(path, `{"id": "$p", "on_hand": -1}`), "/on_hand")},
			{name: "the most", when: put(path, `{"id": "$p", "on_hand": 2147483647}`).is(201, changed("$A", [6]int{2147483647, 0, 0, 0, 0, 2147483647}))},
			{name: "more than the most", when: invalid(put(path, `{"id": "$p", "on_hand": 2147483648}`), "/on_hand")},
			{name: "as of before the ledger", when: invalid(put(path, `{"id": "$p", "on_hand": 1, "as_of": "2020-11-20T00:00:00Z"}`), "/as_of")},
			{name: "as of the future", when: invalid(put(path, `{"id": "$p", "on_hand": 1, "as_of": "2200-11-20T00:00:00Z"}`), "/as_of")},
			{name: "as of no time", when: invalid(put(path, `{"id": "$p", "on_hand": 1, "as_of": "today"}`), "/as_of")},
			{name: "as of, a policy only", when: invalid(put(path, `{"id": "$p", "safety_stock": 1, "as_of": "2020-11-20T00:00:00Z"}`), "/as_of")},
			{
				name: "less than is committed", given: []step{full, hold("$o", "$A", 8), transition("confirm", "$o", "")},
				when: put(path, `{"id": "$p", "on_hand": 4}`).is(200, `{`+units("$A", "berlin", [6]int{4, 0, 8, 2, 3, -3})+
					`, "shortfall": 1, "short_reservations": [{"id": "$o", "quantity": 8}], `+durable+`}`),
				then: []step{get("/v1/stock/$A").is(200, `{"sku": "$A", "levels": [{`+units("$A", "berlin", [6]int{4, 0, 8, 2, 3, -3})+`}]}`)},
			},
			{name: "a field of the path", when: put(path, `{"id": "$p", "on_hand": 1, "sku": "$A"}`).refused(400, "malformed", `"errors": [{"path": "/sku", "message": "<text>"}]`)},
		})
	})
}

func TestAdjustment(t *testing.T) {
	by := func(id, delta string) step {
		return post("/v1/stock/adjustments", `{"id": "`+id+`", "sku": "$A", "location": "berlin", "delta": `+delta+`, "reason": "delivery", "actor": "anna"}`)
	}
	five := level("$A", "berlin", 5)
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{name: "up makes a level", when: by("$d", "3").is(201, changed("$A", [6]int{3, 0, 0, 0, 0, 3})).with("Idempotent-Replay", "")},
			{name: "up", given: []step{five}, when: by("$d", "3").is(200, changed("$A", [6]int{8, 0, 0, 0, 0, 8}))},
			{name: "down", given: []step{five}, when: by("$d", "-3").is(200, changed("$A", [6]int{2, 0, 0, 0, 0, 2}))},
			{name: "again", given: []step{five, by("$d", "-3")}, when: by("$d", "-3").is(200, changed("$A", [6]int{2, 0, 0, 0, 0, 2})).replayed()},
			{name: "again where it made the level", given: []step{by("$d", "3").is(201, "")}, when: by("$d", "3").is(200, changed("$A", [6]int{3, 0, 0, 0, 0, 3})).replayed()},
			{name: "the same id for another", given: []step{five, by("$d", "-3")}, when: by("$d", "-2").refused(409, "id_conflict", "")},
			{name: "down where there is no level", when: by("$d", "-1").refused(404, "not_found", ""), then: []step{get("/v1/stock/$A").refused(404, "not_found", "")}},
			{
				name: "on hand below zero", given: []step{five}, then: []step{stocked("$A", "berlin", [6]int{5, 0, 0, 0, 0, 5})},
				when: by("$d", "-6").refused(409, "insufficient_stock", `"shortages": [{"sku": "$A", "requested": 6, "available": 5}]`),
			},
			{
				name: "available below zero", given: []step{five, hold("$o", "$A", 4)},
				when: by("$d", "-3").is(200, changed("$A", [6]int{2, 4, 0, 0, 0, -2})),
				then: []step{hold("$next", "$A", 1).refused(409, "insufficient_stock", `"shortages": [{"line": "1", "sku": "$A", "requested": 1, "available": 0}]`)},
			},
			{name: "0", given: []step{five}, when: invalid(by("$d", "0"), "/delta")},
			{name: "none", when: invalid(post("/v1/stock/adjustments", `{"id": "$d", "sku": "$A", "location": "berlin"}`), "/delta")},
			{name: "up to the most", given: []step{five}, when: by("$d", "2147483642").is(200, changed("$A", [6]int{2147483647, 0, 0, 0, 0, 2147483647}))},
			{name: "over the most", given: []step{five}, when: invalid(by("$d", "2147483643"), "/delta"), then: []step{stocked("$A", "berlin", [6]int{5, 0, 0, 0, 0, 5})}},
			{name: "a delta over the most", when: invalid(by("$d", "2147483648"), "/delta")},
			{name: "a delta below the least", given: []step{five}, when: invalid(by("$d", "-2147483648"), "/delta")},
			{
				name: "everything missing",
				when: post("/v1/stock/adjustments", "{}").refused(422, "invalid_request", `"errors": [{"path": "/id", "message": "<text>"},
					{"path": "/sku", "message": "<text>"}, {"path": "/location", "message": "<text>"}, {"path": "/delta", "message": "<text>"}]`),
			},
			{name: "a SKU without any level", when: get("/v1/stock/$A").refused(404, "not_found", "")},
		})
	})
}

// Every number of a level shows a fulfill and a release.
func TestLevelThroughALife(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		for _, s := range []struct {
			do   step
			want [6]int // on hand, held, committed, safety stock, backorder limit, available
		}{
			{put("/v1/stock/A/berlin", `{"id": "p", "on_hand": 10, "safety_stock": 1, "backorder_limit": 2}`).is(201, ""), [6]int{10, 0, 0, 1, 2, 11}},
			{hold("o", "A", 6), [6]int{10, 6, 0, 1, 2, 5}},
			{hold("q", "A", 5), [6]int{10, 11, 0, 1, 2, 0}},
			{transition("release", "o", `{"version": 1, "lines": [{"line": "1", "quantity": 1}]}`), [6]int{10, 10, 0, 1, 2, 1}},
			{transition("confirm", "o", ""), [6]int{10, 5, 5, 1, 2, 1}},
			{transition("fulfill", "o", `{"version": 3, "lines": [{"line": "1", "quantity": 2}]}`), [6]int{8, 5, 3, 1, 2, 1}},
			{transition("release", "o", ""), [6]int{8, 5, 0, 1, 2, 4}},
			{transition("release", "q", ""), [6]int{8, 0, 0, 1, 2, 9}},
		} {
			p.do(t, "when", s.do)
			p.do(t, "then", stocked("A", "berlin", s.want))
		}
	})
}
