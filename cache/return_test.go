package cache

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/location"
)

// back returns lines of ord, given as "line:units …".
func back(id string, to location.ID, list string) func(*bench) string {
	return backAt(id, 0, to, list)
}

func backAt(id string, version int64, to location.ID, list string) func(*bench) string {
	return func(b *bench) string {
		return told(b.store.Return(b.ctx, ReturnRequest{ID: id, Reservation: "ord", Version: version, To: to, Lines: parts(list)}))
	}
}

// shipped and partly are reservations that have left, whole and in part.
var (
	shipped = calls(reserve(order("ord", "1:TEE:3 2:MUG:2")), confirm("ord", 0), fulfill("ord", 0, ""))
	partly  = calls(reserve(order("ord", "1:TEE:3 2:MUG:2")), confirm("ord", 0), fulfill("ord", 2, "1:2"))
)

// then returns given and more.
func then(given []func(*bench) string, more ...func(*bench) string) []func(*bench) string {
	return append(slices.Clone(given), more...)
}

var returns = []operation{
	{
		name: "to the location that served them", stock: stockOfTwo, given: shipped, when: back("ret", "berlin", "1:2"),
		answer: "fulfilled v4 | 1 TEE 3/3 berlin:3 fulfilled 3 returned 2 | 2 MUG 2/2 berlin:2 fulfilled 2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 4
			level MUG@berlin 2 0 0 0
			level TEE@berlin 4 0 0 0
			ord fulfilled v4 until 10s | 1 TEE 3 berlin:3(3) back 2 | 2 MUG 2 berlin:2(2)
			deadline 10s ord
			event return ret TEE@berlin 2>4 (4) at 0s: fulfilled v3 > ord fulfilled v4 until 10s | 1 TEE 3 berlin:3(3) back 2 | 2 MUG 2 berlin:2(2)`,
	},
	{
		name: "to a location without a level", stock: stockOfTwo, given: shipped, when: back("ret", "lyon", "2:2 1:1"),
		answer: "fulfilled v4 | 1 TEE 3/3 berlin:3 fulfilled 3 returned 1 | 2 MUG 2/2 berlin:2 fulfilled 2 returned 2",
		state: `stock MUG@berlin 2
			stock MUG@lyon 2
			stock TEE@berlin 2
			stock TEE@lyon 1
			level MUG@berlin 2 0 0 0
			level MUG@lyon 2 0 0 0
			level TEE@berlin 2 0 0 0
			level TEE@lyon 1 0 0 0
			ord fulfilled v4 until 10s | 1 TEE 3 berlin:3(3) back 1 | 2 MUG 2 berlin:2(2) back 2
			deadline 10s ord
			event return ret TEE@lyon 0>1 (1) MUG@lyon 0>2 (2) at 0s: fulfilled v3 > ord fulfilled v4 until 10s | 1 TEE 3 berlin:3(3) back 1 | 2 MUG 2 berlin:2(2) back 2`,
	},
	{
		name: "of a partly fulfilled reservation", stock: stockOfTwo, given: partly, when: back("ret", "berlin", "1:2"),
		answer: "confirmed v4 | 1 TEE 3/3 berlin:3 fulfilled 2 returned 2 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 4
			level MUG@berlin 4 2 0 0
			level TEE@berlin 5 1 0 0
			ord confirmed v4 until 10s | 1 TEE 3 berlin:3(2) back 2 | 2 MUG 2 berlin:2
			deadline 10s ord
			event return ret TEE@berlin 3>5 (4) at 0s: confirmed v3 > ord confirmed v4 until 10s | 1 TEE 3 berlin:3(2) back 2 | 2 MUG 2 berlin:2`,
	},
	{
		name: "of a confirmed reservation that was released later", stock: stockOfTwo, given: then(partly, release("ord", 0, "")), when: back("ret", "berlin", "1:1"),
		answer: "released v5 | 1 TEE 3/3 berlin:3 fulfilled 2 returned 1 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 4
			stock TEE@berlin 4
			level MUG@berlin 4 0 0 0
			level TEE@berlin 4 0 0 0
			ord released v5 until 10s | 1 TEE 3 berlin:3(2) back 1 | 2 MUG 2 berlin:2
			deadline 10s ord
			event return ret TEE@berlin 3>4 (4) at 0s: released v4 > ord released v5 until 10s | 1 TEE 3 berlin:3(2) back 1 | 2 MUG 2 berlin:2`,
	},
	{name: "more than has left", stock: stockOfTwo, given: partly, when: back("ret", "berlin", "1:3"), answer: "invalid_request | /lines/0/quantity 2 have left and did not come back"},
	{name: "of a line that has not left", stock: stockOfTwo, given: partly, when: back("ret", "berlin", "1:1 2:1"), answer: "invalid_request | /lines/1/quantity 0 have left and did not come back"},
	{name: "more than is still out", stock: stockOfTwo, given: then(shipped, back("first", "berlin", "1:2")), when: back("ret", "berlin", "1:2"), answer: "invalid_request | /lines/0/quantity 1 have left and did not come back"},
	{
		name: "the rest", stock: stockOfTwo, given: then(shipped, back("first", "berlin", "1:2")), when: back("ret", "berlin", "1:1"),
		answer: "fulfilled v5 | 1 TEE 3/3 berlin:3 fulfilled 3 returned 3 | 2 MUG 2/2 berlin:2 fulfilled 2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 5
			level MUG@berlin 2 0 0 0
			level TEE@berlin 5 0 0 0
			ord fulfilled v5 until 10s | 1 TEE 3 berlin:3(3) back 3 | 2 MUG 2 berlin:2(2)
			deadline 10s ord
			event return ret TEE@berlin 4>5 (5) at 0s: fulfilled v4 > ord fulfilled v5 until 10s | 1 TEE 3 berlin:3(3) back 3 | 2 MUG 2 berlin:2(2)`,
	},
	{name: "no such line", stock: stockOfTwo, given: shipped, when: back("ret", "berlin", "1:1 9:1"), answer: "invalid_request | /lines/1/line the reservation has no such line"},
	{name: "held", stock: stockOfTwo, given: shipped[:1], when: back("ret", "berlin", "1:1"), answer: "wrong_state held"},
	{name: "expired", stock: stockOfTwo, given: then(shipped[:1], after(11*time.Second)), when: back("ret", "berlin", "1:1"), answer: "wrong_state expired"},
	{name: "released", stock: stockOfTwo, given: then(shipped[:1], release("ord", 0, "")), when: back("ret", "berlin", "1:1"), answer: "wrong_state released"},
	{name: "confirmed, then released", stock: stockOfTwo, given: then(shipped[:2], release("ord", 0, "")), when: back("ret", "berlin", "1:1"), answer: "wrong_state released"},
	{name: "confirmed", stock: stockOfTwo, given: shipped[:2], when: back("ret", "berlin", "1:1"), answer: "invalid_request | /lines/0/quantity 0 have left and did not come back"},
	{name: "no such reservation", stock: stockOfTwo, when: back("ret", "berlin", "1:1"), answer: "not_found"},
	{
		name: "repeated", stock: stockOfTwo, given: then(shipped, back("ret", "berlin", "1:2"), back("more", "berlin", "1:1")), when: back("ret", "berlin", "1:2"),
		answer: "again fulfilled v5 | 1 TEE 3/3 berlin:3 fulfilled 3 returned 3 | 2 MUG 2/2 berlin:2 fulfilled 2",
	},
	{name: "the id of another return", stock: stockOfTwo, given: then(shipped, back("ret", "berlin", "1:2")), when: back("ret", "berlin", "1:1"), answer: "id_conflict"},
	{name: "the id of another operation", stock: stockOfTwo, given: then(shipped, transfer(tees("ret", "berlin", "lyon", 1))), when: back("ret", "berlin", "1:1"), answer: "id_conflict"},
	{name: "with the id of the reservation", stock: stockOfTwo, given: shipped, when: back("ord", "berlin", "1:1"),
		answer: "fulfilled v4 | 1 TEE 3/3 berlin:3 fulfilled 3 returned 1 | 2 MUG 2/2 berlin:2 fulfilled 2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 3
			level MUG@berlin 2 0 0 0
			level TEE@berlin 3 0 0 0
			ord fulfilled v4 until 10s | 1 TEE 3 berlin:3(3) back 1 | 2 MUG 2 berlin:2(2)
			deadline 10s ord
			event return ord TEE@berlin 2>3 (3) at 0s: fulfilled v3 > ord fulfilled v4 until 10s | 1 TEE 3 berlin:3(3) back 1 | 2 MUG 2 berlin:2(2)`,
	},
	{name: "another version", stock: stockOfTwo, given: shipped, when: backAt("ret", 2, "berlin", "1:1"), answer: "version_conflict  3"},
	{
		name: "repeated with its version", stock: stockOfTwo, given: then(shipped, backAt("ret", 3, "berlin", "1:1")), when: backAt("ret", 3, "berlin", "1:1"),
		answer: "again fulfilled v4 | 1 TEE 3/3 berlin:3 fulfilled 3 returned 1 | 2 MUG 2/2 berlin:2 fulfilled 2",
	},
	{
		name: "above the limit", stock: stockOfTwo + " TEE@lyon=2147483646", given: calls(reserve(order("ord", "1:TEE:3:berlin")), confirm("ord", 0), fulfill("ord", 0, "")),
		when: back("ret", "lyon", "1:2"), answer: "invalid_request | /lines would take on hand of TEE at lyon from 2147483646 over 2147483647",
	},
	{name: "every fault", when: backAt("", -1, "{", ""), answer: "invalid_request | /id is required | /version must be from 1 to 2147483647 | /to must not contain { or } | /lines has 0 lines, must have from 1 to 500"},
	{name: "a line twice", when: back("ret", "berlin", "1:1 1:0"), answer: `invalid_request | /lines/1/quantity must be from 1 to 2147483647 | /lines/1/line is "1", the same as line 0`},
	{
		name: "then the rest is fulfilled", stock: stockOfTwo, given: then(partly, back("ret", "berlin", "1:2")), when: fulfill("ord", 0, ""),
		answer: "fulfilled v5 | 1 TEE 3/3 berlin:3 fulfilled 3 returned 2 | 2 MUG 2/2 berlin:2 fulfilled 2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 4
			level MUG@berlin 2 0 0 0
			level TEE@berlin 4 0 0 0
			ord fulfilled v5 until 10s | 1 TEE 3 berlin:3(3) back 2 | 2 MUG 2 berlin:2(2)
			deadline 10s ord
			event fulfill at 0s: confirmed v4 > ord fulfilled v5 until 10s | 1 TEE 3 berlin:3(3) back 2 | 2 MUG 2 berlin:2(2)`,
	},
	{name: "then fulfilled again", stock: stockOfTwo, given: then(shipped, back("ret", "berlin", "1:1")), when: fulfill("ord", 0, ""),
		answer: "again fulfilled v4 | 1 TEE 3/3 berlin:3 fulfilled 3 returned 1 | 2 MUG 2/2 berlin:2 fulfilled 2"},
	{name: "then released again", stock: stockOfTwo, given: then(partly, release("ord", 0, ""), back("ret", "berlin", "1:1")), when: release("ord", 0, ""),
		answer: "again released v5 | 1 TEE 3/3 berlin:3 fulfilled 2 returned 1 | 2 MUG 2/2 berlin:2"},
	{name: "to a level that was removed", stock: "TEE@berlin=3", given: calls(
		reserve(order("ord", "1:TEE:3")), confirm("ord", 0), fulfill("ord", 0, ""), remove("op", "TEE", "berlin")), when: back("ret", "berlin", "1:1"),
		answer: "fulfilled v4 | 1 TEE 3/3 berlin:3 fulfilled 3 returned 1",
		state: `stock TEE@berlin 1
			level TEE@berlin 1 0 0 0
			ord fulfilled v4 until 10s | 1 TEE 3 berlin:3(3) back 1
			deadline 10s ord
			event return ret TEE@berlin 0>1 (1) at 0s: fulfilled v3 > ord fulfilled v4 until 10s | 1 TEE 3 berlin:3(3) back 1`,
	},
}

