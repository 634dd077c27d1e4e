package cache

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
)

// shop returns a directory with the locations a to d, which ship everywhere, and two channels: web
// with the given places, and shop with d.
func shop(split location.Split, rank []location.Rank, places ...location.ID) location.Directory {
	var d location.Directory
	for _, id := range []location.ID{"a", "b", "c", "d"} {
		d.Locations = append(d.Locations, location.Location{ID: id, Zones: []string{"all"}, Pickup: id == "b"})
	}
	d.Zones = []location.Zone{{ID: "all"}}
	d.Channels = []location.SalesChannel{
		{ID: "web", Default: true, Locations: places, Split: split, Rank: rank},
		{ID: "shop", Locations: []location.ID{"d"}},
	}
	return d
}

// served reserves and returns the locations that serve the lines, or the error.
func served(r ReserveRequest) func(*bench) string {
	return func(b *bench) string {
		result, err := b.store.Reserve(b.ctx, r)
		if err != nil {
			return toldError(err)
		}
		return from(result)
	}
}

// TestReserve_Routed checks that an order is served from the locations of its channel, in the order
// of its rules.
func TestReserve_Routed(t *testing.T) {
	live := []location.Rank{location.RankHighestStock}
	collected := func(store location.ID) ReserveRequest {
		r := order("ord", "1:TEE:1")
		r.Pickup = store
		return r
	}
	via := func(channel location.Channel, lines string) ReserveRequest {
		r := order("ord", lines)
		r.Channel = channel
		return r
	}
	for _, c := range []struct {
		name, stock string
		directory   location.Directory
		request     ReserveRequest
		want        string
	}{
		{"each line from another location", "X@a=1 Y@b=1", shop("", nil, "a", "b"), order("ord", "1:X:1 2:Y:1"), "a:1, b:1"},
		{"never from another channel", "TEE@d=9 TEE@a=0", shop("", nil, "a", "b"), order("ord", "1:TEE:1"),
			"insufficient_stock | 1 TEE 0 of 1"},
		{"only another channel has stock", "TEE@d=9", shop("", nil, "a", "b"), order("ord", "1:TEE:1"),
			"no_location | 1 a no_level | 1 b no_level | 1 c not_in_channel | 1 d not_in_channel"},
		{"the channel of the request", "TEE@d=9 TEE@a=9", shop("", nil, "a", "b"), via("shop", "1:TEE:1"), "d:1"},
		{"unknown channel", "TEE@a=9", shop("", nil, "a", "b"), via("fair", "1:TEE:1"),
			`invalid_request | /channel is "fair", which the directory does not have; there are web, shop`},
		{"the channel's order", "TEE@a=5 TEE@b=5", shop("", nil, "b", "a"), order("ord", "1:TEE:2"), "b:2"},
		{"the channel's split", "TEE@a=1 TEE@b=1", shop("units", nil, "a", "b"), order("ord", "1:TEE:2"), "a:1 b:1"},
		{"the request's split", "TEE@a=1 TEE@b=1", shop("units", nil, "a", "b"), split(order("ord", "1:TEE:2"), "lines"),
			"insufficient_stock | 1 TEE 1 of 2"},
		{"one location before a split", "TEE@a=5 TEE@b=5", shop("units", nil, "a", "b"), order("ord", "1:TEE:2"), "a:2"},
		{"skips an empty location", "TEE@a=1 TEE@b=0 TEE@c=2", shop("units", nil, "a", "b", "c"), order("ord", "1:TEE:3"), "a:1 c:2"},
		{"fewest locations first", "TEE@a=10 TEE@b=15", shop("units", nil, "a", "b"), order("ord", "1:TEE:13"), "b:13"},
		{"takes no more than asked", "TEE@a=10 TEE@b=15", shop("units", nil, "a", "b"), order("ord", "1:TEE:18"), "a:10 b:8"},
		{"most stock first, split", "TEE@a=3 TEE@b=4", shop("units", live, "a", "b"), order("ord", "1:TEE:5"), "b:4 a:1"},
		{"most stock first, whole", "TEE@a=3 TEE@b=4", shop("", live, "a", "b"), order("ord", "1:TEE:2"), "b:2"},
		{"most stock, a tie keeps the order", "TEE@a=4 TEE@b=4 TEE@c=1", shop("", live, "c", "b", "a"), order("ord", "1:TEE:1"), "b:1"},
		{"most stock, on two lines", "X@a=1 X@b=2 Y@a=2 Y@b=1", shop("", live, "a", "b"), order("ord", "1:X:2 2:Y:2"), "b:2, a:2"},
		{"pickup", "TEE@a=5 TEE@b=5", shop("", nil, "a", "b"), collected("b"), "b:1"},
		{"pickup at a location without pickup", "TEE@a=5 TEE@b=5", shop("", nil, "a", "b"), collected("a"),
			"no_location | 1 a not_pickup | 1 b not_pickup | 1 c not_in_channel | 1 d not_in_channel"},
		{"a pin", "TEE@a=5 TEE@b=5", shop("", nil, "a", "b"), order("ord", "1:TEE:1:b"), "b:1"},
		{"a pin outside the channel", "TEE@d=5", shop("", nil, "a", "b"), order("ord", "1:TEE:1:d"),
			"no_location | 1 a not_pin | 1 b not_pin | 1 c not_in_channel | 1 d not_in_channel"},
		{"stock at a location the directory lacks", "TEE@old=5", shop("", nil, "a"), order("ord", "1:TEE:1"),
			"no_location | 1 a no_level | 1 b not_in_channel | 1 c not_in_channel | 1 d not_in_channel | 1 old unknown_location"},
		{"two lines of one SKU", "TEE@a=5", shop("units", nil, "a"), order("ord", "1:TEE:3 2:TEE:3"), "insufficient_stock | 2 TEE 2 of 3"},
		{"no stock at all", "MUG@a=5", shop("", nil, "a"), order("ord", "1:TEE:3"), "unknown_stock | 1"},
	} {
		operation{name: c.name, stock: c.stock, given: calls(direct(c.directory)), when: served(c.request), answer: c.want}.runAnswer(t)
	}
}

