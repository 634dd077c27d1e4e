package acceptance

import "testing"

// TestOperationID repeats steps that have an id, after others have followed.
func TestOperationID(t *testing.T) {
	ship := transition("fulfill", "$o", `{"id": "$r", "lines": [{"line": "1", "quantity": 1}]}`)
	less := transition("release", "$o", `{"id": "$r", "lines": [{"line": "1", "quantity": 1}]}`)
	more := transition("fulfill", "$o", `{"id": "$r-more", "lines": [{"line": "1", "quantity": 1}]}`)
	over := func(to string) step {
		return transition("move", "$o", `{"id": "$r", "line": "1", "to": "`+to+`"}`)
	}
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{
				name: "fulfill", given: made(confirm), when: ship.is(200, now("confirmed", 3, 3, 1, durable)).with("Idempotent-Replay", ""),
				then: []step{
					ship.is(200, now("confirmed", 3, 3, 1, durable)).replayed(),
					more.is(200, now("confirmed", 4, 3, 2, durable)),
					ship.is(200, now("confirmed", 4, 3, 2, durable)).replayed(),
					less.refused(409, "id_conflict", ""),
					stocked("$A", "berlin", [6]int{3, 0, 1, 0, 0, 2}),
				},
			},
			{
				name: "release of a hold", given: made(), when: less.is(200, now("held", 2, 2, 0, "")),
				then: []step{
					confirm.is(200, now("confirmed", 3, 2, 0, durable)),
					less.is(200, now("confirmed", 3, 2, 0, durable)).replayed(),
					stocked("$A", "berlin", [6]int{5, 0, 2, 0, 0, 3}),
				},
			},
			{
				name: "move", given: made(level("$A", "lyon", 3), over("lyon"), transition("move", "$o", `{"version": 2, "line": "1", "to": "berlin"}`)),
				when: over("lyon").is(200, now("held", 3, 3, 0, "")).replayed(),
				then: []step{over("berlin").refused(409, "id_conflict", "")},
			},
			{name: "no identifier", given: made(confirm), when: invalid(transition("fulfill", "$o", `{"id": "{"}`), "/id")},
			{name: "of a confirm", given: made(), when: transition("confirm", "$o", `{"id": "$r"}`).refused(400, "malformed", `"errors": [{"path": "/id", "message": "<text>"}]`)},
		})
	})
}
