package cache

import (
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
)

// backorder makes the lines with these ids ones that may be backordered, or all lines.
func backorder(r ReserveRequest, lines ...string) ReserveRequest {
	for i := range r.Lines {
		for _, line := range lines {
			r.Lines[i].Backorder = r.Lines[i].Backorder || r.Lines[i].Line == line
		}
		r.Lines[i].Backorder = r.Lines[i].Backorder || len(lines) == 0
	}
	return r
}

var lateLine = calls(reserve(backorder(order("ord", "1:TEE:5"))))
var lateSold = then(lateLine, confirm("ord", 0))

// backorderCases has steps of lines that may be backordered.
var backorderCases = []operation{
	{
		name: "nothing is available", stock: "TEE@berlin=0", when: reserve(backorder(order("ord", "1:TEE:3"))),
		answer: "held v1 until 10s | 1 TEE 3/3 berlin:3 backordered 3",
		state: `stock TEE@berlin -3
			level TEE@berlin 0 0 0 0
			ord held v1 until 10s | 1 TEE 3 berlin:3 backorder
			deadline 10s ord
			event reserve at 0s:  v0 > ord held v1 until 10s | 1 TEE 3 berlin:3 backorder`,
	},
	{
		name: "enough is available", stock: "TEE@berlin=3", when: reserve(backorder(order("ord", "1:TEE:3"))),
		answer: "held v1 until 10s | 1 TEE 3/3 berlin:3 backordered 0",
		state: `stock TEE@berlin 0
			level TEE@berlin 3 0 0 0
			ord held v1 until 10s | 1 TEE 3 berlin:3 backorder
			deadline 10s ord
			event reserve at 0s:  v0 > ord held v1 until 10s | 1 TEE 3 berlin:3 backorder`,
	},
	{
		name: "repeated", stock: "TEE@berlin=2", given: lateLine, when: reserve(backorder(order("ord", "1:TEE:5"))),
		answer: "again held v1 until 10s | 1 TEE 5/5 berlin:5 backordered 3",
	},
	{
		name: "the same lines without it are another request", stock: "TEE@berlin=2", given: lateLine,
		when: reserve(order("ord", "1:TEE:5")), answer: "id_conflict",
	},
	{
		name: "plain lines take only what is above zero", stock: "TEE@berlin=2", given: lateLine,
		when: reserve(order("plain", "1:TEE:1")), answer: "insufficient_stock | 1 TEE 0 of 1",
	},
	{
		name: "confirmed", stock: "TEE@berlin=2", given: lateLine, when: confirm("ord", 0),
		answer: "confirmed v2 | 1 TEE 5/5 berlin:5 backordered 3",
		state: `stock TEE@berlin -3
			level TEE@berlin 2 5 0 0
			ord confirmed v2 until 10s | 1 TEE 5 berlin:5 backorder
			deadline 10s ord
			event confirm at 0s: held v1 > ord confirmed v2 until 10s | 1 TEE 5 berlin:5 backorder`,
	},
	{
		name: "expired: takes the units again", stock: "TEE@berlin=2",
		given:  then(lateLine, after(time.Minute), reserve(order("plain", "1:TEE:2"))),
		when:   confirm("ord", 0),
		answer: "confirmed v3 | 1 TEE 5/5 berlin:5 backordered 5",
		state: `stock TEE@berlin -5
			level TEE@berlin 2 5 0 0
			ord confirmed v3 until 10s | 1 TEE 5 berlin:5 backorder
			plain held v1 until 70s | 1 TEE 2 berlin:2
			deadline 70s plain
			event confirm at 60s: expired v2 > ord confirmed v3 until 10s | 1 TEE 5 berlin:5 backorder`,
	},
	{
		name: "expired: plain lines come first, whatever their order", stock: "TEE@berlin=4",
		given:  calls(reserve(backorder(order("ord", "1:TEE:3 2:TEE:3"), "1")), after(time.Minute), expire),
		when:   confirm("ord", 0),
		answer: "confirmed v3 | 1 TEE 3/3 berlin:3 backordered 2 | 2 TEE 3/3 berlin:3",
		state: `stock TEE@berlin -2
			level TEE@berlin 4 6 0 0
			ord confirmed v3 until 10s | 1 TEE 3 berlin:3 backorder | 2 TEE 3 berlin:3
			event confirm at 60s: expired v2 > ord confirmed v3 until 10s | 1 TEE 3 berlin:3 backorder | 2 TEE 3 berlin:3`,
	},
	{
		name: "expired: the plain line is short", stock: "TEE@berlin=4",
		given: calls(reserve(backorder(order("ord", "1:TEE:3 2:TEE:3"), "1")), after(time.Minute), expire,
			reserve(order("plain", "1:TEE:2"))),
		when: confirm("ord", 0), answer: "insufficient_stock | 2 TEE 2 of 3",
	},
	{
		name: "expired: the level was removed", stock: "TEE@berlin=0",
		given: then(lateLine, after(time.Minute), expire, func(b *bench) string {
			_, err := b.store.Remove(b.ctx, RemoveRequest{SKU: "TEE", Location: "berlin"})
			return toldError(err)
		}),
		when: confirm("ord", 0), answer: "insufficient_stock | 1 TEE 0 of 5",
	},
	{
		name: "released", stock: "TEE@berlin=2", given: lateSold, when: release("ord", 2, "1:4"),
		answer: "confirmed v3 | 1 TEE 1/5 berlin:1 backordered 0",
		state: `stock TEE@berlin 1
			level TEE@berlin 2 1 0 0
			ord confirmed v3 until 10s | 1 TEE 5 berlin:1 backorder
			deadline 10s ord
			event release at 0s: confirmed v2 > ord confirmed v3 until 10s | 1 TEE 5 berlin:1 backorder`,
	},
	{
		name: "fulfilled as far as units are there", stock: "TEE@berlin=2", given: lateSold, when: fulfill("ord", 2, "1:2"),
		answer: "confirmed v3 | 1 TEE 5/5 berlin:5 fulfilled 2 backordered 3",
		state: `stock TEE@berlin -3
			level TEE@berlin 0 3 0 0
			ord confirmed v3 until 10s | 1 TEE 5 berlin:5(2) backorder
			deadline 10s ord
			event fulfill at 0s: confirmed v2 > ord confirmed v3 until 10s | 1 TEE 5 berlin:5(2) backorder`,
	},
	{
		name: "fulfilled before units are there", stock: "TEE@berlin=2", given: lateSold, when: fulfill("ord", 2, "1:3"),
		answer: "insufficient_stock | 1 TEE 2 of 3",
	},
	{
		name: "units arrive", stock: "TEE@berlin=2",
		given: then(lateSold, func(b *bench) string { b.stock("TEE@berlin=6"); return "" }),
		when:  reserve(order("plain", "1:TEE:2")), answer: "insufficient_stock | 1 TEE 1 of 2",
	},
	{
		name: "moved to where nothing is available", stock: "TEE@berlin=2 TEE@lyon=1", given: lateSold,
		when:   moveTo("ord", 2, "1", "lyon"),
		answer: "confirmed v3 | 1 TEE 5/5 lyon:5 backordered 4",
		state: `stock TEE@berlin 2
			stock TEE@lyon -4
			level TEE@berlin 2 0 0 0
			level TEE@lyon 1 5 0 0
			ord confirmed v3 until 10s | 1 TEE 5 lyon:5 backorder
			deadline 10s ord
			event move at 0s: confirmed v2 > ord confirmed v3 until 10s | 1 TEE 5 lyon:5 backorder`,
	},
	{
		name: "moved to a location without a level", stock: "TEE@berlin=2", given: lateSold,
		when: moveTo("ord", 2, "1", "lyon"), answer: "no_location | 1 lyon no_level",
	},
	{
		name: "without a level", stock: "TEE@berlin=2 MUG@lyon=1",
		when:   reserve(backorder(order("ord", "1:TEE:1:lyon"))),
		answer: "no_location | 1 berlin not_pin | 1 lyon no_level",
	},
	{
		name: "unknown stock", stock: "TEE@berlin=2",
		when: reserve(backorder(order("ord", "1:CAP:1"))), answer: "unknown_stock | 1",
	},
	{
		name: "takes the units of an overdue hold first", stock: "TEE@berlin=5 TEE@lyon=0",
		given:  calls(reserve(order("old", "1:TEE:5")), after(10*time.Second)),
		when:   reserve(backorder(order("ord", "1:TEE:5"))),
		answer: `held v1 until 20s | 1 TEE 5/5 berlin:5 backordered 0`,
		state: `stock TEE@berlin 0
			stock TEE@lyon 0
			level TEE@berlin 5 0 0 0
			level TEE@lyon 0 0 0 0
			old expired v2 until 10s | 1 TEE 5 berlin:5
			ord held v1 until 20s | 1 TEE 5 berlin:5 backorder
			deadline 20s ord
			event expire at 10s: held v1 > old expired v2 until 10s | 1 TEE 5 berlin:5
			event reserve at 10s:  v0 > ord held v1 until 20s | 1 TEE 5 berlin:5 backorder`,
	},
}

