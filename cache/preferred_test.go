package cache

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
)

// ids returns the locations in a list such as "b a".
func ids(list string) (locations []location.ID) {
	for id := range strings.FieldsSeq(list) {
		locations = append(locations, location.ID(id))
	}
	return locations
}

// preferring returns an order that prefers some locations, and of which line i names those in named[i].
func preferring(lines, prefer string, named ...string) ReserveRequest {
	r := order("ord", lines)
	r.Prefer = ids(prefer)
	for i := range named {
		r.Lines[i].Locations = ids(named[i])
	}
	return r
}

// TestReserve_Preferred checks that a caller decides in which order locations are tried, and for a line
// also which ones, within what the directory allows.
func TestReserve_Preferred(t *testing.T) {
	live := []location.Rank{location.RankHighestStock}
	abc := shop("", nil, "a", "b", "c")
	for _, c := range []struct {
		name, stock string
		directory   location.Directory
		request     ReserveRequest
		want        string
	}{
		{"preferred first", "TEE@a=5 TEE@b=5 TEE@c=5", abc, preferring("1:TEE:2", "c b"), "c:2"},
		{"the next one, if the first has too few", "TEE@a=5 TEE@b=5 TEE@c=1", abc, preferring("1:TEE:2", "c b"), "b:2"},
		{"the others, if the preferred have none", "TEE@a=5 TEE@b=1 TEE@c=1", abc, preferring("1:TEE:2", "c b"), "a:2"},
		{"preferring what the channel does not sell from", "TEE@a=5 TEE@d=5", abc, preferring("1:TEE:2", "d"), "a:2"},
		{"before the one with most stock", "TEE@a=2 TEE@b=9 TEE@c=5", shop("", live, "a", "b", "c"), preferring("1:TEE:2", "c"), "c:2"},
		{"stock decides among the rest", "TEE@a=2 TEE@b=9 TEE@c=1", shop("", live, "a", "b", "c"), preferring("1:TEE:2", "c"), "b:2"},
		{"split units begins with the preferred", "TEE@a=3 TEE@b=2 TEE@c=2", shop("units", nil, "a", "b", "c"), preferring("1:TEE:4", "c b"), "c:2 b:2"},
		{"fewest locations come before the order", "X@a=1 Y@a=1 X@b=1 Y@c=1", abc, preferring("1:X:1 2:Y:1", "b c"), "a:1, a:1"},
		{"kits", "TEE@a=9 CAP@a=9 TEE@b=9 CAP@b=9", gift(""), preferring("1:GIFT:2", "b"), "b:2"},
		{"named, in the line's order", "TEE@a=5 TEE@b=5 TEE@c=5", abc, preferring("1:TEE:2", "", "c a"), "c:2"},
		{"named before preferred", "TEE@a=5 TEE@b=5 TEE@c=5", abc, preferring("1:TEE:2", "b", "c a"), "c:2"},
		{"never from one that is not named", "TEE@a=1 TEE@b=5 TEE@c=1", abc, preferring("1:TEE:2", "", "c a"), "insufficient_stock | 1 TEE 1 of 2"},
		{"named, split units", "TEE@a=2 TEE@b=5 TEE@c=1", shop("units", nil, "a", "b", "c"), preferring("1:TEE:3", "", "c a"), "c:1 a:2"},
		{"each line from its own", "X@a=5 X@b=5 Y@a=5 Y@b=5", abc, preferring("1:X:1 2:Y:1", "", "b", "a"), "b:1, a:1"},
		{"one line names, the other does not", "X@a=5 X@b=5 Y@a=5 Y@b=5", abc, preferring("1:X:1 2:Y:1", "", "b c"), "b:1, b:1"},
		{"two orders of the same locations", "X@a=5 X@b=5 Y@a=5 Y@b=5", abc, preferring("1:X:1 2:Y:1", "", "b a", "a b"), "b:1, b:1"},
		{"named outside the channel", "TEE@a=5 TEE@d=5", abc, preferring("1:TEE:1", "", "d a"), "a:1"},
		{"none is left", "TEE@a=5 TEE@b=5 TEE@d=5", abc, preferring("1:TEE:1", "", "d c"),
			"no_location | 1 a not_pin | 1 b not_pin | 1 c no_level | 1 d not_in_channel"},
		{"unknown", "TEE@a=5", abc, preferring("1:TEE:1 2:TEE:1", "a mars", "a", "b pluto"),
			`invalid_request | /prefer/1 is "mars", which the directory does not have; there are a, b, c, d` +
				` | /lines/1/locations/1 is "pluto", which the directory does not have; there are a, b, c, d`},
	} {
		operation{name: c.name, stock: c.stock, given: calls(direct(c.directory)), when: served(c.request), answer: c.want}.runAnswer(t)
	}
	// Without a directory every location is known, and those without a level are left out.
	for _, c := range []struct{ prefer, named, want string }{
		{"lyon", "", "lyon:1"}, {"mars lyon", "", "lyon:1"}, {"", "lyon berlin", "lyon:1"}, {"", "mars lyon", "lyon:1"},
		{"", "mars", "no_location | 1 berlin not_pin | 1 lyon not_pin | 1 mars unknown_location"},
	} {
		operation{name: fmt.Sprintf("no directory, prefer %q, named %q", c.prefer, c.named), stock: "TEE@berlin=5 TEE@lyon=5",
			when: served(preferring("1:TEE:1", c.prefer, c.named)), answer: c.want}.runAnswer(t)
	}
}

