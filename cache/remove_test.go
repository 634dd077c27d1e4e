package cache

import (
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

func remove(id string, sku location.SKU, at location.ID) func(*bench) string {
	return func(b *bench) string {
		result, err := b.store.Remove(b.ctx, RemoveRequest{ID: id, SKU: sku, Location: at})
		if err != nil {
			return toldError(err)
		}
		text := ""
		if result.Replay {
			text = "again "
		}
		return text + "removed at " + seconds(result.At.UnixMilli())
	}
}

// threeTees reserves three of TEE.
var threeTees = reserve(order("ord", "1:TEE:3"))

var removals = []operation{
	{
		name: "with units on hand", stock: "TEE@berlin=5 TEE@lyon=2", when: remove("op", "TEE", "berlin"),
		answer: "removed at 0s",
		state: `stock TEE@lyon 2
			level TEE@lyon 2 0 0 0
			event remove op at 0s | TEE@berlin on hand 5>0 safety 0>0 backorder 0>0 available 0`,
	},
	{
		name: "with a policy", given: calls(adjust("new", tee(Change{OnHand: units(5), SafetyStock: units(2), BackorderLimit: units(1)}))),
		when: remove("op", "TEE", "berlin"), answer: "removed at 0s",
		state: `event remove op at 0s | TEE@berlin on hand 5>0 safety 2>0 backorder 1>0 available 0`,
	},
	{name: "held", stock: "TEE@berlin=5", given: calls(threeTees), when: remove("op", "TEE", "berlin"), answer: "in_use | TEE at berlin 3 0"},
	{name: "committed", stock: "TEE@berlin=5", given: calls(threeTees, confirm("ord", 0)), when: remove("op", "TEE", "berlin"), answer: "in_use | TEE at berlin 0 3"},
	{
		name: "held and committed", stock: "TEE@berlin=5", given: calls(threeTees, confirm("ord", 0), reserve(order("other", "1:TEE:1"))),
		when: remove("op", "TEE", "berlin"), answer: "in_use | TEE at berlin 1 3",
	},
	{
		name: "the hold is overdue", stock: "TEE@berlin=5", given: calls(threeTees, after(11*time.Second)),
		when: remove("op", "TEE", "berlin"), answer: "removed at 11s",
		state: `ord expired v2 until 10s | 1 TEE 3 berlin:3
			event expire at 11s: held v1 > ord expired v2 until 10s | 1 TEE 3 berlin:3
			event remove op at 11s | TEE@berlin on hand 5>0 safety 0>0 backorder 0>0 available 0`,
	},
	{
		name: "the committed units have left", stock: "TEE@berlin=5", given: calls(threeTees, confirm("ord", 0), fulfill("ord", 0, "")),
		when: remove("op", "TEE", "berlin"), answer: "removed at 0s",
		state: `ord fulfilled v3 until 10s | 1 TEE 3 berlin:3(3)
			deadline 10s ord
			event remove op at 0s | TEE@berlin on hand 2>0 safety 0>0 backorder 0>0 available 0`,
	},
	{name: "no such level", stock: "TEE@lyon=5", when: remove("op", "TEE", "berlin"), answer: "not_found"},
	{name: "a second time, without an id", stock: "TEE@berlin=5", given: calls(remove("op", "TEE", "berlin")), when: remove("", "TEE", "berlin"), answer: "not_found"},
	{name: "repeated", stock: "TEE@berlin=5", given: calls(remove("op", "TEE", "berlin"), after(time.Second)), when: remove("op", "TEE", "berlin"), answer: "again removed at 0s"},
	{
		name: "repeated after the level was made again", stock: "TEE@berlin=5", given: calls(remove("op", "TEE", "berlin"), adjust("new", tee(Change{OnHand: units(3)}))),
		when: remove("op", "TEE", "berlin"), answer: "again removed at 0s",
	},
	{
		name: "the id of another operation", stock: "TEE@berlin=5", given: calls(adjust("op", tee(Change{Delta: units(1)}))),
		when: remove("op", "TEE", "berlin"), answer: "id_conflict",
	},
	{name: "without a SKU", when: remove("op", "", "berlin"), answer: "invalid_request | /sku is required"},

	{name: "then its units can't be reserved", stock: "TEE@berlin=5", given: calls(remove("op", "TEE", "berlin")), when: threeTees, answer: "unknown_stock | 1"},
	{
		name: "then a repeated count changes nothing", given: calls(adjust("new", tee(Change{OnHand: units(5)})), remove("op", "TEE", "berlin")),
		when:   adjust("new", tee(Change{OnHand: units(5)})),
		answer: "again at 0s | TEE@berlin 0 held 0 committed 0 safety 0 backorder 0 available 0",
	},
	{
		name: "then a delta makes the level again", stock: "TEE@berlin=5", given: calls(remove("op", "TEE", "berlin")),
		when:   adjust("new", tee(Change{Delta: units(4)})),
		answer: "at 0s | TEE@berlin 4 held 0 committed 0 safety 0 backorder 0 available 4 new",
		state: `stock TEE@berlin 4
			level TEE@berlin 4 0 0 0
			event adjust new at 0s | TEE@berlin on hand 0>4 safety 0>0 backorder 0>0 available 4`,
	},
	{
		name: "then an expired reservation can't be confirmed", stock: "TEE@berlin=5", given: calls(threeTees, after(11*time.Second), remove("op", "TEE", "berlin")),
		when: confirm("ord", 0), answer: "insufficient_stock | 1 TEE 0 of 3",
	},
	{
		name: "then units from another location are fulfilled", stock: "TEE@berlin=2 TEE@lyon=5", given: calls(
			reserve(split(order("ord", "1:TEE:2:berlin 2:TEE:3:lyon"), "units")), confirm("ord", 0), fulfill("ord", 2, "1:2"), remove("op", "TEE", "berlin")),
		when: fulfill("ord", 3, "2:1"), answer: "confirmed v4 | 1 TEE 2/2 berlin:2 fulfilled 2 | 2 TEE 3/3 lyon:3 fulfilled 1",
		state: `stock TEE@lyon 2
			level TEE@lyon 4 2 0 0
			ord confirmed v4 until 10s | 1 TEE 2 berlin:2(2) | 2 TEE 3 lyon:3(1)
			deadline 10s ord
			event fulfill at 0s: confirmed v3 > ord confirmed v4 until 10s | 1 TEE 2 berlin:2(2) | 2 TEE 3 lyon:3(1)`,
	},
	{
		name: "then units from another location are released", stock: "TEE@berlin=2 TEE@lyon=5", given: calls(
			reserve(split(order("ord", "1:TEE:2:berlin 2:TEE:3:lyon"), "units")), confirm("ord", 0), fulfill("ord", 2, "1:2"), remove("op", "TEE", "berlin")),
		when: release("ord", 0, ""), answer: "released v4 | 1 TEE 2/2 berlin:2 fulfilled 2 | 2 TEE 3/3 lyon:3",
		state: `stock TEE@lyon 5
			level TEE@lyon 5 0 0 0
			ord released v4 until 10s | 1 TEE 2 berlin:2(2) | 2 TEE 3 lyon:3
			deadline 10s ord
			event release at 0s: confirmed v3 > ord released v4 until 10s | 1 TEE 2 berlin:2(2) | 2 TEE 3 lyon:3`,
	},
}

func TestRemove(t *testing.T) {
	for _, o := range removals {
		o.run(t)
	}
}

// TestRemove_Corrupt keeps a level whose counter was edited by hand: that is for an audit.
func TestRemove_Corrupt(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		b.stock("TEE@berlin=5")
		for _, value := range []string{"9", "many"} {
			if err := b.client.HSet(b.ctx, b.store.keys.Stock, wire.LevelField("TEE", "berlin"), value).Err(); err != nil {
				t.Fatal(err)
			}
			if got := remove("op", "TEE", "berlin")(b); got != "internal" {
				t.Errorf("with %s available: %s", value, got)
			}
		}
	})
}