// gift returns a directory with the kit GIFT: three TEE and one CAP.
func gift(split location.Split, limits ...location.Limit) location.Directory {
	d := shop(split, nil, "a", "b", "c")
	d.Kits = []location.Kit{{SKU: "GIFT", Components: []location.Component{{SKU: "TEE", Quantity: 3}, {SKU: "CAP", Quantity: 1}}}}
	d.Limits = limits
	return d
}

// TestReserve_Kits checks that each kit comes whole from one location.
func TestReserve_Kits(t *testing.T) {
	for _, c := range []struct{ name, stock, lines, split, want string }{
		{"one location", "TEE@a=9 CAP@a=9", "1:GIFT:2", "lines", "a:2"},
		{"the location with all components", "TEE@a=9 CAP@b=9 TEE@c=3 CAP@c=1", "1:GIFT:1", "lines", "c:1"},
		{"split between kits", "TEE@a=4 TEE@b=5 CAP@a=9 CAP@b=9", "1:GIFT:2", "units", "a:1 b:1"},
		{"never half a kit", "TEE@a=4 TEE@b=2 CAP@a=9 CAP@b=9", "1:GIFT:2", "units", "insufficient_stock | 1 GIFT 1 of 2"},
		{"an earlier line took a component", "TEE@a=4 CAP@a=9", "1:TEE:2 2:GIFT:1", "lines", "insufficient_stock | 2 GIFT 0 of 1"},
		{"beside a line of a component", "TEE@a=5 CAP@a=9", "1:TEE:2 2:GIFT:1", "lines", "a:2, a:1"},
		{"a component without a level", "TEE@a=9", "1:GIFT:1", "lines", "unknown_stock | 1"},
		{"no location has all components", "TEE@a=9 CAP@b=9", "1:GIFT:1", "lines",
			"no_location | 1 a no_level | 1 b no_level | 1 c no_level | 1 d not_in_channel"},
		{"more units than QuantityMax", "TEE@a=9 CAP@a=9", "1:GIFT:2147483647", "lines",
			"invalid_request | /lines/0/quantity would be more than 2147483647 units of TEE"},
	} {
		operation{
			name: c.name, stock: c.stock, given: calls(direct(gift(location.Split(c.split)))),
			when: served(order("ord", c.lines)), answer: c.want,
		}.runAnswer(t)
	}
}