func TestBackorder(t *testing.T) {
	for _, o := range backorderCases {
		o.run(t)
	}
}

// TestBackorder_Routed checks which locations serve lines that may be backordered.
func TestBackorder_Routed(t *testing.T) {
	live := []location.Rank{location.RankHighestStock}
	in := func(way location.Split, lines string, late ...string) ReserveRequest {
		return split(backorder(order("ord", lines), late...), way)
	}
	kits := func(way location.Split, quantity string) ReserveRequest {
		return in(way, "1:SET:"+quantity)
	}
	for _, c := range []struct {
		name, stock string
		directory   location.Directory
		request     ReserveRequest
		want        string
	}{
		{"whole from the first that has it", "TEE@a=1 TEE@b=5 TEE@c=6", shop("", nil, "a", "b", "c"), in("lines", "1:TEE:3"), "b:3"},
		{"whole from where most of it is", "TEE@a=0 TEE@b=2 TEE@c=2", shop("", nil, "a", "b", "c"), in("lines", "1:TEE:3"), "b:3"},
		{"nothing is anywhere: the first", "TEE@a=0 TEE@b=0", shop("", nil, "b", "a"), in("lines", "1:TEE:3"), "b:3"},
		{"below zero counts as nothing", "TEE@a=0 TEE@b=0", shop("", nil, "b", "a"), in("lines", "1:TEE:3 2:TEE:2"), "b:3, b:2"},
		{"split: what is there, the rest from the first", "TEE@a=1 TEE@b=0 TEE@c=2", shop("", nil, "a", "b", "c"), in("units", "1:TEE:5"), "a:3 c:2"},
		{"split: the first has nothing", "TEE@a=0 TEE@b=2", shop("", nil, "a", "b"), in("units", "1:TEE:5"), "a:3 b:2"},
		{"split: most stock first", "TEE@a=1 TEE@b=2", shop("", live, "a", "b"), in("units", "1:TEE:5"), "b:4 a:1"},
		{"split: enough is there", "TEE@a=3 TEE@b=2 TEE@c=4", shop("", nil, "a", "b", "c"), in("units", "1:TEE:5"), "a:3 b:2"},
		{"plain lines come first", "TEE@a=3 TEE@b=1", shop("", nil, "a", "b"), in("lines", "1:TEE:3 2:TEE:3", "1"), "b:3, a:3"},
		{"plain lines come first, split", "TEE@a=4 TEE@b=2", shop("", nil, "a", "b"), in("units", "1:TEE:3 2:TEE:5", "1"), "a:2 b:1, a:4 b:1"},
		{"a plain line is short", "TEE@a=4 TEE@b=2", shop("", nil, "a", "b"), in("lines", "1:TEE:9 2:TEE:5", "1"), "insufficient_stock | 2 TEE 4 of 5"},
		{"other lines together", "TEE@a=4 MUG@a=0 MUG@b=4 CAP@a=1 CAP@b=1", shop("", nil, "a", "b"), in("lines", "1:TEE:9 2:MUG:4 3:CAP:1", "1", "2", "3"), "a:9, b:4, b:1"},
		{"one location: that of the plain lines", "TEE@a=9 MUG@a=0 TEE@b=2 MUG@b=3", shop("", nil, "a", "b"), in("never", "1:TEE:12 2:MUG:3", "1"), "b:12, b:3"},
		{"one location: where most is", "TEE@a=1 MUG@a=2 TEE@b=2 MUG@b=3", shop("", nil, "a", "b"), in("never", "1:TEE:9 2:MUG:9"), "b:9, b:9"},
		{"one location: all are equal", "TEE@a=0 MUG@a=0 TEE@b=0 MUG@b=0", shop("", nil, "b", "a"), in("never", "1:TEE:9 2:MUG:9"), "b:9, b:9"},
		{"one location: plain lines first", "TEE@a=4", shop("", nil, "a"), in("never", "1:TEE:3 2:TEE:3", "1"), "a:3, a:3"},
		{"one location: none has all levels", "TEE@a=4 MUG@b=4", shop("", nil, "a", "b"), in("never", "1:TEE:3 2:MUG:3"), "insufficient_stock | 2 MUG 0 of 3"},
		{"one location: a plain line is short", "TEE@a=4 MUG@a=4", shop("", nil, "a"), in("never", "1:TEE:5 2:MUG:3", "2"), "insufficient_stock | 1 TEE 4 of 5"},
		{"one line of one location", "TEE@a=1 TEE@b=2", shop("", nil, "a", "b"), in("never", "1:TEE:9"), "b:9"},
		{"kits", "TEE@a=5 MUG@a=1 TEE@b=5 MUG@b=3", withSet(shop("", nil, "a", "b")), kits("lines", "4"), "b:4"},
		{"kits, split", "TEE@a=5 MUG@a=1 TEE@b=5 MUG@b=3", withSet(shop("", nil, "a", "b")), kits("units", "5"), "a:3 b:2"},
	} {
		operation{name: c.name, stock: c.stock, given: calls(direct(c.directory)), when: served(c.request), answer: c.want}.runAnswer(t)
	}
}

