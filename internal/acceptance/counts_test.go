package acceptance

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// sheet returns n counts of SKUs that begin with prefix.
func sheet(prefix string, n, onHand int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"sku": "%s%04d", "location": "berlin", "on_hand": %d}`, prefix, i, onHand)
	}
	return strings.Join(rows, ",")
}

func counts(id, rows string) step {
	return post("/v1/stock/counts", `{"id": "`+id+`", "reason": "yearly count", "actor": "anna", "counts": [`+rows+`]}`)
}

// counted returns the answer to counts of levels.
func counted(id string, levels ...string) string {
	return `{"id": "` + id + `", "levels": [{` + strings.Join(levels, "},{") + `}], "applied_at": "<time>", ` + durable + `}`
}

func TestCounts(t *testing.T) {
	const two = `{"sku": "$A", "location": "berlin", "on_hand": 3}, {"sku": "$B", "location": "lyon", "on_hand": 4, "safety_stock": 1, "backorder_limit": 2}`
	gone := []step{get("/v1/stock/$A").refused(404, "not_found", "")}
	rowFault := func(rows, path string) step { return invalid(counts("$c", rows), path) }
	answer := counted("$c", units("$A", "berlin", [6]int{3, 0, 0, 0, 0, 3}), units("$B", "lyon", [6]int{4, 0, 0, 1, 2, 5}))
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{
				name: "many levels, in the order they were sent", when: counts("$c", two).is(200, answer).with("Idempotent-Replay", ""),
				then: []step{stocked("$A", "berlin", [6]int{3, 0, 0, 0, 0, 3}), stocked("$B", "lyon", [6]int{4, 0, 0, 1, 2, 5})},
			},
			{name: "again", given: []step{counts("$c", two)}, when: counts("$c", two).is(200, answer).replayed()},
			{name: "the same id for others", given: []step{counts("$c", two)}, when: counts("$c", `{"sku": "$A", "location": "berlin", "on_hand": 9}`).refused(409, "id_conflict", "")},
			{name: "a policy only", given: []step{level("$A", "berlin", 3)}, when: counts("$c", `{"sku": "$A", "location": "berlin", "safety_stock": 1}`).
				is(200, counted("$c", units("$A", "berlin", [6]int{3, 0, 0, 1, 0, 2})))},
			{
				name: "all or none: if on hand is not", given: []step{level("$B", "lyon", 1)},
				when: counts("$c", `{"sku": "$A", "location": "berlin", "on_hand": 3}, {"sku": "$B", "location": "lyon", "on_hand": 4, "if_on_hand": 2}`).
					refused(409, "version_conflict", `"on_hand": 1, "sku": "$B", "location": "lyon"`),
				then: gone,
			},
			{name: "all or none: below 0", when: rowFault(`{"sku": "$A", "location": "berlin", "on_hand": 3}, {"sku": "$B", "location": "lyon", "on_hand": -4}`, "/counts/1/on_hand"), then: gone},
			{name: "a level twice", when: rowFault(`{"sku": "$A", "location": "berlin", "on_hand": 3}, {"sku": "$A", "location": "berlin", "on_hand": 3}`, "/counts/1"), then: gone},
			{name: "none", when: rowFault("", "/counts")},
			{name: "no list", when: invalid(post("/v1/stock/counts", `{"id": "$c"}`), "/counts")},
			{name: "a row without a count", when: rowFault(`{"sku": "$A", "location": "berlin"}`, "/counts/0/on_hand")},
			{name: "every fault is listed", when: counts("$c", `{"sku": "", "location": "", "on_hand": -1}, {"on_hand": 1.5e0}`).refused(400, "malformed", `"errors": [{"path": "/counts/1/on_hand", "message": "<text>"}]`)},
			{name: "every fault is listed, understood", when: counts("$c", `{"sku": "", "location": "", "on_hand": -1}`).refused(422, "invalid_request",
				`"errors": [{"path": "/counts/0/sku", "message": "<text>"}, {"path": "/counts/0/location", "message": "<text>"}, {"path": "/counts/0/on_hand", "message": "<text>"}]`)},
			{name: "a delta", when: counts("$c", `{"sku": "$A", "location": "berlin", "delta": 1}`).refused(400, "malformed", `"errors": [{"path": "/counts/0/delta", "message": "<text>"}]`)},
			{name: "as of before the ledger", when: invalid(post("/v1/stock/counts", `{"id": "$c", "as_of": "2020-11-20T00:00:00Z", "counts": [`+two+`]}`), "/as_of"), then: gone},
			{name: "the most", when: counts("$c", sheet("$", 500, 1)), then: []step{stocked("$0499", "berlin", [6]int{1, 0, 0, 0, 0, 1})}},
			{name: "one too many", when: rowFault(sheet("$", 501, 1), "/counts"), then: []step{get("/v1/stock/$0000").refused(404, "not_found", "")}},
		})
		t.Run("a replay says when it was applied", func(t *testing.T) {
			first := moment(t, decoded(t, p.do(t, "given", counts("when", sheet("W", 1, 1))).body), "applied_at")
			p.do(t, "given", level("later", "berlin", 1))
			await(t, "a later moment", func() bool { return time.Since(first) > 2*time.Millisecond })
			again := moment(t, decoded(t, p.do(t, "when", counts("when", sheet("W", 1, 1)).replayed()).body), "applied_at")
			if !again.Equal(first) {
				t.Errorf("applied at %v, then at %v", first, again)
			}
		})
	})
}
