package acceptance

import (
	"fmt"
	"strings"
	"testing"
)

// coded expects a refusal with this code, and any members.
func (s step) coded(status int, code string) step {
	s.status = status
	s.check = func(body []byte) error {
		if !strings.Contains(string(body), `"code":"`+code+`"`) {
			return fmt.Errorf("want the code %s", code)
		}
		return nil
	}
	return s
}

// unship takes units of line 1 of $o back from a shipment. more has more fields.
func unship(id string, units int, more string) step {
	return transition("unfulfill", "$o", fmt.Sprintf(`{"id": "%s", "lines": [{"line": "1", "quantity": %d}]%s}`, id, units, more))
}

func TestUnfulfill(t *testing.T) {
	shipped := made(confirm, fulfill)
	with := func(more ...step) []step { return append(append([]step{}, shipped...), more...) }
	exceeds := func(s step) step { return invalid(s, "/lines/0/quantity") }
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{
				name: "a part", given: shipped, when: unship("$u", 1, "").is(200, now("confirmed", 4, 3, 2, durable)).with("Idempotent-Replay", ""),
				then: []step{stocked("$A", "berlin", [6]int{3, 0, 1, 0, 0, 2}), read("$o").is(200, now("confirmed", 4, 3, 2, ""))},
			},
			{
				name: "to another location", given: shipped, when: unship("$u", 3, `, "to": "lyon"`),
				then: []step{
					get("/v1/stock/$A").is(200, `{"sku": "$A", "levels": [{`+units("$A", "berlin", [6]int{2, 0, 0, 0, 0, 2})+`}, {`+units("$A", "lyon", [6]int{3, 0, 3, 0, 0, 0})+`}]}`),
					fulfill.is(200, ""),
				},
			},
			{
				name: "again", given: with(unship("$u", 1, "")), when: unship("$u", 1, "").is(200, now("confirmed", 4, 3, 2, durable)).replayed(),
				then: []step{stocked("$A", "berlin", [6]int{3, 0, 1, 0, 0, 2})},
			},
			{
				name: "again after it was shipped again", given: with(unship("$u", 1, ""), transition("fulfill", "$o", `{"version": 4}`)),
				when: unship("$u", 1, "").is(200, now("fulfilled", 5, 3, 3, durable)).replayed(), then: []step{stocked("$A", "berlin", [6]int{2, 0, 0, 0, 0, 2})},
			},
			{name: "the same id for another", given: with(unship("$u", 1, "")), when: unship("$u", 2, "").refused(409, "id_conflict", "")},
			{name: "the id of a count", given: shipped, when: unship("$A count berlin", 1, "").refused(409, "id_conflict", "")},
			{name: "more than has left", given: shipped, when: exceeds(unship("$u", 4, "")), then: []step{stocked("$A", "berlin", [6]int{2, 0, 0, 0, 0, 2})}},
			{name: "what came back", given: with(back("$r", "berlin", 2)), when: exceeds(unship("$u", 2, "")), then: []step{unship("$u", 1, "")}},
			{name: "of a hold", given: made(), when: wrongState(unship("$u", 1, ""), "held")},
			{name: "of what was given back", given: made(release), when: wrongState(unship("$u", 1, ""), "released")},
			{name: "of what has not left", given: made(confirm), when: exceeds(unship("$u", 1, ""))},
			{name: "of a reservation that never was", when: unship("$u", 1, "").refused(404, "not_found", "")},
			{name: "with another version", given: shipped, when: unship("$u", 1, `, "version": 2`).refused(409, "version_conflict", `"version": 3`)},
			{name: "another line", given: shipped, when: invalid(transition("unfulfill", "$o", `{"id": "$u", "lines": [{"line": "2", "quantity": 1}]}`), "/lines/0/line")},
			{
				name: "everything missing", given: shipped, when: transition("unfulfill", "$o", "{}").refused(422, "invalid_request",
					`"errors": [{"path": "/id", "message": "<text>"}, {"path": "/lines", "message": "<text>"}]`),
			},
		})
	})
}

