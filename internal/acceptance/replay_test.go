package acceptance

import (
	"strings"
	"testing"
)

const replayBody = `{"id": "$o", "customer": "c-9", "ship_to": {"country": "DE", "latitude": 52.5, "longitude": 13.4},
	"ttl_seconds": 600, "metadata": {"a": "1", "b": "2"}, "lines": [{"line": "1", "sku": "$A", "quantity": 2}]}`

// again returns replayBody with one part written in another way.
func again(from, to string) step {
	if !strings.Contains(replayBody, from) {
		panic(from)
	}
	return reserve(strings.Replace(replayBody, from, to, 1))
}

func TestReplay(t *testing.T) {
	given := []step{level("$A", "berlin", 5), reserve(replayBody)}
	as := func(state string, version int) string {
		return strings.Replace(reservation("$o", state, version, line("1", "$A", 2, 2, 0, "berlin"), ""),
			`"lines"`, `"customer": "c-9", "lines"`, 1)
	}
	same := func(s step) step { return s.is(200, as("held", 1)).replayed() }
	once := []step{stocked("$A", "berlin", [6]int{5, 2, 0, 0, 0, 3})}
	conflict := func(s step) step { return s.refused(409, "id_conflict", "") }
	all := `{"metadata":{"b":"2","a":"1"},"lines":[{"quantity":2,"sku":"$A","line":"1"}],"ttl_seconds":600,` +
		`"ship_to":{"longitude":13.40,"latitude":5.25e1,"country":"DE"},"customer":"c-9","id":"$o"}`
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{name: "the very same", given: given, when: same(reserve(replayBody)), then: once},
			{name: "other order, other spacing, other digits", given: given, when: same(reserve(all)), then: once},
			{name: "escaped", given: given, when: same(again(`"c-9"`, `"\u0063-9"`)), then: once},
			{
				name: "null is absent", given: given, then: once,
				when: same(again(`"customer"`, `"channel": null, "order": null, "pickup": null, "split": null, "customer"`)),
			},
			{name: "null in a line is absent", given: given, when: same(again(`"line": "1"`, `"line": "1", "location": null`)), then: once},
			{name: "null in an address is absent", given: given, when: same(again(`"country": "DE"`, `"country": "DE", "region": null, "postal_code": null`)), then: once},
			{name: "other quantity", given: given, when: conflict(again(`"quantity": 2`, `"quantity": 1`)), then: once},
			{name: "other SKU", given: given, when: conflict(again(`"sku": "$A"`, `"sku": "$B"`)), then: once},
			{name: "other line", given: given, when: conflict(again(`"line": "1"`, `"line": "2"`)), then: once},
			{name: "other pin", given: given, when: conflict(again(`"line": "1"`, `"line": "1", "location": "berlin"`)), then: once},
			{name: "other customer", given: given, when: conflict(again(`"c-9"`, `"c-8"`)), then: once},
			{name: "no customer", given: given, when: conflict(again(`"c-9"`, `null`)), then: once},
			{name: "other address", given: given, when: conflict(again(`"DE"`, `"AT"`)), then: once},
			{name: "other place", given: given, when: conflict(again(`13.4`, `13.5`)), then: once},
			{name: "other deadline", given: given, when: conflict(again(`600`, `601`)), then: once},
			{name: "default deadline", given: given, when: conflict(again(`600`, `null`)), then: once},
			{name: "other split", given: given, when: conflict(again(`"customer"`, `"split": "units", "customer"`)), then: once},
			{name: "other metadata", given: given, when: conflict(again(`"b": "2"`, `"b": "3"`)), then: once},
			{name: "more metadata", given: given, when: conflict(again(`"b": "2"`, `"b": "2", "c": "3"`)), then: once},
			{
				name: "one more line", given: given, then: once,
				when: conflict(again(`{"line": "1"`, `{"line": "0", "sku": "$A", "quantity": 1}, {"line": "1"`)),
			},
			{
				name:  "after confirm",
				given: append(given[:2:2], transition("confirm", "$o", "")),
				when:  reserve(replayBody).is(200, as("confirmed", 2)).replayed(),
				then:  []step{stocked("$A", "berlin", [6]int{5, 0, 2, 0, 0, 3})},
			},
			{
				name:  "after release nothing is taken again",
				given: append(given[:2:2], transition("release", "$o", "")),
				when:  reserve(replayBody).is(200, as("released", 2)).replayed(),
				then:  []step{stocked("$A", "berlin", [6]int{5, 0, 0, 0, 0, 5})},
			},
			{
				name:  "after all was sold",
				given: append(given[:2:2], hold("$rest", "$A", 3)),
				when:  same(reserve(replayBody)),
			},
			{
				name: "after another location has come", given: append(given[:2:2], level("$A", "aachen", 9)),
				when: same(reserve(replayBody)),
			},
			{
				name:  "a refusal is not kept: the same id may be tried again",
				given: []step{level("$A", "berlin", 1), reserve(replayBody).is(409, ""), put("/v1/stock/$A/berlin", `{"id": "$more", "on_hand": 2}`)},
				when:  reserve(replayBody).is(201, as("held", 1)).with("Idempotent-Replay", ""),
			},
			{
				name:  "operations are another name space",
				given: []step{level("$A", "berlin", 5), put("/v1/stock/$A/berlin", `{"id": "$o", "on_hand": 6}`)},
				when:  reserve(replayBody).is(201, as("held", 1)),
				then:  []step{put("/v1/stock/$A/berlin", `{"id": "$o", "on_hand": 6}`).is(200, "").replayed()},
			},
		})
	})
}