func TestReturn(t *testing.T) {
	for _, o := range returns {
		o.run(t)
	}
}

// TestReturn_Lines returns two lines of one SKU, and a kit.
func TestReturn_Lines(t *testing.T) {
	kits := direct(location.Directory{
		Locations: []location.Location{{ID: "berlin"}, {ID: "lyon"}}, Channels: []location.SalesChannel{{ID: "web", Default: true, Locations: []location.ID{"berlin"}}},
		Kits: []location.Kit{{SKU: "SET", Components: []location.Component{{SKU: "TEE", Quantity: 2}, {SKU: "MUG", Quantity: 1}}}},
	})
	for _, o := range []operation{
		{
			name: "two of one SKU", stock: "TEE@berlin=5", given: calls(reserve(order("ord", "1:TEE:2 2:TEE:3")), confirm("ord", 0), fulfill("ord", 0, "")),
			when: back("ret", "berlin", "1:2 2:2"), answer: "fulfilled v4 | 1 TEE 2/2 berlin:2 fulfilled 2 returned 2 | 2 TEE 3/3 berlin:3 fulfilled 3 returned 2",
			state: `stock TEE@berlin 4
				level TEE@berlin 4 0 0 0
				ord fulfilled v4 until 10s | 1 TEE 2 berlin:2(2) back 2 | 2 TEE 3 berlin:3(3) back 2
				deadline 10s ord
				event return ret TEE@berlin 0>4 (4) at 0s: fulfilled v3 > ord fulfilled v4 until 10s | 1 TEE 2 berlin:2(2) back 2 | 2 TEE 3 berlin:3(3) back 2`,
		},
		{
			name: "a kit comes back whole", stock: "TEE@berlin=6 MUG@berlin=3", given: calls(kits, reserve(order("ord", "1:SET:3")), confirm("ord", 0), fulfill("ord", 2, "1:2")),
			when: back("ret", "lyon", "1:1"), answer: "confirmed v4 | 1 SET 3/3 berlin:3 fulfilled 2 returned 1 + TEE 6 berlin:6 + MUG 3 berlin:3",
			state: `stock MUG@berlin 0
				stock MUG@lyon 1
				stock TEE@berlin 0
				stock TEE@lyon 2
				level MUG@berlin 1 1 0 0
				level MUG@lyon 1 0 0 0
				level TEE@berlin 2 2 0 0
				level TEE@lyon 2 0 0 0
				ord confirmed v4 until 10s | 1 TEE 6 of SET x2 berlin:6(4) back 2 | 1 MUG 3 of SET x1 berlin:3(2) back 1
				deadline 10s ord
				event return ret TEE@lyon 0>2 (2) MUG@lyon 0>1 (1) at 0s: confirmed v3 > ord confirmed v4 until 10s | 1 TEE 6 of SET x2 berlin:6(4) back 2 | 1 MUG 3 of SET x1 berlin:3(2) back 1`,
		},
		{
			name: "more kits than have left", stock: "TEE@berlin=6 MUG@berlin=3", given: calls(kits, reserve(order("ord", "1:SET:3")), confirm("ord", 0), fulfill("ord", 2, "1:2")),
			when: back("ret", "lyon", "1:3"), answer: "invalid_request | /lines/0/quantity 2 have left and did not come back",
		},
	} {
		o.run(t)
	}
}