// TestReserve_PreferredAgain repeats a request that names locations, when the directory lacks them.
func TestReserve_PreferredAgain(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{TTL: 10 * time.Second})
		b.stock("TEE@a=5 TEE@c=5")
		direct(shop("", nil, "a", "c"))(b)
		r := preferring("1:TEE:2", "c", "c a")
		equal(t, "first", reserve(r)(b), "held v1 until 10s | 1 TEE 2/2 c:2")
		without := shop("", nil, "a")
		without.Locations = without.Locations[:1]
		without.Channels = without.Channels[:1]
		direct(without)(b)
		equal(t, "again", reserve(r)(b), "again held v1 until 10s | 1 TEE 2/2 c:2")
		r.Lines[0].Locations = ids("a c")
		equal(t, "another order", reserve(r)(b), "id_conflict")
		r.Lines[0].Locations, r.Prefer = ids("c a"), nil
		equal(t, "without the preferred", reserve(r)(b), "id_conflict")
		b.invariants()
	})
}

// TestRoute_Preferred checks that Route tries the locations in the order of the caller, too.
func TestRoute_Preferred(t *testing.T) {
	e := redistest.Engines(t)[0]
	e.Flush(t)
	b := newBench(t, e.Client, Options{})
	b.stock("X@a=5 X@b=5 X@c=5 Y@a=5 Y@b=5")
	direct(shop("", nil, "a", "b", "c"))(b)
	route, err := b.store.Route(b.ctx, preferring("1:X:1 2:Y:1", "c b", "b c"))
	if err != nil || route.Refusal != nil {
		t.Fatal(err, route.Refusal)
	}
	equal(t, "route", fmt.Sprint(route.Lines),
		"[{1 X [b c] [{1 a not_pin} {1 d not_in_channel}] [{b 1}]} {2 Y [b a] [{2 c no_level} {2 d not_in_channel}] [{b 1}]}]")
	_, err = b.store.Route(b.ctx, preferring("1:X:1", "mars"))
	equal(t, "unknown", toldError(err), `invalid_request | /prefer/0 is "mars", which the directory does not have; there are a, b, c, d`)
}

// TestReserve_PreferredLimits checks the lists by themselves.
func TestReserve_PreferredLimits(t *testing.T) {
	many := make([]location.ID, PreferredMax+1)
	for i := range many {
		many[i] = location.ID(fmt.Sprint("l", i))
	}
	most := preferring("1:X:1", "")
	most.Prefer, most.Lines[0].Locations = many[1:], many[1:]
	if err := most.validate(time.Hour); err != nil {
		t.Errorf("the most: %v", err)
	}
	over := preferring("1:X:1 2:X:1:a", "a { a", "", "b")
	over.Lines[0].Locations = many
	equal(t, "faults", toldError(over.validate(time.Hour)), "invalid_request | /prefer/1 must not contain { or }"+
		" | /prefer/2 is \"a\", the same as location 0 | /lines/0/locations has 101 locations, at most 100 are allowed"+
		" | /lines/1/locations must not be given together with location")
}
