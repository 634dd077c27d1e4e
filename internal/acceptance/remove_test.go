package acceptance

import (
	"testing"

	"github.com/holdfast/holdfast/internal/redistest"
)

func remove(sku, at string) step {
	return step{method: "DELETE", path: "/v1/stock/" + sku + "/" + at, status: 204}
}

func TestRemoveLevel(t *testing.T) {
	five, gone := level("$A", "berlin", 5), get("/v1/stock/$A").refused(404, "not_found", "")
	used := func(counts string) step { return remove("$A", "berlin").refused(409, "in_use", counts) }
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{name: "with units on hand", given: []step{five}, when: remove("$A", "berlin"), then: []step{
				gone, get("/v1/stock?sku_prefix=$A").is(200, `{"levels": [], "position": "<text>"}`), hold("$o", "$A", 1).refused(409, "unknown_stock", `"lines": ["1"]`),
			}},
			{
				name: "of a SKU that has others", given: []step{five, level("$A", "lyon", 2)}, when: remove("$A", "berlin"),
				then: []step{stocked("$A", "lyon", [6]int{2, 0, 0, 0, 0, 2}), hold("$o", "$A", 3).refused(409, "insufficient_stock", `"shortages": [{"line": "1", "sku": "$A", "requested": 3, "available": 2}]`)},
			},
			{name: "a second time", given: []step{five, remove("$A", "berlin")}, when: remove("$A", "berlin").refused(404, "not_found", "")},
			{name: "that never was", when: remove("$A", "berlin").refused(404, "not_found", "")},
			{
				name: "with units held", given: []step{five, hold("$o", "$A", 2)}, when: used(`"held": 2, "committed": 0`),
				then: []step{stocked("$A", "berlin", [6]int{5, 2, 0, 0, 0, 3})},
			},
			{
				name: "with units committed", given: []step{five, hold("$o", "$A", 2), transition("confirm", "$o", "")},
				when: used(`"held": 0, "committed": 2`), then: []step{stocked("$A", "berlin", [6]int{5, 0, 2, 0, 0, 3})},
			},
			{name: "once they were given back", given: []step{five, hold("$o", "$A", 2), transition("release", "$o", "")}, when: remove("$A", "berlin"), then: []step{gone}},
			{name: "once they have left", given: []step{five, hold("$o", "$A", 2), transition("confirm", "$o", ""), transition("fulfill", "$o", "")}, when: remove("$A", "berlin"), then: []step{gone}},
			{
				name: "and made again", given: []step{five, remove("$A", "berlin")}, when: put("/v1/stock/$A/berlin", `{"id": "$p", "on_hand": 3}`).is(201, changed("$A", [6]int{3, 0, 0, 0, 0, 3})),
				then: []step{stocked("$A", "berlin", [6]int{3, 0, 0, 0, 0, 3})},
			},
			{name: "and its count repeated", given: []step{five, remove("$A", "berlin")}, when: five.is(200, changed("$A", [6]int{})).replayed(), then: []step{gone}},
			{name: "a name with a slash", given: []step{level("$A%2FB", "b%2F1", 5)}, when: remove("$A%2FB", "b%2F1"), then: []step{get("/v1/stock/$A%2FB").refused(404, "not_found", "")}},
			{name: "a name that is none", when: invalid(remove("$A", "%7B"), "/location")},
		})
	})
}

// TestRemoveLevel_Rebuilt checks that a removed level stays away when Redis is rebuilt.
func TestRemoveLevel_Rebuilt(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startOn(t, redis)
	p.do(t, "given", level("A", "berlin", 5))
	p.do(t, "given", level("B", "berlin", 5))
	p.do(t, "given", remove("A", "berlin"))
	redis.Kill()
	redis.Restart()
	await(t, "it is open again", func() bool { return p.send(t, get("/readyz")).status == 200 })
	p.do(t, "then", get("/v1/stock").is(200, `{"levels": [{`+units("B", "berlin", [6]int{5, 0, 0, 0, 0, 5})+`}], "position": "<text>"}`))
}
