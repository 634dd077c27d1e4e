package acceptance

import (
	"slices"
	"testing"
	"time"
)

const (
	durable  = `"durable": "<durable>"` // whether the ledger survives a restart
	oneAtV2  = `{"version": 2, "lines": [{"line": "1", "quantity": 1}]}`
	restAtV2 = `{"version": 2, "lines": [{"line": "1", "quantity": 2}]}`
)

// made returns the calls that hold three of five units in berlin and take some steps with them.
func made(more ...step) []step {
	return append([]step{level("$A", "berlin", 5), hold("$o", "$A", 3)}, more...)
}

var (
	confirm = transition("confirm", "$o", "")
	release = transition("release", "$o", "")
	fulfill = transition("fulfill", "$o", "")
	extend  = transition("extend", "$o", "")
)

// now returns the reservation of made, with its units and those that have left.
func now(state string, version, quantity, fulfilled int, more string) string {
	return reservation("$o", state, version, line("1", "$A", quantity, 3, fulfilled, "berlin"), more)
}

func wrongState(s step, state string) step {
	return s.refused(409, "wrong_state", `"state": "`+state+`"`)
}

func invalid(s step, path string) step {
	return s.refused(422, "invalid_request", `"errors": [{"path": "`+path+`", "message": "<text>"}]`)
}

func TestConfirm(t *testing.T) {
	sold := stocked("$A", "berlin", [6]int{5, 0, 3, 0, 0, 2})
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{
				name: "held", given: made(), when: confirm.is(200, now("confirmed", 2, 3, 0, durable)).with("Idempotent-Replay", ""),
				then: []step{sold, read("$o").is(200, now("confirmed", 2, 3, 0, ""))},
			},
			{name: "with {}", given: made(), when: transition("confirm", "$o", "{}").is(200, now("confirmed", 2, 3, 0, durable))},
			{name: "with its version", given: made(), when: transition("confirm", "$o", `{"version": 1}`).is(200, now("confirmed", 2, 3, 0, durable))},
			{name: "with version null", given: made(), when: transition("confirm", "$o", `{"version": null}`).is(200, now("confirmed", 2, 3, 0, durable))},
			{
				name: "with another version", given: made(),
				when: transition("confirm", "$o", `{"version": 2}`).refused(409, "version_conflict", `"version": 1`),
				then: []step{read("$o").is(200, now("held", 1, 3, 0, ""))},
			},
			{name: "again", given: made(confirm), when: confirm.is(200, now("confirmed", 2, 3, 0, durable)).replayed(), then: []step{sold}},
			{
				name: "again with its version", given: made(transition("confirm", "$o", `{"version": 1}`)),
				when: transition("confirm", "$o", `{"version": 1}`).is(200, now("confirmed", 2, 3, 0, durable)).replayed(), then: []step{sold},
			},
			{
				name: "again after a part has left", given: made(confirm, transition("fulfill", "$o", oneAtV2)),
				when: confirm.is(200, now("confirmed", 3, 3, 1, durable)).replayed(),
			},
			{
				name:  "again with its version, after a part has left",
				given: made(transition("confirm", "$o", `{"version": 1}`), transition("fulfill", "$o", oneAtV2)),
				when:  transition("confirm", "$o", `{"version": 1}`).is(200, now("confirmed", 3, 3, 1, durable)).replayed(),
			},
			{name: "released", given: made(release), when: wrongState(confirm, "released")},
			{name: "fulfilled", given: made(confirm, fulfill), when: wrongState(confirm, "fulfilled")},
			{name: "version 0", given: made(), when: invalid(transition("confirm", "$o", `{"version": 0}`), "/version")},
			{name: "unknown", when: confirm.refused(404, "not_found", "")},
		})
	})
}

// partReleased releases units of a line of $o.
func partReleased(version, quantity, line string) step {
	return transition("release", "$o", `{"version": `+version+`, "lines": [{"line": "`+line+`", "quantity": `+quantity+`}]}`)
}

// fiveWith is the level of $A, of which five are on hand.
func fiveWith(held, committed, available int) step {
	return stocked("$A", "berlin", [6]int{5, held, committed, 0, 0, available})
}