// patch describes $o.
func patch(body string) step {
	return step{method: "PATCH", path: "/v1/reservations/$o", body: body, status: 200}
}

// says expects the state and the version of $o, and some more text.
func (s step) says(state string, version int, more string) step {
	s.check = func(body []byte) error {
		for _, text := range []string{`"state":"` + state + `"`, fmt.Sprintf(`"version":%d`, version), more} {
			if !strings.Contains(string(body), text) {
				return fmt.Errorf("want %s", text)
			}
		}
		return nil
	}
	return s
}

func TestDescribe(t *testing.T) {
	const named = `{"customer": "c-1", "order": "$5512", "metadata": {"gift": "yes"}}`
	limit := routed(fromAB, `, "campaigns": [{"id": "drop", "skus": ["$A"], "per_customer": 2}]`)
	limited := []step{level("$A", "a", 9), limit, asked("$o", `"customer": "$c"`, "$A 2"), asked("$other", `"customer": "$d", "identities": ["$card"]`, "$A 1")}
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{
				name: "a hold", given: made(), when: patch(named).says("held", 2, `"metadata":{"gift":"yes"}`).with("Idempotent-Replay", ""),
				then: []step{read("$o").says("held", 2, `"customer":"c-1"`), get("/v1/reservations?order=$5512").says("held", 2, `"gift":"yes"`), stocked("$A", "berlin", [6]int{5, 3, 0, 0, 0, 2})},
			},
			{name: "repeated", given: made(patch(named)), when: patch(named).says("held", 2, `"gift":"yes"`).replayed()},
			{name: "null removes", given: made(patch(named)), when: patch(`{"customer": null, "metadata": {"gift": null, "cart": "7"}}`).says("held", 3, `"metadata":{"cart":"7"}`)},
			{name: "a sale that left", given: made(confirm, fulfill), when: patch(`{"version": 3, "order": "x"}`).says("fulfilled", 4, `"order":"x"`)},
			{name: "what was released", given: made(release), when: patch(named).says("released", 3, `"gift":"yes"`)},
			{name: "another version", given: made(), when: patch(`{"version": 2, "order": "x"}`).refused(409, "version_conflict", `"version": 1`), then: []step{read("$o").says("held", 1, "")}},
			{name: "a reservation that never was", when: patch(named).refused(404, "not_found", "")},
			{name: "an identity twice", given: made(), when: invalid(patch(`{"identities": ["a", "a"]}`), "/identities/1")},
			{
				name: "another customer of a limited one", given: limited, when: patch(`{"customer": "$e"}`).says("held", 2, ""),
				then: []step{asked("$next", `"customer": "$c"`, "$A 2"), asked("$more", `"customer": "$e"`, "$A 1").coded(409, "purchase_limit")},
			},
			{
				name: "one who has too many", given: limited, when: patch(`{"customer": "$d"}`).refused(409, "purchase_limit", `"campaign": "drop", "limit": 2, "taken": 1, "identity": "$d"`),
				then: []step{read("$o").says("held", 1, "")},
			},
			{name: "an identity that has too many", given: limited, when: patch(`{"identities": ["$card"]}`).coded(409, "purchase_limit")},
			{name: "nobody", given: limited, when: invalid(patch(`{"customer": null}`), "/customer"), then: []step{patch(`{"customer": null, "identities": ["$phone"]}`)}},
		})
	})
}

