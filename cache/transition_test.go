package cache

import (
	"testing"
	"time"
)

// held and sold are the states that most cases begin with.
var (
	held = calls(reserve(order("ord", "1:TEE:3 2:MUG:2")))
	sold = calls(reserve(order("ord", "1:TEE:3 2:MUG:2")), confirm("ord", 0))
)

const stockOfTwo = "MUG@berlin=4 TEE@berlin=5"

func TestConfirm(t *testing.T) {
	for _, o := range []operation{
		{
			name: "done", stock: stockOfTwo, given: held, when: confirm("ord", 0),
			answer: "confirmed v2 | 1 TEE 3/3 berlin:3 | 2 MUG 2/2 berlin:2",
			state: `stock MUG@berlin 2
				stock TEE@berlin 2
				level MUG@berlin 4 2 0 0
				level TEE@berlin 5 3 0 0
				ord confirmed v2 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2
				deadline 10s ord
				event confirm at 0s: held v1 > ord confirmed v2 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2`,
		},
		{
			name: "repeated", stock: stockOfTwo, given: sold, when: confirm("ord", 0),
			answer: "again confirmed v2 | 1 TEE 3/3 berlin:3 | 2 MUG 2/2 berlin:2",
		},
		{
			name: "repeated with its version", stock: stockOfTwo,
			given: calls(reserve(order("ord", "1:TEE:3")), confirm("ord", 1)), when: confirm("ord", 1),
			answer: "again confirmed v2 | 1 TEE 3/3 berlin:3",
		},
		{name: "unknown", stock: stockOfTwo, when: confirm("ord", 0), answer: "not_found"},
		{
			name: "released", stock: stockOfTwo, given: then(held, release("ord", 0, "")),
			when: confirm("ord", 0), answer: "wrong_state released",
		},
		{
			name: "fulfilled", stock: stockOfTwo, given: then(sold, fulfill("ord", 0, "")),
			when: confirm("ord", 0), answer: "wrong_state fulfilled",
		},
		{
			name: "another version", stock: stockOfTwo, given: held, when: confirm("ord", 2),
			answer: "version_conflict  1",
		},
		{
			name: "overdue: keeps its units", stock: "TEE@berlin=5",
			given:  calls(reserve(order("ord", "1:TEE:5")), after(time.Minute)),
			when:   confirm("ord", 0),
			answer: "confirmed v2 | 1 TEE 5/5 berlin:5",
			state: `stock TEE@berlin 0
				level TEE@berlin 5 5 0 0
				ord confirmed v2 until 10s | 1 TEE 5 berlin:5
				deadline 10s ord
				event confirm at 60s: held v1 > ord confirmed v2 until 10s | 1 TEE 5 berlin:5`,
		},
		{
			name: "expired: takes the units again", stock: "TEE@berlin=5",
			given:  calls(reserve(order("ord", "1:TEE:5")), after(time.Minute), expire),
			when:   confirm("ord", 0),
			answer: "confirmed v3 | 1 TEE 5/5 berlin:5",
			state: `stock TEE@berlin 0
				level TEE@berlin 5 5 0 0
				ord confirmed v3 until 10s | 1 TEE 5 berlin:5
				event confirm at 60s: expired v2 > ord confirmed v3 until 10s | 1 TEE 5 berlin:5`,
		},
		{
			name: "expired, and the units are sold", stock: "TEE@berlin=5",
			given: calls(reserve(order("ord", "1:TEE:5")), after(time.Minute), reserve(order("other", "1:TEE:2")),
				confirm("other", 0)),
			when: confirm("ord", 0), answer: "insufficient_stock | 1 TEE 3 of 5",
		},
		{
			name: "expired, and the units are in an overdue hold", stock: "TEE@berlin=5",
			given: calls(reserve(order("ord", "1:TEE:5")), after(time.Minute), reserve(order("other", "1:TEE:2")),
				after(time.Minute)),
			when:   confirm("ord", 0),
			answer: "confirmed v3 | 1 TEE 5/5 berlin:5",
			state: `stock TEE@berlin 0
				level TEE@berlin 5 5 0 0
				ord confirmed v3 until 10s | 1 TEE 5 berlin:5
				other expired v2 until 70s | 1 TEE 2 berlin:2
				event expire at 120s: held v1 > other expired v2 until 70s | 1 TEE 2 berlin:2
				event confirm at 120s: expired v2 > ord confirmed v3 until 10s | 1 TEE 5 berlin:5`,
		},
	} {
		o.run(t)
	}
}