// TestKit checks that each step of a reservation takes and gives back the components of a kit
// together.
func TestKit(t *testing.T) {
	const stock = "TEE@a=4 TEE@b=5 CAP@a=9 CAP@b=9"
	given := func(more ...func(*bench) string) []func(*bench) string {
		return append(calls(direct(gift("units")), reserve(order("ord", "1:GIFT:2"))), more...)
	}
	const from = " a:1 b:1 + TEE 6 a:3 b:3 + CAP 2 a:1 b:1"
	for _, o := range []operation{
		{
			name: "held", stock: stock, given: calls(direct(gift("units"))), when: reserve(order("ord", "1:GIFT:2")),
			answer: "held v1 until 10s | 1 GIFT 2/2" + from,
			state: `stock CAP@a 8
				stock CAP@b 8
				stock TEE@a 1
				stock TEE@b 2
				level CAP@a 9 0 0 0
				level CAP@b 9 0 0 0
				level TEE@a 4 0 0 0
				level TEE@b 5 0 0 0
				ord held v1 until 10s | 1 TEE 6 of GIFT x3 a:3 b:3 | 1 CAP 2 of GIFT x1 a:1 b:1
				deadline 10s ord
				event reserve at 0s:  v0 > ord held v1 until 10s | 1 TEE 6 of GIFT x3 a:3 b:3 | 1 CAP 2 of GIFT x1 a:1 b:1`,
		},
		{name: "replay", stock: stock, given: given(), when: reserve(order("ord", "1:GIFT:2")),
			answer: "again held v1 until 10s | 1 GIFT 2/2" + from},
		{
			name: "release one kit", stock: stock, given: given(), when: release("ord", 1, "1:1"),
			answer: "held v2 until 10s | 1 GIFT 1/2 a:1 + TEE 3 a:3 + CAP 1 a:1",
			state: `stock CAP@a 8
				stock CAP@b 9
				stock TEE@a 1
				stock TEE@b 5
				level CAP@a 9 0 0 0
				level CAP@b 9 0 0 0
				level TEE@a 4 0 0 0
				level TEE@b 5 0 0 0
				ord held v2 until 10s | 1 TEE 6 of GIFT x3 a:3 | 1 CAP 2 of GIFT x1 a:1
				deadline 10s ord
				event release at 0s: held v1 > ord held v2 until 10s | 1 TEE 6 of GIFT x3 a:3 | 1 CAP 2 of GIFT x1 a:1`,
		},
		{name: "release more kits than the line has", stock: stock, given: given(), when: release("ord", 1, "1:3"),
			answer: "invalid_request | /lines/0/quantity the line has 2 left"},
		{
			name: "fulfill one kit", stock: stock, given: given(confirm("ord", 0)), when: fulfill("ord", 2, "1:1"),
			answer: "confirmed v3 | 1 GIFT 2/2 a:1 b:1 fulfilled 1 + TEE 6 a:3 b:3 + CAP 2 a:1 b:1",
			state: `stock CAP@a 8
				stock CAP@b 8
				stock TEE@a 1
				stock TEE@b 2
				level CAP@a 8 0 0 0
				level CAP@b 9 1 0 0
				level TEE@a 1 0 0 0
				level TEE@b 5 3 0 0
				ord confirmed v3 until 10s | 1 TEE 6 of GIFT x3 a:3(3) b:3 | 1 CAP 2 of GIFT x1 a:1(1) b:1
				deadline 10s ord
				event fulfill at 0s: confirmed v2 > ord confirmed v3 until 10s | 1 TEE 6 of GIFT x3 a:3(3) b:3 | 1 CAP 2 of GIFT x1 a:1(1) b:1`,
		},
		{
			name: "expired", stock: "TEE@a=3 CAP@a=1", given: calls(direct(gift("")), reserve(order("ord", "1:GIFT:1")), after(time.Minute)),
			when: expire, answer: "expired 1 more false",
			state: `stock CAP@a 1
				stock TEE@a 3
				level CAP@a 1 0 0 0
				level TEE@a 3 0 0 0
				ord expired v2 until 10s | 1 TEE 3 of GIFT x3 a:3 | 1 CAP 1 of GIFT x1 a:1
				event expire at 60s: held v1 > ord expired v2 until 10s | 1 TEE 3 of GIFT x3 a:3 | 1 CAP 1 of GIFT x1 a:1`,
		},
	} {
		o.run(t)
	}
}

// drop is a purchase limit of two of TEE.
var drop = location.Limit{ID: "drop", SKUs: []location.SKU{"TEE"}, PerCustomer: 2}

// by is an order of a customer.
func by(customer, id, lines string) ReserveRequest {
	r := order(id, lines)
	r.Customer = customer
	return r
}