// teeAndMug makes $o with a line of $A and one of $B.
var teeAndMug = []step{level("$A", "berlin", 5), level("$B", "lyon", 5), reserve(`{"id": "$o", "lines": [
	{"line": "1", "sku": "$A", "quantity": 3}, {"line": "2", "sku": "$B", "quantity": 2}]}`)}

var releases = []scenario{
	{
		name: "held: quantity and from stay, for the record", given: made(), then: []step{fiveWith(0, 0, 5)},
		when: release.is(200, now("released", 2, 3, 0, "")).with("Idempotent-Replay", ""),
	},
	{name: "again", given: made(release), when: release.is(200, now("released", 2, 3, 0, "")).replayed(), then: []step{fiveWith(0, 0, 5)}},
	{name: "with its version", given: made(), when: transition("release", "$o", `{"version": 1}`).is(200, now("released", 2, 3, 0, ""))},
	{
		name: "again with its version", given: made(transition("release", "$o", `{"version": 1}`)),
		when: transition("release", "$o", `{"version": 1}`).is(200, now("released", 2, 3, 0, "")).replayed(),
	},
	{name: "another version", given: made(), when: transition("release", "$o", `{"version": 7}`).refused(409, "version_conflict", `"version": 1`)},
	{name: "lines null means all", given: made(), when: transition("release", "$o", `{"lines": null}`).is(200, now("released", 2, 3, 0, ""))},
	{
		name: "confirmed", given: made(confirm), then: []step{fiveWith(0, 0, 5)},
		when: release.is(200, now("released", 3, 3, 0, durable)),
	},
	{
		name: "confirmed, again", given: made(confirm, release), then: []step{fiveWith(0, 0, 5)},
		when: release.is(200, now("released", 3, 3, 0, durable)).replayed(),
	},
	{
		name: "confirmed, of which a part has left", given: made(confirm, transition("fulfill", "$o", oneAtV2)),
		when: release.is(200, now("released", 4, 3, 1, durable)),
		then: []step{stocked("$A", "berlin", [6]int{4, 0, 0, 0, 0, 4})},
	},
	{name: "fulfilled", given: made(confirm, fulfill), when: wrongState(release, "fulfilled")},
	{name: "unknown", when: release.refused(404, "not_found", "")},
}

var partialReleases = []scenario{
	{
		name: "a part keeps the state and lowers quantity", given: made(), then: []step{fiveWith(2, 0, 3)},
		when: partReleased("1", "1", "1").is(200, now("held", 2, 2, 0, "")),
	},
	{
		name: "the same part again gives back nothing", given: made(partReleased("1", "1", "1")), then: []step{fiveWith(2, 0, 3)},
		when: partReleased("1", "1", "1").is(200, now("held", 2, 2, 0, "")).replayed(),
	},
	{
		name: "another part with the same version", given: made(partReleased("1", "1", "1")), then: []step{fiveWith(2, 0, 3)},
		when: partReleased("1", "2", "1").refused(409, "version_conflict", `"version": 2`),
	},
	{name: "a part without version", given: made(), when: invalid(transition("release", "$o", `{"lines": [{"line": "1", "quantity": 1}]}`), "/version")},
	{name: "more than is left", given: made(partReleased("1", "1", "1")), when: invalid(partReleased("2", "3", "1"), "/lines/0/quantity"), then: []step{fiveWith(2, 0, 3)}},
	{name: "a line it does not have", given: made(), when: invalid(partReleased("1", "1", "9"), "/lines/0/line")},
	{name: "nothing", given: made(), when: invalid(partReleased("1", "0", "1"), "/lines/0/quantity")},
	{name: "no lines", given: made(), when: invalid(transition("release", "$o", `{"version": 1, "lines": []}`), "/lines")},
	{
		name: "a line twice", given: made(),
		when: invalid(transition("release", "$o", `{"version": 1, "lines": [{"line": "1", "quantity": 1}, {"line": "1", "quantity": 1}]}`), "/lines/1/line"),
	},
	{
		name: "all that is left is a whole release", given: made(partReleased("1", "1", "1")), then: []step{fiveWith(0, 0, 5)},
		when: partReleased("2", "2", "1").is(200, now("released", 3, 2, 0, "")),
	},
	{
		name: "all that is left, again", given: made(partReleased("1", "1", "1"), partReleased("2", "2", "1")),
		when: partReleased("2", "2", "1").is(200, now("released", 3, 2, 0, "")).replayed(),
	},
	{
		name: "a whole line of two", given: teeAndMug,
		when: partReleased("1", "3", "1").is(200, reservation("$o", "held", 2,
			`{"line": "1", "sku": "$A", "quantity": 0, "requested": 3, "fulfilled": 0, "returned": 0, "from": []},`+
				line("2", "$B", 2, 2, 0, "lyon"), "")),
		then: []step{fiveWith(0, 0, 5), stocked("$B", "lyon", [6]int{5, 2, 0, 0, 0, 3})},
	},
	{
		name: "a part of a confirmed one", given: made(confirm), then: []step{fiveWith(0, 2, 3)},
		when: partReleased("2", "1", "1").is(200, now("confirmed", 3, 2, 0, durable)),
	},
	{
		name: "a part of a confirmed one, again", given: made(confirm, partReleased("2", "1", "1")), then: []step{fiveWith(0, 2, 3)},
		when: partReleased("2", "1", "1").is(200, now("confirmed", 3, 2, 0, durable)).replayed(),
	},
	{
		name: "more than has not left", given: made(confirm, transition("fulfill", "$o", restAtV2)),
		when: invalid(partReleased("3", "2", "1"), "/lines/0/quantity"),
	},
	{
		name: "all that has not left", given: made(confirm, transition("fulfill", "$o", restAtV2)),
		when: partReleased("3", "1", "1").is(200, now("released", 4, 3, 2, durable)),
	},
}