func TestBackorder(t *testing.T) {
	waits := []step{level("$A", "berlin", 2), reserve(`{"id": "$o", "lines": [{"line": "1", "sku": "$A", "quantity": 5, "backorder": true}]}`).says("held", 1, `"backordered":3`)}
	short := stocked("$A", "berlin", [6]int{2, 0, 5, 0, 0, -3})
	with := func(more ...step) []step { return append(append([]step{}, waits...), more...) }
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{name: "held", given: waits, when: stocked("$A", "berlin", [6]int{2, 5, 0, 0, 0, -3})},
			{name: "repeated", given: waits, when: post("/v1/reservations", waits[1].body).replayed()},
			{name: "confirmed", given: waits, when: confirm.says("confirmed", 2, `"backordered":3`), then: []step{short, confirm.replayed()}},
			{name: "a plain line gets nothing", given: waits, when: hold("$next", "$A", 1).coded(409, "insufficient_stock")},
			{name: "what is not there does not leave", given: with(confirm), when: fulfill.coded(409, "insufficient_stock"), then: []step{short}},
			{
				name: "what is there leaves", given: with(confirm), when: transition("fulfill", "$o", `{"id": "$f", "lines": [{"line": "1", "quantity": 2}]}`).says("confirmed", 3, `"backordered":3`),
				then: []step{stocked("$A", "berlin", [6]int{0, 0, 3, 0, 0, -3}), put("/v1/stock/$A/berlin", `{"id": "$in", "on_hand": 4}`), fulfill.says("fulfilled", 4, ""), stocked("$A", "berlin", [6]int{1, 0, 0, 0, 0, 1})},
			},
			{name: "fewer", given: with(confirm), when: transition("amend", "$o", `{"id": "$f", "lines": [{"line": "1", "quantity": 2}]}`).says("confirmed", 3, ""), then: []step{stocked("$A", "berlin", [6]int{2, 0, 2, 0, 0, 0})}},
			{name: "given back", given: waits, when: release, then: []step{stocked("$A", "berlin", [6]int{2, 0, 0, 0, 0, 2})}},
			{name: "of a SKU without stock", when: reserve(waits[1].body).coded(409, "unknown_stock")},
		})
	})
}

func TestCampaigns(t *testing.T) {
	drop := func(fields string) []step {
		return []step{level("$A", "a", 50), routed(fromAB, `, "campaigns": [{"id": "$drop", "skus": ["$A"], `+fields+`}]`)}
	}
	buys := func(id string, units int) step { return asked(id, `"customer": "$c"`, fmt.Sprintf("$A %d", units)) }
	with := func(given []step, more ...step) []step { return append(append([]step{}, given...), more...) }
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{name: "not yet", given: drop(`"starts_at": "2099-01-01T00:00:00Z"`), when: buys("$o", 1).coded(409, "not_on_sale")},
			{name: "over", given: drop(`"ends_at": "2020-01-01T00:00:00Z"`), when: buys("$o", 1).coded(409, "not_on_sale")},
			{
				name: "all sold", given: with(drop(`"total": 3`), buys("$o", 2)), when: buys("$p", 2).coded(409, "campaign_sold_out"),
				then: []step{post("/v1/reservations", buys("$o", 2).body).replayed(), buys("$q", 1), transition("release", "$q", ""), buys("$r", 1)},
			},
			{
				name: "a return frees", given: with(drop(`"total": 3, "per_customer": 3, "frees_on_return": true`), buys("$o", 3), confirm, fulfill), when: buys("$p", 1).coded(409, "purchase_limit"),
				then: []step{back("$ret", "a", 1), back("$ret", "a", 1).replayed(), buys("$q", 2).coded(409, "purchase_limit"), buys("$r", 1)},
			},
			{
				name: "a return does not", given: with(drop(`"total": 3`), buys("$o", 3), confirm, fulfill, back("$ret", "a", 1)), when: buys("$p", 1).coded(409, "campaign_sold_out"),
			},
			{
				name: "an amend counts", given: with(drop(`"total": 3`), buys("$o", 2)), when: transition("amend", "$o", `{"id": "$x", "lines": [{"line": "1", "quantity": 4}]}`).coded(409, "campaign_sold_out"),
				then: []step{transition("amend", "$o", `{"id": "$y", "lines": [{"line": "1", "quantity": 3}]}`), buys("$p", 1).coded(409, "campaign_sold_out")},
			},
		})
	})
}