// TestReserve_Limits checks that no customer gets more units than a purchase limit allows.
func TestReserve_Limits(t *testing.T) {
	const stock = "TEE@a=9 MUG@a=9 CAP@a=9"
	limited := func(more ...func(*bench) string) []func(*bench) string {
		return append(calls(direct(gift("", drop))), more...)
	}
	one, two := reserve(by("c-1", "one", "1:TEE:1")), reserve(by("c-1", "two", "1:TEE:2"))
	const over = "purchase_limit | drop 1 of 2"
	for _, o := range []operation{
		{
			name: "counted", stock: "TEE@a=9", given: limited(), when: one, answer: "held v1 until 10s | 1 TEE 1/1 a:1",
			state: `stock TEE@a 8
				level TEE@a 9 0 0 0
				one held v1 until 10s | 1 TEE 1 drop<=2/1 a:1
				limit drop c-1 1
				deadline 10s one
				event reserve at 0s:  v0 > one held v1 until 10s | 1 TEE 1 drop<=2/1 a:1`,
		},
		{name: "one too many", stock: stock, given: limited(one), when: two, answer: over},
		{name: "two lines add up", stock: stock, given: limited(), when: reserve(by("c-1", "o", "1:TEE:1 2:TEE:2")),
			answer: "purchase_limit | drop 0 of 2"},
		{name: "without a customer", stock: stock, given: limited(), when: reserve(order("o", "1:MUG:1 2:TEE:1")),
			answer: "invalid_request | /customer is required, or identities: TEE has a purchase limit"},
		{name: "a kit's components count", stock: stock, given: limited(), when: reserve(by("c-1", "o", "1:GIFT:1")),
			answer: "purchase_limit | drop 0 of 2"},
		{name: "kept on confirm", stock: stock, given: limited(one, confirm("one", 0)), when: two, answer: over},
		{name: "kept on fulfill", stock: stock, given: limited(one, confirm("one", 0), fulfill("one", 0, "")), when: two, answer: over},
		{name: "before a shortage", stock: "TEE@a=1", given: limited(one), when: two, answer: over},
		{name: "after no location", stock: "TEE@d=9 MUG@a=1", given: limited(), when: reserve(by("c-1", "o", "1:TEE:3")),
			answer: "no_location | 1 a no_level | 1 b no_level | 1 c no_level | 1 d not_in_channel"},
		{
			name: "lowered by release", stock: "TEE@a=9", given: limited(two), when: release("two", 0, ""),
			answer: "released v2 | 1 TEE 2/2 a:2",
			state: `stock TEE@a 9
				level TEE@a 9 0 0 0
				two released v2 until 10s | 1 TEE 2 drop<=2/1 a:2
				deadline 10s two
				event release at 0s: held v1 > two released v2 until 10s | 1 TEE 2 drop<=2/1 a:2`,
		},
		{
			name: "lowered by a partial release", stock: "TEE@a=9", given: limited(two, confirm("two", 0)), when: release("two", 2, "1:1"),
			answer: "confirmed v3 | 1 TEE 1/2 a:1",
			state: `stock TEE@a 8
				level TEE@a 9 1 0 0
				two confirmed v3 until 10s | 1 TEE 2 drop<=2/1 a:1
				limit drop c-1 1
				deadline 10s two
				event release at 0s: confirmed v2 > two confirmed v3 until 10s | 1 TEE 2 drop<=2/1 a:1`,
		},
		{
			name: "lowered by expiring a hold on demand", stock: "TEE@a=9", given: limited(two, after(time.Minute)),
			when: reserve(by("c-1", "next", "1:TEE:2")), answer: "held v1 until 70s | 1 TEE 2/2 a:2",
			state: `stock TEE@a 7
				level TEE@a 9 0 0 0
				next held v1 until 70s | 1 TEE 2 drop<=2/1 a:2
				two expired v2 until 10s | 1 TEE 2 drop<=2/1 a:2
				limit drop c-1 2
				deadline 70s next
				event expire at 60s: held v1 > two expired v2 until 10s | 1 TEE 2 drop<=2/1 a:2
				event reserve at 60s:  v0 > next held v1 until 70s | 1 TEE 2 drop<=2/1 a:2`,
		},
		{name: "a late confirm counts", stock: stock, given: limited(one, after(time.Minute), expire, two), when: confirm("one", 0),
			answer: "purchase_limit | drop 2 of 2"},
		{
			name: "a late confirm counts again", stock: "TEE@a=9", given: limited(one, after(time.Minute), expire),
			when: confirm("one", 0), answer: "confirmed v3 | 1 TEE 1/1 a:1",
			state: `stock TEE@a 8
				level TEE@a 9 1 0 0
				one confirmed v3 until 10s | 1 TEE 1 drop<=2/1 a:1
				limit drop c-1 1
				event confirm at 60s: expired v2 > one confirmed v3 until 10s | 1 TEE 1 drop<=2/1 a:1`,
		},
	} {
		o.run(t)
	}
	kits := location.Limit{ID: "gifts", SKUs: []location.SKU{"GIFT"}, PerCustomer: 1}
	operation{
		name: "a kit counts as kits", stock: stock, given: calls(direct(gift("", kits)), reserve(by("c-1", "one", "1:GIFT:1"))),
		when: reserve(by("c-1", "two", "1:GIFT:1")), answer: "purchase_limit | gifts 1 of 1",
	}.run(t)
	any := location.Limit{ID: "all", PerCustomer: 3}
	operation{
		name: "a limit on every SKU counts a kit as one", stock: stock, given: calls(direct(gift("", any)), reserve(by("c-1", "one", "1:GIFT:1 2:MUG:1"))),
		when: reserve(by("c-1", "two", "1:TEE:2")), answer: "purchase_limit | all 2 of 3",
	}.run(t)
}