func TestRelease(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) { p.check(t, slices.Concat(releases, partialReleases)) })
}

// If several locations serve a line, released units go back to the location that was taken last.
func TestReleaseOfASplitLine(t *testing.T) {
	from := func(version, quantity int, from string) string {
		return reservation("o", "held", version, `{"line": "1", "sku": "A", "quantity": `+string(rune('0'+quantity))+
			`, "requested": 5, "fulfilled": 0, "returned": 0, "from": [`+from+`]}`, "")
	}
	eachEngine(t, func(t *testing.T, p *program) {
		p.do(t, "given", level("A", "berlin", 3))
		p.do(t, "given", level("A", "lyon", 3))
		p.do(t, "given", reserve(`{"id": "o", "split": "units", "lines": [{"line": "1", "sku": "A", "quantity": 5}]}`).
			is(201, from(1, 5, `{"location": "berlin", "quantity": 3}, {"location": "lyon", "quantity": 2}`)))
		p.do(t, "when", transition("release", "o", `{"version": 1, "lines": [{"line": "1", "quantity": 3}]}`).
			is(200, from(2, 2, `{"location": "berlin", "quantity": 2}`)))
		p.do(t, "then", get("/v1/stock/A").is(200, `{"sku": "A", "levels": [{`+units("A", "berlin", [6]int{3, 2, 0, 0, 0, 1})+
			`}, {`+units("A", "lyon", [6]int{3, 0, 0, 0, 0, 3})+`}]}`))
	})
}

