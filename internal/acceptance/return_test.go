package acceptance

import (
	"fmt"
	"strings"
	"testing"
)

// back returns units of line 1 of $o.
func back(id, to string, units int) step {
	return transition("return", "$o", fmt.Sprintf(`{"id": "%s", "lines": [{"line": "1", "quantity": %d}], "to": "%s"}`, id, units, to))
}

// after is like now, for a reservation with returned units.
func after(state string, version, fulfilled, returned int, more string) string {
	return strings.Replace(now(state, version, 3, fulfilled, more), `"returned": 0`, fmt.Sprintf(`"returned": %d`, returned), 1)
}

func TestReturn(t *testing.T) {
	shipped := made(confirm, fulfill)
	partly := made(confirm, transition("fulfill", "$o", `{"version": 2, "lines": [{"line": "1", "quantity": 2}]}`))
	with := func(given []step, more ...step) []step { return append(append([]step{}, given...), more...) }
	exceeds := func(s step) step { return invalid(s, "/lines/0/quantity") }
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{
				name: "what has left", given: shipped, when: back("$r", "berlin", 2).is(200, after("fulfilled", 4, 3, 2, durable)).with("Idempotent-Replay", ""),
				then: []step{stocked("$A", "berlin", [6]int{4, 0, 0, 0, 0, 4}), read("$o").is(200, after("fulfilled", 4, 3, 2, "")), hold("$next", "$A", 4)},
			},
			{
				name: "to another location", given: shipped, when: back("$r", "lyon", 3).is(200, after("fulfilled", 4, 3, 3, durable)),
				then: []step{get("/v1/stock/$A").is(200, `{"sku": "$A", "levels": [{`+units("$A", "berlin", [6]int{2, 0, 0, 0, 0, 2})+`}, {`+units("$A", "lyon", [6]int{3, 0, 0, 0, 0, 3})+`}]}`)},
			},
			{
				name: "while the rest has not left", given: partly, when: back("$r", "berlin", 1).is(200, after("confirmed", 4, 2, 1, durable)),
				then: []step{stocked("$A", "berlin", [6]int{4, 0, 1, 0, 0, 3}), fulfill.is(200, after("fulfilled", 5, 3, 1, durable))},
			},
			{
				name: "after the rest was cancelled", given: with(partly, release), when: back("$r", "berlin", 2).is(200, after("released", 5, 2, 2, durable)),
				then: []step{stocked("$A", "berlin", [6]int{5, 0, 0, 0, 0, 5})},
			},
			{
				name: "again", given: with(shipped, back("$r", "berlin", 2)), when: back("$r", "berlin", 2).is(200, after("fulfilled", 4, 3, 2, durable)).replayed(),
				then: []step{stocked("$A", "berlin", [6]int{4, 0, 0, 0, 0, 4})},
			},
			{
				name: "again after more came back", given: with(shipped, back("$r", "berlin", 2), back("$more", "berlin", 1)),
				when: back("$r", "berlin", 2).is(200, after("fulfilled", 5, 3, 3, durable)).replayed(), then: []step{stocked("$A", "berlin", [6]int{5, 0, 0, 0, 0, 5})},
			},
			{name: "the same id for another", given: with(shipped, back("$r", "berlin", 2)), when: back("$r", "berlin", 1).refused(409, "id_conflict", "")},
			{name: "the id of a count", given: shipped, when: back("$A count berlin", "berlin", 1).refused(409, "id_conflict", "")},
			{
				name: "more than has left", given: partly, when: exceeds(back("$r", "berlin", 3)), then: []step{stocked("$A", "berlin", [6]int{3, 0, 1, 0, 0, 2})},
			},
			{name: "more than is still out", given: with(shipped, back("$r", "berlin", 2)), when: exceeds(back("$more", "berlin", 2))},
			{name: "of a hold", given: made(), when: wrongState(back("$r", "berlin", 1), "held")},
			{name: "of what was given back", given: made(release), when: wrongState(back("$r", "berlin", 1), "released")},
			{name: "of what has not left", given: made(confirm), when: exceeds(back("$r", "berlin", 1))},
			{name: "of a reservation that never was", when: back("$r", "berlin", 1).refused(404, "not_found", "")},
			{
				name: "with its version", given: shipped,
				when: transition("return", "$o", `{"id": "$r", "version": 3, "lines": [{"line": "1", "quantity": 1}], "to": "berlin"}`).is(200, after("fulfilled", 4, 3, 1, durable)),
			},
			{
				name: "with another version", given: shipped,
				when: transition("return", "$o", `{"id": "$r", "version": 2, "lines": [{"line": "1", "quantity": 1}], "to": "berlin"}`).refused(409, "version_conflict", `"version": 3`),
			},
			{name: "another line", given: shipped, when: invalid(transition("return", "$o", `{"id": "$r", "lines": [{"line": "2", "quantity": 1}], "to": "berlin"}`), "/lines/0/line")},
			{
				name: "everything missing", given: shipped, when: transition("return", "$o", "{}").refused(422, "invalid_request",
					`"errors": [{"path": "/id", "message": "<text>"}, {"path": "/to", "message": "<text>"}, {"path": "/lines", "message": "<text>"}]`),
			},
		})
	})
}