// TestReserve_LimitsConcurrent checks that concurrent calls exceed no purchase limit.
func TestReserve_LimitsConcurrent(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{TTL: 10 * time.Second})
		b.stock("TEE@a=1000")
		direct(gift("", location.Limit{ID: "drop", PerCustomer: 3}))(b)
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				r := order(fmt.Sprint("o", i), "1:TEE:2")
				r.Customer = fmt.Sprint("c", i%20)
				_, _ = b.store.Reserve(b.ctx, r)
			})
		}
		all.Wait()
		b.invariants()
		if got := len(b.client.HKeys(b.ctx, b.store.keys.Reservations).Val()); got != 20 {
			t.Errorf("%d reservations, want one for each of 20 customers", got)
		}
	})
}

// TestReserve_LastUnitConcurrent checks that of three concurrent calls one gets the last unit of
// the first location, one that of the next location, and one is refused.
func TestReserve_LastUnitConcurrent(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		for round := range 20 {
			e.Flush(t)
			b := newBench(t, e.Client, Options{Prefix: fmt.Sprint("p", round)})
			b.stock("TEE@a=1 TEE@b=1")
			direct(shop("", nil, "a", "b"))(b)
			answers := make([]string, 3)
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() { answers[i] = served(order(fmt.Sprint("o", i), "1:TEE:1"))(b) })
			}
			all.Wait()
			count := map[string]int{}
			for _, a := range answers {
				count[a]++
			}
			if count["a:1"] != 1 || count["b:1"] != 1 || count["insufficient_stock | 1 TEE 0 of 1"] != 1 {
				t.Fatalf("answers %q", answers)
			}
		}
	})
}