// withSet adds the kit SET: two TEE and a MUG.
func withSet(d location.Directory) location.Directory {
	d.Kits = []location.Kit{{SKU: "SET", Components: []location.Component{{SKU: "TEE", Quantity: 2}, {SKU: "MUG", Quantity: 1}}}}
	return d
}

// TestBackorder_Kit checks the counts of a kit that is backordered: each component falls below zero
// by what it lacks.
func TestBackorder_Kit(t *testing.T) {
	operation{
		name: "kit", stock: "MUG@a=9 TEE@a=5", given: calls(direct(withSet(shop("", nil, "a")))),
		when:   reserve(backorder(order("ord", "1:SET:4"))),
		answer: "held v1 until 10s | 1 SET 4/4 a:4 backordered 2 + TEE 8 a:8 + MUG 4 a:4",
		state: `stock MUG@a 5
			stock TEE@a -3
			level MUG@a 9 0 0 0
			level TEE@a 5 0 0 0
			ord held v1 until 10s | 1 TEE 8 of SET x2 a:8 backorder | 1 MUG 4 of SET x1 a:4 backorder
			deadline 10s ord
			event reserve at 0s:  v0 > ord held v1 until 10s | 1 TEE 8 of SET x2 a:8 backorder | 1 MUG 4 of SET x1 a:4 backorder`,
	}.run(t)
}

