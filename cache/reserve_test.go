package cache

import (
	"testing"
	"time"

	"github.com/holdfast/holdfast/location"
)

var reserves = []operation{
	{
		name: "held", stock: "TEE@berlin=5", when: reserve(order("ord", "1:TEE:3")),
		answer: "held v1 until 10s | 1 TEE 3/3 berlin:3",
		state: `stock TEE@berlin 2
			level TEE@berlin 5 0 0 0
			ord held v1 until 10s | 1 TEE 3 berlin:3
			deadline 10s ord
			event reserve at 0s:  v0 > ord held v1 until 10s | 1 TEE 3 berlin:3`,
	},
	{
		name: "the last unit", stock: "TEE@berlin=1", when: reserve(order("ord", "1:TEE:1")),
		answer: "held v1 until 10s | 1 TEE 1/1 berlin:1",
		state: `stock TEE@berlin 0
			level TEE@berlin 1 0 0 0
			ord held v1 until 10s | 1 TEE 1 berlin:1
			deadline 10s ord
			event reserve at 0s:  v0 > ord held v1 until 10s | 1 TEE 1 berlin:1`,
	},
	{
		name: "replay", stock: "TEE@berlin=5", given: calls(reserve(order("ord", "1:TEE:3"))),
		when:   reserve(order("ord", "1:TEE:3")),
		answer: "again held v1 until 10s | 1 TEE 3/3 berlin:3",
	},
	{
		name: "replay after confirm", stock: "TEE@berlin=5",
		given:  calls(reserve(order("ord", "1:TEE:3")), confirm("ord", 0)),
		when:   reserve(order("ord", "1:TEE:3")),
		answer: "again confirmed v2 | 1 TEE 3/3 berlin:3",
	},
	{
		name: "replay after release", stock: "TEE@berlin=5",
		given:  calls(reserve(order("ord", "1:TEE:3")), release("ord", 0, "")),
		when:   reserve(order("ord", "1:TEE:3")),
		answer: "again released v2 | 1 TEE 3/3 berlin:3",
	},
	{
		name: "replay of an overdue hold that was not expired", stock: "TEE@berlin=5",
		given:  calls(reserve(order("ord", "1:TEE:3")), after(10*time.Second)),
		when:   reserve(order("ord", "1:TEE:3")),
		answer: "again expired v1 until 10s | 1 TEE 3/3 berlin:3",
	},
	{
		name: "replay after expiry", stock: "TEE@berlin=5",
		given:  calls(reserve(order("ord", "1:TEE:3")), after(10*time.Second), expire),
		when:   reserve(order("ord", "1:TEE:3")),
		answer: "again expired v2 until 10s | 1 TEE 3/3 berlin:3",
	},
	{
		name: "conflict", stock: "TEE@berlin=5", given: calls(reserve(order("ord", "1:TEE:3"))),
		when: reserve(order("ord", "1:TEE:2")), answer: "id_conflict",
	},
	{
		name: "conflict comes before unknown stock", stock: "TEE@berlin=5",
		given: calls(reserve(order("ord", "1:TEE:3"))),
		when:  reserve(order("ord", "1:MUG:2")), answer: "id_conflict",
	},
	{
		name: "unknown stock comes before shortage", stock: "TEE@berlin=1",
		when: reserve(order("ord", "1:TEE:2 2:MUG:1 3:CAP:1")), answer: "unknown_stock | 2 3",
	},
	{
		name: "unknown stock comes before no location", stock: "TEE@berlin=1",
		when: reserve(order("ord", "1:TEE:2:lyon 2:MUG:1")), answer: "unknown_stock | 2",
	},
	{
		name: "no location comes before shortage", stock: "TEE@berlin=1 MUG@lyon=1",
		when:   reserve(order("ord", "1:TEE:2 2:MUG:1:berlin")),
		answer: "no_location | 2 berlin no_level | 2 lyon not_pin",
	},
	{
		name: "pin to an unknown location", stock: "TEE@berlin=1",
		when:   reserve(order("ord", "1:TEE:1:mars")),
		answer: "no_location | 1 berlin not_pin | 1 mars unknown_location",
	},
	{
		name: "pickup", stock: "TEE@berlin=1 TEE@lyon=1",
		when:   func(b *bench) string { r := order("ord", "1:TEE:1"); r.Pickup = "lyon"; return reserve(r)(b) },
		answer: "held v1 until 10s | 1 TEE 1/1 lyon:1",
		state: `stock TEE@berlin 1
			stock TEE@lyon 0
			level TEE@berlin 1 0 0 0
			level TEE@lyon 1 0 0 0
			ord held v1 until 10s | 1 TEE 1 lyon:1
			deadline 10s ord
			event reserve at 0s:  v0 > ord held v1 until 10s | 1 TEE 1 lyon:1`,
	},
	{
		name: "insufficient", stock: "TEE@berlin=2",
		when: reserve(order("ord", "1:TEE:3")), answer: "insufficient_stock | 1 TEE 2 of 3",
	},
	{
		name: "insufficient lists every short line", stock: "TEE@berlin=2 MUG@berlin=9 CAP@berlin=0",
		when:   reserve(order("ord", "1:TEE:3 2:MUG:9 3:CAP:1")),
		answer: "insufficient_stock | 1 TEE 2 of 3 | 3 CAP 0 of 1",
	},
	{
		name: "lines of one SKU add up", stock: "TEE@berlin=5",
		when: reserve(order("ord", "1:TEE:3 2:TEE:3")), answer: "insufficient_stock | 2 TEE 2 of 3",
	},
	{
		name: "takes the units of an overdue hold", stock: "TEE@berlin=5",
		given:  calls(reserve(order("old", "1:TEE:5")), after(10*time.Second)),
		when:   reserve(order("ord", "1:TEE:3")),
		answer: "held v1 until 20s | 1 TEE 3/3 berlin:3",
		state: `stock TEE@berlin 2
			level TEE@berlin 5 0 0 0
			old expired v2 until 10s | 1 TEE 5 berlin:5
			ord held v1 until 20s | 1 TEE 3 berlin:3
			deadline 20s ord
			event expire at 10s: held v1 > old expired v2 until 10s | 1 TEE 5 berlin:5
			event reserve at 10s:  v0 > ord held v1 until 20s | 1 TEE 3 berlin:3`,
	},
	{
		name: "takes no units a millisecond before the deadline", stock: "TEE@berlin=5",
		given:  calls(reserve(order("old", "1:TEE:5")), after(10*time.Second-time.Millisecond)),
		when:   reserve(order("ord", "1:TEE:3")),
		answer: "insufficient_stock | 1 TEE 0 of 3",
	},
}