// TestDirect checks that a directory routes the next reservation, and that an earlier one keeps its
// location when it is repeated or confirmed.
func TestDirect(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{TTL: 10 * time.Second})
		b.stock("TEE@a=5 TEE@b=5")
		direct(shop("", nil, "a", "b"))(b)
		equal(t, "before", reserve(order("one", "1:TEE:1"))(b), "held v1 until 10s | 1 TEE 1/1 a:1")
		equal(t, "another", reserve(order("moved", "1:TEE:1"))(b), "held v1 until 10s | 1 TEE 1/1 a:1")
		equal(t, "moved", moveTo("moved", 1, "1", "b")(b), "held v2 until 10s | 1 TEE 1/1 b:1")
		equal(t, "and back", moveTo("moved", 2, "1", "a")(b), "held v3 until 10s | 1 TEE 1/1 a:1")
		changed := shop("", nil, "a", "b")
		off := false
		changed.Locations[0].Enabled = &off
		direct(changed)(b)
		equal(t, "the next", reserve(order("two", "1:TEE:1"))(b), "held v1 until 10s | 1 TEE 1/1 b:1")
		equal(t, "repeat", reserve(order("one", "1:TEE:1"))(b), "again held v1 until 10s | 1 TEE 1/1 a:1")
		equal(t, "disabled", moveTo("two", 1, "1", "a")(b), "no_location | 1 a disabled")
		equal(t, "disabled since", moveTo("moved", 2, "1", "a")(b), "again held v3 until 10s | 1 TEE 1/1 a:1")
		equal(t, "no level", moveTo("two", 1, "1", "c")(b), "no_location | 1 c no_level")
		equal(t, "unknown reservation", moveTo("none", 1, "1", "a")(b), "not_found")
		gone := shop("", nil, "b")
		gone.Channels = gone.Channels[1:]
		direct(gone)(b)
		equal(t, "repeat without its channel", reserve(order("one", "1:TEE:1"))(b), "again held v1 until 10s | 1 TEE 1/1 a:1")
		equal(t, "another request", reserve(order("one", "1:TEE:2"))(b), "id_conflict")
		equal(t, "new id", reserve(order("new", "1:TEE:2"))(b),
			"invalid_request | /channel is required, because the directory has no default channel; there are shop")
		equal(t, "confirmed", confirm("one", 0)(b), "confirmed v2 | 1 TEE 1/1 a:1")
		b.store.Direct(nil)
		equal(t, "no directory", reserve(order("three", "1:TEE:1"))(b), "held v1 until 10s | 1 TEE 1/1 a:1")
	})
}

// TestDirect_RedisDown checks that a repeat which the directory now rules out is unavailable while
// Redis is down. A caller who was told that it is invalid would not try again.
func TestDirect_RedisDown(t *testing.T) {
	server := redistest.Start(t)
	b := newBench(t, client(t, server.Addr()), Options{Timeout: 100 * time.Millisecond, Logger: quiet})
	b.stock("TEE@a=5")
	direct(shop("", nil, "a"))(b)
	reserve(order("ord", "1:TEE:1"))(b)
	gone := shop("", nil, "a")
	gone.Channels = gone.Channels[1:]
	direct(gone)(b)
	server.Kill()
	equal(t, "a repeat", reserve(order("ord", "1:TEE:1"))(b), "unavailable")
}

// TestRoute checks that Route returns what Reserve would do, and changes nothing.
func TestRoute(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{TTL: 10 * time.Second})
		b.stock("TEE@a=1 TEE@b=4 MUG@c=1 MUG@d=9")
		direct(shop("units", []location.Rank{location.RankHighestStock}, "a", "b", "c"))(b)
		before := b.state(0)
		route, err := b.store.Route(b.ctx, order("", "1:TEE:5"))
		if err != nil || route.Refusal != nil {
			t.Fatal(err, route.Refusal)
		}
		equal(t, "route", fmt.Sprintf("%s %s %v", route.Channel, route.Split, route.Lines),
			"web units [{1 TEE [b a] [{1 c no_level} {1 d not_in_channel}] [{b 4} {a 1}]}]")
		route, err = b.store.Route(b.ctx, order("", "1:TEE:6 2:MUG:1"))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "refused", toldError(route.Refusal), "insufficient_stock | 1 TEE 5 of 6")
		route, err = b.store.Route(b.ctx, order("", "1:TEE:1 2:MUG:1:d"))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "nowhere", toldError(route.Refusal), "no_location | 2 a not_pin | 2 b not_pin | 2 c not_pin | 2 d not_in_channel")
		equal(t, "state", b.state(0), before)
	})
}

// TestAwaitDirectory checks that no units are taken before the directory is known.
func TestAwaitDirectory(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{TTL: 10 * time.Second, AwaitDirectory: true})
		b.stock("TEE@a=5 TEE@b=5")
		before := b.state(0)
		_, unavailable := b.store.Availability(b.ctx, AvailabilityRequest{SKUs: []location.SKU{"TEE"}})
		for name, err := range map[string]error{"ready": b.store.Ready(b.ctx), "availability": unavailable} {
			equal(t, name, toldError(err), "unavailable")
		}
		equal(t, "reserve", reserve(order("one", "1:TEE:1"))(b), "unavailable")
		equal(t, "state", b.state(0), before)
		direct(shop("", nil, "b"))(b)
		equal(t, "ready with a directory", toldError(b.store.Ready(b.ctx)), "ok")
		equal(t, "reserve with a directory", reserve(order("one", "1:TEE:1"))(b), "held v1 until 10s | 1 TEE 1/1 b:1")
	})
}