// TestBackorder_Batch decides lines that may be backordered in one batch with a line that is refused:
// overdue units are reclaimed once in a batch.
func TestBackorder_Batch(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{TTL: 10 * time.Second})
		b.stock("TEE@berlin=2")
		var got []string
		for _, a := range b.batch(VerbReserve, b.reserveRequests([]ReserveRequest{
			order("a", "1:TEE:3"), backorder(order("b", "1:TEE:3")), order("c", "1:TEE:1"), backorder(order("d", "1:TEE:1")),
		})...) {
			got = append(got, a.Status)
		}
		equal(t, "answers", strings.Join(got, " "), "insufficient held insufficient held")
		b.invariants()
	})
}

// TestBackorder_EventVersion checks that an entry has version 2 if it has a record with such a line,
// whatever its verb, and version 1 otherwise.
func TestBackorder_EventVersion(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{TTL: 10 * time.Second})
		b.stock("TEE@berlin=5")
		for _, call := range calls(reserve(order("backorder", "backorder:TEE:1")), confirm("backorder", 0),
			reserve(backorder(order("a", "1:TEE:1"))), extend("a", time.Second, 1), confirm("a", 0), fulfill("a", 0, ""),
			reserve(backorder(order("b", "1:TEE:9"))), after(time.Minute), expire, confirm("b", 0), release("b", 0, ""),
			release("backorder", 0, "")) {
			call(b)
		}
		entries, err := b.client.XRange(b.ctx, b.store.keys.Events, "-", "+").Result()
		if err != nil {
			t.Fatal(err)
		}
		versions := ""
		for _, entry := range entries {
			versions += entry.Values["v"].(string)
		}
		equal(t, "versions", versions, "111222222221")
	})
}