// TestReturn_Batch decides the returns of one batch one after another.
func TestReturn_Batch(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		b.stock("TEE@berlin=3")
		for _, call := range calls(reserve(order("ord", "1:TEE:3")), confirm("ord", 0), fulfill("ord", 0, "")) {
			call(b)
		}
		var requests []shard.Request
		for _, c := range []struct{ id, lines string }{{"a", "1:2"}, {"b", "1:2"}, {"a", "1:2"}, {"c", "1:1"}, {"a", "1:1"}} {
			r := ReturnRequest{ID: c.id, Reservation: "ord", To: "lyon", Lines: parts(c.lines)}
			requests = append(requests, &transitionCall{
				verb: VerbReturn, request: &TransitionRequest{ID: "ord", Lines: r.Lines}, settled: settledAlways,
				operation: r.ID, fingerprint: stepFingerprint(VerbReturn, "ord", 0, r.To, r.Lines...), back: &backArguments{to: r.To},
			})
		}
		var got []string
		for _, a := range b.batch(VerbReturn, requests...) {
			got = append(got, a.Status)
		}
		equal(t, "answers", strings.Join(got, " "), "done exceeds repeat done conflict")
		equal(t, "levels", levelsOnly(b.state(100)), "level TEE@berlin 0 0 0 0\nlevel TEE@lyon 3 0 0 0")
	})
}
