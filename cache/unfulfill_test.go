package cache

import (
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/location"
)

// unship calls Unfulfill.
func unship(id string, to location.ID, list string) func(*bench) string {
	return unshipAt(id, 0, to, list)
}

func unshipAt(id string, version int64, to location.ID, list string) func(*bench) string {
	return func(b *bench) string {
		return told(b.store.Unfulfill(b.ctx, UnfulfillRequest{ID: id, Reservation: "ord", Version: version, To: to, Lines: parts(list)}))
	}
}

// What is shipped before the steps of unfulfillCases.
var (
	allShipped      = then(sold, fulfill("ord", 0, ""))
	partlyShipped   = then(sold, fulfill("ord", 2, "1:2"))
	shippedFromLyon = then(sold, moveTo("ord", 2, "1", "lyon"), fulfill("ord", 3, ""))
	// Both locations serve line 1: a first, then b.
	shippedFromTwo = calls(reserve(split(order("ord", "1:TEE:5"), location.SplitUnits)), confirm("ord", 0), fulfill("ord", 0, ""))
)

const stockOfTwoPlaces = stockOfTwo + " TEE@lyon=3"

// unfulfillCases has steps that take shipped units back, and their refusals.
var unfulfillCases = []operation{
	{
		name: "a part of a fulfilled reservation", stock: stockOfTwo, given: allShipped, when: unship("un", "", "1:2"),
		answer: "confirmed v4 | 1 TEE 3/3 berlin:3 fulfilled 1 | 2 MUG 2/2 berlin:2 fulfilled 2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 2
			level MUG@berlin 2 0 0 0
			level TEE@berlin 4 2 0 0
			ord confirmed v4 until 10s | 1 TEE 3 berlin:3(1) | 2 MUG 2 berlin:2(2)
			deadline 10s ord
			event unfulfill un at 0s: fulfilled v3 > ord confirmed v4 until 10s | 1 TEE 3 berlin:3(1) | 2 MUG 2 berlin:2(2)`,
	},
	{
		name: "of a confirmed reservation", stock: stockOfTwo, given: partlyShipped, when: unship("un", "", "1:2"),
		answer: "confirmed v4 | 1 TEE 3/3 berlin:3 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 2
			level MUG@berlin 4 2 0 0
			level TEE@berlin 5 3 0 0
			ord confirmed v4 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2
			deadline 10s ord
			event unfulfill un at 0s: confirmed v3 > ord confirmed v4 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2`,
	},
	{
		name: "everything, to a location without a level", stock: stockOfTwo, given: allShipped, when: unship("un", "lyon", "1:3 2:2"),
		answer: "confirmed v4 | 1 TEE 3/3 lyon:3 | 2 MUG 2/2 lyon:2",
		state: `stock MUG@berlin 2
			stock MUG@lyon 0
			stock TEE@berlin 2
			stock TEE@lyon 0
			level MUG@berlin 2 0 0 0
			level MUG@lyon 2 2 0 0
			level TEE@berlin 2 0 0 0
			level TEE@lyon 3 3 0 0
			ord confirmed v4 until 10s | 1 TEE 3 lyon:3 | 2 MUG 2 lyon:2
			deadline 10s ord
			event unfulfill un TEE@berlin -3 TEE@lyon +3 MUG@berlin -2 MUG@lyon +2 at 0s: fulfilled v3 > ord confirmed v4 until 10s | 1 TEE 3 lyon:3 | 2 MUG 2 lyon:2`,
	},
	{
		name: "a part to a location that has some", stock: stockOfTwoPlaces, given: allShipped, when: unship("un", "lyon", "1:1"),
		answer: "confirmed v4 | 1 TEE 3/3 berlin:2 lyon:1 fulfilled 2 | 2 MUG 2/2 berlin:2 fulfilled 2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 2
			stock TEE@lyon 3
			level MUG@berlin 2 0 0 0
			level TEE@berlin 2 0 0 0
			level TEE@lyon 4 1 0 0
			ord confirmed v4 until 10s | 1 TEE 3 berlin:2(2) lyon:1 | 2 MUG 2 berlin:2(2)
			deadline 10s ord
			event unfulfill un TEE@berlin -1 TEE@lyon +1 at 0s: fulfilled v3 > ord confirmed v4 until 10s | 1 TEE 3 berlin:2(2) lyon:1 | 2 MUG 2 berlin:2(2)`,
	},
	{
		name: "to the location that they left from", stock: stockOfTwoPlaces, given: shippedFromLyon, when: unship("un", "lyon", "1:1"),
		answer: "confirmed v5 | 1 TEE 3/3 lyon:3 fulfilled 2 | 2 MUG 2/2 berlin:2 fulfilled 2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 5
			stock TEE@lyon 0
			level MUG@berlin 2 0 0 0
			level TEE@berlin 5 0 0 0
			level TEE@lyon 1 1 0 0
			ord confirmed v5 until 10s | 1 TEE 3 lyon:3(2) | 2 MUG 2 berlin:2(2)
			deadline 10s ord
			event unfulfill un at 0s: fulfilled v4 > ord confirmed v5 until 10s | 1 TEE 3 lyon:3(2) | 2 MUG 2 berlin:2(2)`,
	},
	{
		name: "of two allocations", stock: "TEE@berlin=3 TEE@lyon=2", given: shippedFromTwo, when: unship("un", "", "1:3"),
		answer: "confirmed v4 | 1 TEE 5/5 berlin:3 lyon:2 fulfilled 2",
		state: `stock TEE@berlin 0
			stock TEE@lyon 0
			level TEE@berlin 1 1 0 0
			level TEE@lyon 2 2 0 0
			ord confirmed v4 until 10s | 1 TEE 5 berlin:3(2) lyon:2
			deadline 10s ord
			event unfulfill un at 0s: fulfilled v3 > ord confirmed v4 until 10s | 1 TEE 5 berlin:3(2) lyon:2`,
	},
	{
		name: "of two allocations, to one of them", stock: "TEE@berlin=3 TEE@lyon=2", given: shippedFromTwo, when: unship("un", "berlin", "1:3"),
		answer: "confirmed v4 | 1 TEE 5/5 berlin:5 fulfilled 2",
		state: `stock TEE@berlin 0
			stock TEE@lyon 0
			level TEE@berlin 3 3 0 0
			level TEE@lyon 0 0 0 0
			ord confirmed v4 until 10s | 1 TEE 5 berlin:5(2)
			deadline 10s ord
			event unfulfill un TEE@lyon -2 TEE@berlin +2 at 0s: fulfilled v3 > ord confirmed v4 until 10s | 1 TEE 5 berlin:5(2)`,
	},
	{
		name: "to a level that was removed", stock: "TEE@berlin=3", when: unship("un", "", "1:1"),
		given:  calls(reserve(order("ord", "1:TEE:3")), confirm("ord", 0), fulfill("ord", 0, ""), remove("op", "TEE", "berlin")),
		answer: "confirmed v4 | 1 TEE 3/3 berlin:3 fulfilled 2",
		state: `stock TEE@berlin 0
			level TEE@berlin 1 1 0 0
			ord confirmed v4 until 10s | 1 TEE 3 berlin:3(2)
			deadline 10s ord
			event unfulfill un at 0s: fulfilled v3 > ord confirmed v4 until 10s | 1 TEE 3 berlin:3(2)`,
	},
	{name: "repeated, after it was shipped again", stock: stockOfTwo, given: then(allShipped, unship("un", "", "1:2"), fulfill("ord", 0, "")),
		when: unship("un", "", "1:2"), answer: "again fulfilled v5 | 1 TEE 3/3 berlin:3 fulfilled 3 | 2 MUG 2/2 berlin:2 fulfilled 2"},
	{name: "with other units", stock: stockOfTwo, given: then(allShipped, unship("un", "", "1:2")), when: unship("un", "", "1:1"), answer: "id_conflict"},
	{name: "to another location", stock: stockOfTwo, given: then(allShipped, unship("un", "", "1:2")), when: unship("un", "lyon", "1:2"), answer: "id_conflict"},
	{name: "with the id of a return", stock: stockOfTwo, given: then(allShipped, back("ret", "berlin", "1:2")), when: unship("ret", "berlin", "1:2"), answer: "id_conflict"},
	{name: "more than has left", stock: stockOfTwo, given: partlyShipped, when: unship("un", "", "1:3"), answer: "invalid_request | /lines/0/quantity 2 have left and did not come back"},
	{name: "what was returned", stock: stockOfTwo, given: then(allShipped, back("ret", "berlin", "1:2")), when: unship("un", "", "1:2"),
		answer: "invalid_request | /lines/0/quantity 1 have left and did not come back"},
	{name: "a return of what was unfulfilled", stock: stockOfTwo, given: then(allShipped, unship("un", "", "1:2")), when: back("ret", "berlin", "1:2"),
		answer: "invalid_request | /lines/0/quantity 1 have left and did not come back"},
	{name: "no such line", stock: stockOfTwo, given: allShipped, when: unship("un", "", "1:1 9:1"), answer: "invalid_request | /lines/1/line the reservation has no such line"},
	{name: "held", stock: stockOfTwo, given: held, when: unship("un", "", "1:1"), answer: "wrong_state held"},
	{name: "expired", stock: stockOfTwo, given: then(held, after(11*time.Second)), when: unship("un", "", "1:1"), answer: "wrong_state expired"},
	{name: "a released sale of which a part has left", stock: stockOfTwo, given: then(partlyShipped, release("ord", 0, "")), when: unship("un", "", "1:1"), answer: "wrong_state released"},
	{name: "nothing has left", stock: stockOfTwo, given: sold, when: unship("un", "", "1:1"), answer: "invalid_request | /lines/0/quantity 0 have left and did not come back"},
	{name: "no such reservation", stock: stockOfTwo, when: unship("un", "", "1:1"), answer: "not_found"},
	{name: "another version", stock: stockOfTwo, given: allShipped, when: unshipAt("un", 2, "", "1:1"), answer: "version_conflict  3"},
	{
		name: "above the limit", stock: stockOfTwo + " TEE@lyon=2147483646", given: allShipped, when: unship("un", "lyon", "1:2"),
		answer: "invalid_request | /lines would take on hand of TEE at lyon from 2147483646 over 2147483647",
	},
	{name: "every fault", when: unshipAt("", -1, "{", ""), answer: "invalid_request | /id is required | /version must be from 1 to 2147483647 | /to must not contain { or } | /lines has 0 lines, must have from 1 to 500"},
	{name: "confirmed again", stock: stockOfTwo, given: then(allShipped, unship("un", "", "1:2")), when: confirm("ord", 0),
		answer: "again confirmed v4 | 1 TEE 3/3 berlin:3 fulfilled 1 | 2 MUG 2/2 berlin:2 fulfilled 2"},
	{
		name: "then released", stock: stockOfTwo, given: then(allShipped, unship("un", "", "1:2")), when: release("ord", 0, ""),
		answer: "released v5 | 1 TEE 3/3 berlin:3 fulfilled 1 | 2 MUG 2/2 berlin:2 fulfilled 2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 4
			level MUG@berlin 2 0 0 0
			level TEE@berlin 4 0 0 0
			ord released v5 until 10s | 1 TEE 3 berlin:3(1) | 2 MUG 2 berlin:2(2)
			deadline 10s ord
			event release at 0s: confirmed v4 > ord released v5 until 10s | 1 TEE 3 berlin:3(1) | 2 MUG 2 berlin:2(2)`,
	},
}

// TestUnfulfill takes shipped units back to their reservation, or refuses and changes nothing.
func TestUnfulfill(t *testing.T) {
	for _, o := range unfulfillCases {
		o.run(t)
	}
}

// TestUnfulfill_Kit takes a kit back whole, and leaves the count of a purchase limit as it is.
func TestUnfulfill_Kit(t *testing.T) {
	kits := direct(location.Directory{
		Locations: []location.Location{{ID: "berlin"}, {ID: "lyon"}}, Channels: []location.SalesChannel{{ID: "web", Default: true, Locations: []location.ID{"berlin"}}},
		Kits:   []location.Kit{{SKU: "SET", Components: []location.Component{{SKU: "TEE", Quantity: 2}, {SKU: "MUG", Quantity: 1}}}},
		Limits: []location.Limit{{ID: "drop", SKUs: []location.SKU{"SET"}, PerCustomer: 3}},
	})
	bought := order("ord", "1:SET:3")
	bought.Customer = "c"
	given := calls(kits, reserve(bought), confirm("ord", 0), fulfill("ord", 2, "1:2"))
	for _, o := range []operation{
		{
			name: "comes back", stock: "TEE@berlin=6 MUG@berlin=3", given: given, when: unship("un", "lyon", "1:1"),
			answer: "confirmed v4 | 1 SET 3/3 berlin:2 lyon:1 fulfilled 1 + TEE 6 berlin:4 lyon:2 + MUG 3 berlin:2 lyon:1",
			state: `stock MUG@berlin 0
				stock MUG@lyon 0
				stock TEE@berlin 0
				stock TEE@lyon 0
				level MUG@berlin 1 1 0 0
				level MUG@lyon 1 1 0 0
				level TEE@berlin 2 2 0 0
				level TEE@lyon 2 2 0 0
				ord confirmed v4 until 10s | 1 TEE 6 of SET x2 drop<=3/2 berlin:4(2) lyon:2 | 1 MUG 3 of SET x1 berlin:2(1) lyon:1
				limit drop c 3
				deadline 10s ord
				event unfulfill un TEE@berlin -2 TEE@lyon +2 MUG@berlin -1 MUG@lyon +1 at 0s: confirmed v3 > ord confirmed v4 until 10s | 1 TEE 6 of SET x2 drop<=3/2 berlin:4(2) lyon:2 | 1 MUG 3 of SET x1 berlin:2(1) lyon:1`,
		},
		{name: "more than have left", stock: "TEE@berlin=6 MUG@berlin=3", given: given, when: unship("un", "", "1:3"),
			answer: "invalid_request | /lines/0/quantity 2 have left and did not come back"},
		{name: "to a location that the directory lacks", stock: "TEE@berlin=6 MUG@berlin=3", given: given, when: unship("un", "oslo", "1:1"),
			answer: "invalid_request | /to is \"oslo\", which the directory does not have; there are berlin, lyon"},
	} {
		o.run(t)
	}
}

// TestUnfulfill_Batch decides the requests of one batch one after another.
func TestUnfulfill_Batch(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		b.stock("TEE@berlin=3")
		for _, call := range calls(reserve(order("ord", "1:TEE:3")), confirm("ord", 0), fulfill("ord", 0, "")) {
			call(b)
		}
		var requests []shard.Request
		for _, c := range []struct{ id, lines string }{{"a", "1:2"}, {"b", "1:2"}, {"a", "1:2"}, {"c", "1:1"}, {"a", "1:1"}} {
			lines := parts(c.lines)
			requests = append(requests, &transitionCall{
				verb: VerbUnfulfill, request: &TransitionRequest{ID: "ord", Lines: lines}, settled: settledAlways, back: &backArguments{to: "lyon"},
				operation: c.id, fingerprint: stepFingerprint(VerbUnfulfill, "ord", 0, "lyon", lines...),
			})
		}
		var got []string
		for _, a := range b.batch(VerbUnfulfill, requests...) {
			got = append(got, a.Status)
		}
		equal(t, "answers", strings.Join(got, " "), "done exceeds repeat done conflict")
		equal(t, "levels", levelsOnly(b.state(100)), "level TEE@berlin 0 0 0 0\nlevel TEE@lyon 3 3 0 0")
	})
}