// TestRemove_Listed lists the levels after as many were made as removed.
func TestRemove_Listed(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		listed := func() string {
			page, err := b.store.LevelPage(b.ctx, LevelFilter{})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, l := range page.Levels {
				names = append(names, string(l.SKU)+"@"+string(l.Location))
			}
			return strings.Join(names, " ")
		}
		b.stock("A@berlin=1 B@berlin=1 C@lyon=1")
		equal(t, "before", listed(), "A@berlin B@berlin C@lyon")
		remove("1", "A", "berlin")(b)
		b.stock("D@berlin=1")
		equal(t, "one removed, one made", listed(), "B@berlin C@lyon D@berlin")
		remove("2", "B", "berlin")(b)
		b.stock("A@berlin=1")
		equal(t, "again", listed(), "A@berlin C@lyon D@berlin")
	})
}

// TestRemove_Batch removes a level once if several calls of a batch ask for it.
func TestRemove_Batch(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		b.stock("TEE@berlin=5")
		r := RemoveRequest{ID: "a", SKU: "TEE", Location: "berlin"}
		other := r
		other.ID = "b"
		call := func(r *RemoveRequest) shard.Request { return &removeCall{request: r, fingerprint: r.fingerprint()} }
		var got []string
		for _, a := range b.batch(VerbRemove, call(&r), call(&r), call(&other)) {
			got = append(got, a.Status)
		}
		equal(t, "answers", strings.Join(got, " "), "done repeat no_level")
		if n := len(b.events()); n != 2 {
			t.Errorf("%d events", n)
		}
	})
}