func TestFulfill(t *testing.T) {
	part := func(version, quantity string) step {
		return transition("fulfill", "$o", `{"version": `+version+`, "lines": [{"line": "1", "quantity": `+quantity+`}]}`)
	}
	stock := func(onHand, committed int) step {
		return stocked("$A", "berlin", [6]int{onHand, 0, committed, 0, 0, 2})
	}
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{
				name: "all", given: made(confirm), then: []step{stock(2, 0)},
				when: fulfill.is(200, now("fulfilled", 3, 3, 3, durable)).with("Idempotent-Replay", ""),
			},
			{name: "again", given: made(confirm, fulfill), when: fulfill.is(200, now("fulfilled", 3, 3, 3, durable)).replayed(), then: []step{stock(2, 0)}},
			{name: "with its version", given: made(confirm), when: transition("fulfill", "$o", `{"version": 2}`).is(200, now("fulfilled", 3, 3, 3, durable))},
			{name: "another version", given: made(confirm), when: transition("fulfill", "$o", `{"version": 1}`).refused(409, "version_conflict", `"version": 2`)},
			{name: "a part stays confirmed", given: made(confirm), when: part("2", "1").is(200, now("confirmed", 3, 3, 1, durable)), then: []step{stock(4, 2)}},
			{
				name: "the same part again", given: made(confirm, part("2", "1")), then: []step{stock(4, 2)},
				when: part("2", "1").is(200, now("confirmed", 3, 3, 1, durable)).replayed(),
			},
			{
				name: "another part with the same version", given: made(confirm, part("2", "1")),
				when: part("2", "2").refused(409, "version_conflict", `"version": 3`), then: []step{stock(4, 2)},
			},
			{
				name: "what is left, by line", given: made(confirm, part("2", "1")), then: []step{stock(2, 0)},
				when: part("3", "2").is(200, now("fulfilled", 4, 3, 3, durable)),
			},
			{
				name: "what is left, whole", given: made(confirm, part("2", "1")), then: []step{stock(2, 0)},
				when: fulfill.is(200, now("fulfilled", 4, 3, 3, durable)),
			},
			{
				name: "what is left after a part was released", given: made(confirm, transition("release", "$o", oneAtV2)),
				when: fulfill.is(200, now("fulfilled", 4, 2, 2, durable)),
			},
			{name: "more than is left", given: made(confirm, part("2", "1")), when: invalid(part("3", "3"), "/lines/0/quantity"), then: []step{stock(4, 2)}},
			{name: "a part without version", given: made(confirm), when: invalid(transition("fulfill", "$o", `{"lines": [{"line": "1", "quantity": 1}]}`), "/version")},
			{name: "held", given: made(), when: wrongState(fulfill, "held")},
			{name: "released", given: made(release), when: wrongState(fulfill, "released")},
			{name: "unknown", when: fulfill.refused(404, "not_found", "")},
			{
				name: "more than is on hand",
				given: []step{
					put("/v1/stock/$A/berlin", `{"id": "$p", "on_hand": 1, "backorder_limit": 2}`).is(201, ""),
					hold("$o", "$A", 3), confirm,
				},
				when: fulfill.refused(409, "insufficient_stock", `"shortages": [{"line": "1", "sku": "$A", "requested": 3, "available": 1}]`),
				then: []step{read("$o").is(200, now("confirmed", 2, 3, 0, ""))},
			},
		})
	})
}

func TestExtend(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{name: "held", given: made(), when: transition("extend", "$o", `{"ttl_seconds": 60}`).is(200, now("held", 2, 3, 0, ""))},
			{name: "no body", given: made(), when: extend.is(200, now("held", 2, 3, 0, ""))},
			{name: "{}", given: made(), when: transition("extend", "$o", "{}").is(200, now("held", 2, 3, 0, ""))},
			{name: "confirmed", given: made(confirm), when: wrongState(extend, "confirmed")},
			{name: "released", given: made(release), when: wrongState(extend, "released")},
			{name: "longer than the longest", given: made(), when: invalid(transition("extend", "$o", `{"ttl_seconds": 86401}`), "/ttl_seconds")},
			{name: "the longest", given: made(), when: transition("extend", "$o", `{"ttl_seconds": 86400}`).is(200, now("held", 2, 3, 0, ""))},
			{name: "nothing", given: made(), when: invalid(transition("extend", "$o", `{"ttl_seconds": 0}`), "/ttl_seconds")},
			{name: "unknown", when: extend.refused(404, "not_found", "")},
		})
		t.Run("deadline is now + ttl, shorter or longer", func(t *testing.T) {
			p.do(t, "given", level("D", "berlin", 1))
			p.do(t, "given", hold("d", "D", 1))
			for _, ttl := range []time.Duration{time.Hour, time.Minute} {
				before := time.Now()
				got := decoded(t, p.do(t, "when", transition("extend", "d", `{"ttl_seconds": `+seconds(ttl)+`}`)).body)
				left := moment(t, got, "expires_at").Sub(before)
				if left < ttl-time.Second || left > ttl+patience {
					t.Errorf("%v from now, want %v", left, ttl)
				}
			}
		})
	})
}