var releases = []operation{
	{
		name: "held", stock: stockOfTwo, given: held, when: release("ord", 0, ""),
		answer: "released v2 | 1 TEE 3/3 berlin:3 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 4
			stock TEE@berlin 5
			level MUG@berlin 4 0 0 0
			level TEE@berlin 5 0 0 0
			ord released v2 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2
			deadline 10s ord
			event release at 0s: held v1 > ord released v2 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2`,
	},
	{
		name: "repeated", stock: stockOfTwo, given: then(held, release("ord", 0, "")),
		when:   release("ord", 0, ""),
		answer: "again released v2 | 1 TEE 3/3 berlin:3 | 2 MUG 2/2 berlin:2",
	},
	{
		name: "confirmed and partly fulfilled: gives back the rest", stock: stockOfTwo,
		given:  then(sold, fulfill("ord", 2, "1:1")),
		when:   release("ord", 3, ""),
		answer: "released v4 | 1 TEE 3/3 berlin:3 fulfilled 1 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 4
			stock TEE@berlin 4
			level MUG@berlin 4 0 0 0
			level TEE@berlin 4 0 0 0
			ord released v4 until 10s | 1 TEE 3 berlin:3(1) | 2 MUG 2 berlin:2
			deadline 10s ord
			event release at 0s: confirmed v3 > ord released v4 until 10s | 1 TEE 3 berlin:3(1) | 2 MUG 2 berlin:2`,
	},
	{
		name: "partly", stock: stockOfTwo, given: held, when: release("ord", 1, "1:1 2:2"),
		answer: "held v2 until 10s | 1 TEE 2/3 berlin:2 | 2 MUG 0/2",
		state: `stock MUG@berlin 4
			stock TEE@berlin 3
			level MUG@berlin 4 0 0 0
			level TEE@berlin 5 0 0 0
			ord held v2 until 10s | 1 TEE 3 berlin:2 | 2 MUG 2
			deadline 10s ord
			event release at 0s: held v1 > ord held v2 until 10s | 1 TEE 3 berlin:2 | 2 MUG 2`,
	},
	{
		name: "partly, repeated", stock: stockOfTwo, given: then(held, release("ord", 1, "1:1")),
		when:   release("ord", 1, "1:1"),
		answer: "again held v2 until 10s | 1 TEE 2/3 berlin:2 | 2 MUG 2/2 berlin:2",
	},
	{
		name: "partly, with an old version", stock: stockOfTwo,
		given: then(held, release("ord", 1, "1:1")),
		when:  release("ord", 1, "1:2"), answer: "version_conflict  2",
	},
	{
		name: "partly, of all that is left", stock: stockOfTwo,
		given:  then(held, release("ord", 1, "1:1")),
		when:   release("ord", 2, "1:2 2:2"),
		answer: "released v3 | 1 TEE 2/3 berlin:2 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 4
			stock TEE@berlin 5
			level MUG@berlin 4 0 0 0
			level TEE@berlin 5 0 0 0
			ord released v3 until 10s | 1 TEE 3 berlin:2 | 2 MUG 2 berlin:2
			deadline 10s ord
			event release at 0s: held v2 > ord released v3 until 10s | 1 TEE 3 berlin:2 | 2 MUG 2 berlin:2`,
	},
	{
		name: "partly, from the last location", stock: "TEE@a=2 TEE@b=2",
		given:  calls(reserve(split(order("ord", "1:TEE:4"), "units"))),
		when:   release("ord", 1, "1:3"),
		answer: "held v2 until 10s | 1 TEE 1/4 a:1",
		state: `stock TEE@a 1
			stock TEE@b 2
			level TEE@a 2 0 0 0
			level TEE@b 2 0 0 0
			ord held v2 until 10s | 1 TEE 4 a:1
			deadline 10s ord
			event release at 0s: held v1 > ord held v2 until 10s | 1 TEE 4 a:1`,
	},
	{
		name: "more than a line has left", stock: stockOfTwo, given: held, when: release("ord", 1, "2:2 1:4"),
		answer: "invalid_request | /lines/1/quantity the line has 3 left",
	},
	{
		name: "no such line", stock: stockOfTwo, given: held, when: release("ord", 1, "9:1"),
		answer: "invalid_request | /lines/0/line the reservation has no such line",
	},
	{
		name: "partly, without a version", stock: stockOfTwo, given: held, when: release("ord", 0, "1:1"),
		answer: "invalid_request | /version is required without an operation id, so that a repeat is recognised",
	},
	{name: "unknown", stock: stockOfTwo, when: release("ord", 0, ""), answer: "not_found"},
	{
		name: "overdue", stock: stockOfTwo, given: then(held, after(time.Minute)),
		when: release("ord", 0, ""), answer: "wrong_state expired",
	},
	{
		name: "fulfilled", stock: stockOfTwo, given: then(sold, fulfill("ord", 0, "")),
		when: release("ord", 0, ""), answer: "wrong_state fulfilled",
	},
}

func TestRelease(t *testing.T) {
	for _, o := range releases {
		o.run(t)
	}
}

func TestFulfill(t *testing.T) {
	for _, o := range []operation{
		{
			name: "done", stock: stockOfTwo, given: sold, when: fulfill("ord", 0, ""),
			answer: "fulfilled v3 | 1 TEE 3/3 berlin:3 fulfilled 3 | 2 MUG 2/2 berlin:2 fulfilled 2",
			state: `stock MUG@berlin 2
				stock TEE@berlin 2
				level MUG@berlin 2 0 0 0
				level TEE@berlin 2 0 0 0
				ord fulfilled v3 until 10s | 1 TEE 3 berlin:3(3) | 2 MUG 2 berlin:2(2)
				deadline 10s ord
				event fulfill at 0s: confirmed v2 > ord fulfilled v3 until 10s | 1 TEE 3 berlin:3(3) | 2 MUG 2 berlin:2(2)`,
		},
		{
			name: "repeated", stock: stockOfTwo, given: then(sold, fulfill("ord", 0, "")),
			when:   fulfill("ord", 0, ""),
			answer: "again fulfilled v3 | 1 TEE 3/3 berlin:3 fulfilled 3 | 2 MUG 2/2 berlin:2 fulfilled 2",
		},
		{
			name: "partly, from the first location", stock: "TEE@a=2 TEE@b=2",
			given:  calls(reserve(split(order("ord", "1:TEE:4"), "units")), confirm("ord", 0)),
			when:   fulfill("ord", 2, "1:3"),
			answer: "confirmed v3 | 1 TEE 4/4 a:2 b:2 fulfilled 3",
			state: `stock TEE@a 0
				stock TEE@b 0
				level TEE@a 0 0 0 0
				level TEE@b 1 1 0 0
				ord confirmed v3 until 10s | 1 TEE 4 a:2(2) b:2(1)
				deadline 10s ord
				event fulfill at 0s: confirmed v2 > ord confirmed v3 until 10s | 1 TEE 4 a:2(2) b:2(1)`,
		},
		{
			name: "partly, repeated", stock: stockOfTwo, given: then(sold, fulfill("ord", 2, "1:1")),
			when:   fulfill("ord", 2, "1:1"),
			answer: "again confirmed v3 | 1 TEE 3/3 berlin:3 fulfilled 1 | 2 MUG 2/2 berlin:2",
		},
		{
			name: "the rest", stock: stockOfTwo, given: then(sold, fulfill("ord", 2, "1:3")),
			when:   fulfill("ord", 3, "2:2"),
			answer: "fulfilled v4 | 1 TEE 3/3 berlin:3 fulfilled 3 | 2 MUG 2/2 berlin:2 fulfilled 2",
			state: `stock MUG@berlin 2
				stock TEE@berlin 2
				level MUG@berlin 2 0 0 0
				level TEE@berlin 2 0 0 0
				ord fulfilled v4 until 10s | 1 TEE 3 berlin:3(3) | 2 MUG 2 berlin:2(2)
				deadline 10s ord
				event fulfill at 0s: confirmed v3 > ord fulfilled v4 until 10s | 1 TEE 3 berlin:3(3) | 2 MUG 2 berlin:2(2)`,
		},
		{name: "held", stock: stockOfTwo, given: held, when: fulfill("ord", 0, ""), answer: "wrong_state held"},
		{
			name: "more than is left", stock: stockOfTwo, given: then(sold, fulfill("ord", 2, "1:2")),
			when: fulfill("ord", 3, "1:2"), answer: "invalid_request | /lines/0/quantity the line has 1 left",
		},
		{
			name: "more than is on hand", stock: "TEE@berlin=5",
			given: calls(reserve(order("ord", "1:TEE:5")), confirm("ord", 0),
				func(b *bench) string { b.stock("TEE@berlin=2"); return "" }),
			when: fulfill("ord", 0, ""), answer: "insufficient_stock | 1 TEE 2 of 5",
		},
	} {
		o.run(t)
	}
}

func TestExtend(t *testing.T) {
	for _, o := range []operation{
		{
			name: "done", stock: stockOfTwo, given: then(held, after(4*time.Second)),
			when:   extend("ord", 20*time.Second, 0),
			answer: "held v2 until 24s | 1 TEE 3/3 berlin:3 | 2 MUG 2/2 berlin:2",
			state: `stock MUG@berlin 2
				stock TEE@berlin 2
				level MUG@berlin 4 0 0 0
				level TEE@berlin 5 0 0 0
				ord held v2 until 24s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2
				deadline 24s ord
				event extend at 4s: held v1 > ord held v2 until 24s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2`,
		},
		{
			name: "repeated with its version", stock: "TEE@berlin=5",
			given: calls(reserve(order("ord", "1:TEE:1")), extend("ord", 20*time.Second, 1), after(time.Second)),
			when:  extend("ord", 20*time.Second, 1), answer: "again held v2 until 20s | 1 TEE 1/1 berlin:1",
		},
		{
			name: "overdue", stock: stockOfTwo, given: then(held, after(10*time.Second)),
			when: extend("ord", 20*time.Second, 0), answer: "wrong_state expired",
		},
		{
			name: "confirmed", stock: stockOfTwo, given: sold, when: extend("ord", 20*time.Second, 0),
			answer: "wrong_state confirmed",
		},
		{
			name: "another version", stock: stockOfTwo, given: held, when: extend("ord", 20*time.Second, 7),
			answer: "version_conflict  1",
		},
		{name: "unknown", stock: stockOfTwo, when: extend("ord", 20*time.Second, 0), answer: "not_found"},
	} {
		o.run(t)
	}
}

func TestExpire(t *testing.T) {
	for _, o := range []operation{
		{name: "nothing is due", stock: stockOfTwo, when: expire, answer: "expired 0 more false"},
		{
			name: "one millisecond early", stock: stockOfTwo,
			given: then(held, after(10*time.Second-time.Millisecond)),
			when:  expire, answer: "expired 0 more false",
		},
		{
			name: "overdue", stock: stockOfTwo, given: then(held, after(10*time.Second)),
			when: expire, answer: "expired 1 more false",
			state: `stock MUG@berlin 4
				stock TEE@berlin 5
				level MUG@berlin 4 0 0 0
				level TEE@berlin 5 0 0 0
				ord expired v2 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2
				event expire at 10s: held v1 > ord expired v2 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2`,
		},
		{
			name: "extended", stock: "TEE@berlin=5",
			given: calls(reserve(order("ord", "1:TEE:1")), extend("ord", time.Minute, 0), after(10*time.Second)),
			when:  expire, answer: "expired 0 more false",
		},
		{
			name: "confirmed", stock: "TEE@berlin=5",
			given: calls(reserve(order("ord", "1:TEE:1")), confirm("ord", 0), after(10*time.Second)),
			when:  expire, answer: "expired 0 more false",
			state: `stock TEE@berlin 4
				level TEE@berlin 5 1 0 0
				ord confirmed v2 until 10s | 1 TEE 1 berlin:1`,
		},
	} {
		o.run(t)
	}
}