func TestReserve(t *testing.T) {
	for _, o := range reserves {
		o.run(t)
	}
}

// TestReserve_Allocation checks which locations serve a request, by stock and split, without a
// directory.
func TestReserve_Allocation(t *testing.T) {
	for _, c := range []struct {
		name, stock, lines string
		way                location.Split
		answer             string
	}{
		{"the first in order", "TEE@a=5 TEE@b=5", "1:TEE:2", "lines", "a:2"},
		{"skips a location with too few units", "TEE@a=1 TEE@b=5", "1:TEE:2", "lines", "b:2"},
		{"skips a location without a level", "MUG@a=1 TEE@b=5", "1:TEE:2", "lines", "b:2"},
		{"each line from another location", "X@a=1 Y@b=1", "1:X:1 2:Y:1", "lines", "a:1, b:1"},
		{"split lines never splits a line", "TEE@a=1 TEE@b=1", "1:TEE:2", "lines", "insufficient_stock | 1 TEE 1 of 2"},
		{"split units splits a line", "TEE@a=1 TEE@b=1", "1:TEE:2", "units", "a:1 b:1"},
		{"split never splits nothing", "TEE@a=1 TEE@b=1", "1:TEE:2", "never", "insufficient_stock | 1 TEE 1 of 2"},
		{"split over an empty location", "TEE@a=1 TEE@b=0 TEE@c=2", "1:TEE:3", "units", "a:1 c:2"},
		{"whole before split", "TEE@a=10 TEE@b=15", "1:TEE:13", "units", "b:13"},
		{"split in order", "TEE@a=10 TEE@b=15", "1:TEE:18", "units", "a:10 b:8"},
		{"all units", "TEE@a=10 TEE@b=15", "1:TEE:25", "units", "a:10 b:15"},
		{"more than all units", "TEE@a=10 TEE@b=15", "1:TEE:26", "units", "insufficient_stock | 1 TEE 25 of 26"},
		{"fewest locations", "TEE@a=1 TEE@b=5 TEE@c=4", "1:TEE:8", "units", "b:5 c:3"},
		{"fewest locations, the first that suffice", "TEE@a=3 TEE@b=1 TEE@c=4 TEE@d=9", "1:TEE:12", "units", "a:3 d:9"},
		{"one location for all lines before order", "X@a=1 X@b=1 Y@b=1", "1:X:1 2:Y:1", "lines", "b:1, b:1"},
		{"split never needs one location for all", "X@a=1 Y@b=1", "1:X:1 2:Y:1", "never", "insufficient_stock | 2 Y 0 of 1"},
		{"split never, one location serves all", "X@a=1 X@b=1 Y@b=1", "1:X:1 2:Y:1", "never", "b:1, b:1"},
		{"most lines first", "X@a=1 X@b=1 Y@b=1 Z@c=1", "1:X:1 2:Y:1 3:Z:1", "lines", "b:1, b:1, c:1"},
		{"one SKU on two lines, two locations", "TEE@a=3 TEE@b=3", "1:TEE:3 2:TEE:3", "lines", "a:3, b:3"},
		{"lines of one SKU take no more than all units", "TEE@a=2 TEE@b=2", "1:TEE:3 2:TEE:2", "units", "insufficient_stock | 1 TEE 2 of 3"},
		{"a whole line, then a split one", "TEE@a=2 TEE@b=3", "1:TEE:2 2:TEE:3", "units", "a:2, b:3"},
		{"a shortage reports the largest location", "TEE@a=1 TEE@b=4", "1:TEE:5", "lines", "insufficient_stock | 1 TEE 4 of 5"},
		{"split never reports the largest location", "TEE@a=1 TEE@b=4", "1:TEE:5", "never", "insufficient_stock | 1 TEE 4 of 5"},
		{"split never lists what the best location lacks", "X@a=9 Y@a=1 X@b=1 Y@b=1", "1:X:9 2:Y:2", "never", "insufficient_stock | 2 Y 1 of 2"},
		{"a pin", "TEE@a=5 TEE@b=5", "1:TEE:2:b", "lines", "b:2"},
		{"a pin is never left", "TEE@a=5 TEE@b=1", "1:TEE:2:b", "units", "insufficient_stock | 1 TEE 1 of 2"},
	} {
		o := operation{name: c.name, stock: c.stock, answer: c.answer, when: func(b *bench) string {
			result, err := b.store.Reserve(b.ctx, split(order("ord", c.lines), c.way))
			if err != nil {
				return toldError(err)
			}
			return from(result)
		}}
		o.runAnswer(t)
	}
}

// from describes only the locations that serve the lines.
func from(r Result) string {
	text := ""
	for i, l := range r.Lines {
		if i > 0 {
			text += ", "
		}
		for j, a := range l.From {
			if j > 0 {
				text += " "
			}
			text += describeAllocation(a)
		}
	}
	return text
}
