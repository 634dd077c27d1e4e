package cache

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// releaseAs, fulfillAs and moveAs make a step with the id of an operation.
func releaseAs(operation, id string, version int64, list string) func(*bench) string {
	return func(b *bench) string {
		return told(b.store.Release(b.ctx, TransitionRequest{ID: id, Operation: operation, Version: version, Lines: parts(list)}))
	}
}

func fulfillAs(operation, id string, version int64, list string) func(*bench) string {
	return func(b *bench) string {
		return told(b.store.Fulfill(b.ctx, TransitionRequest{ID: id, Operation: operation, Version: version, Lines: parts(list)}))
	}
}

func moveAs(operation, id string, version int64, line string, to location.ID) func(*bench) string {
	return func(b *bench) string {
		return told(b.store.Move(b.ctx, MoveRequest{ID: id, Operation: operation, Version: version, Line: line, To: to}))
	}
}

// operationIDCases has steps that have the id of an operation.
var operationIDCases = []operation{
	{
		name: "release of a hold", stock: stockOfTwo, given: held, when: releaseAs("less", "ord", 0, "1:1"),
		answer: "held v2 until 10s | 1 TEE 2/3 berlin:2 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 3
			level MUG@berlin 4 0 0 0
			level TEE@berlin 5 0 0 0
			ord held v2 until 10s | 1 TEE 3 berlin:2 | 2 MUG 2 berlin:2
			deadline 10s ord
			event release less at 0s: held v1 > ord held v2 until 10s | 1 TEE 3 berlin:2 | 2 MUG 2 berlin:2`,
	},
	{
		name: "release, repeated after other steps", stock: stockOfTwo, when: releaseAs("less", "ord", 0, "1:1"),
		given:  then(held, releaseAs("less", "ord", 0, "1:1"), confirm("ord", 0), fulfillAs("out", "ord", 0, "1:1")),
		answer: "again confirmed v4 | 1 TEE 2/3 berlin:2 fulfilled 1 | 2 MUG 2/2 berlin:2",
	},
	{
		name: "two releases of the same units", stock: stockOfTwo, given: then(held, releaseAs("less", "ord", 0, "1:1")),
		when: releaseAs("still less", "ord", 0, "1:1"), answer: "held v3 until 10s | 1 TEE 1/3 berlin:1 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 4
			level MUG@berlin 4 0 0 0
			level TEE@berlin 5 0 0 0
			ord held v3 until 10s | 1 TEE 3 berlin:1 | 2 MUG 2 berlin:2
			deadline 10s ord
			event release still less at 0s: held v2 > ord held v3 until 10s | 1 TEE 3 berlin:1 | 2 MUG 2 berlin:2`,
	},
	{name: "release, then the same units with a version", stock: stockOfTwo, given: then(held, releaseAs("less", "ord", 1, "1:1")),
		when: release("ord", 1, "1:1"), answer: "version_conflict  2"},
	{name: "release with other units", stock: stockOfTwo, given: then(held, releaseAs("less", "ord", 0, "1:1")),
		when: releaseAs("less", "ord", 0, "1:2"), answer: "id_conflict"},
	{name: "release with another version", stock: stockOfTwo, given: then(held, releaseAs("less", "ord", 0, "1:1")),
		when: releaseAs("less", "ord", 2, "1:1"), answer: "id_conflict"},
	{name: "another verb", stock: stockOfTwo, given: then(sold, releaseAs("op", "ord", 0, "1:1")),
		when: fulfillAs("op", "ord", 0, "1:1"), answer: "id_conflict"},
	{name: "another reservation", stock: stockOfTwo, given: then(held, reserve(order("other", "1:TEE:1")), releaseAs("op", "ord", 0, "1:1")),
		when: releaseAs("op", "other", 0, "1:1"), answer: "id_conflict"},
	{name: "the id of a count", stock: stockOfTwo, given: held, when: releaseAs("stock-1", "ord", 0, "1:1"), answer: "id_conflict"},
	{name: "a count with the id of a step", stock: stockOfTwo, given: then(held, releaseAs("op", "ord", 0, "1:1")),
		when: transfer(tees("op", "berlin", "lyon", 1)), answer: "id_conflict"},
	{name: "a version that is not the reservation's", stock: stockOfTwo, given: held, when: releaseAs("less", "ord", 2, "1:1"), answer: "version_conflict  1"},
	{
		name: "a refusal leaves the id free", stock: stockOfTwo, given: then(held, releaseAs("less", "ord", 0, "1:4")),
		when: releaseAs("less", "ord", 0, "1:1"), answer: "held v2 until 10s | 1 TEE 2/3 berlin:2 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 3
			level MUG@berlin 4 0 0 0
			level TEE@berlin 5 0 0 0
			ord held v2 until 10s | 1 TEE 3 berlin:2 | 2 MUG 2 berlin:2
			deadline 10s ord
			event release less at 0s: held v1 > ord held v2 until 10s | 1 TEE 3 berlin:2 | 2 MUG 2 berlin:2`,
	},
	{name: "a whole release, repeated", stock: stockOfTwo, given: then(sold, releaseAs("all", "ord", 0, "")),
		when: releaseAs("all", "ord", 0, ""), answer: "again released v3 | 1 TEE 3/3 berlin:3 | 2 MUG 2/2 berlin:2"},
	{name: "a whole release by another operation", stock: stockOfTwo, given: then(sold, releaseAs("all", "ord", 0, "")),
		when: releaseAs("all too", "ord", 0, ""), answer: "wrong_state released"},
	{
		name: "fulfill", stock: stockOfTwo, given: sold, when: fulfillAs("out", "ord", 0, "1:2"),
		answer: "confirmed v3 | 1 TEE 3/3 berlin:3 fulfilled 2 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 2
			level MUG@berlin 4 2 0 0
			level TEE@berlin 3 1 0 0
			ord confirmed v3 until 10s | 1 TEE 3 berlin:3(2) | 2 MUG 2 berlin:2
			deadline 10s ord
			event fulfill out at 0s: confirmed v2 > ord confirmed v3 until 10s | 1 TEE 3 berlin:3(2) | 2 MUG 2 berlin:2`,
	},
	{name: "fulfill, repeated after other steps", stock: stockOfTwo,
		given: then(sold, fulfillAs("out", "ord", 0, "1:3"), fulfillAs("more", "ord", 0, "2:1"), releaseAs("rest", "ord", 0, "2:1")),
		when:  fulfillAs("out", "ord", 0, "1:3"), answer: "again released v5 | 1 TEE 3/3 berlin:3 fulfilled 3 | 2 MUG 2/2 berlin:2 fulfilled 1"},
	{name: "fulfill by another operation", stock: stockOfTwo, given: then(sold, fulfillAs("out", "ord", 0, "")),
		when: fulfillAs("out too", "ord", 0, ""), answer: "wrong_state fulfilled"},
	{
		name: "move", stock: stockOfTwo + " TEE@lyon=3", given: then(sold, moveAs("op", "ord", 0, "1", "lyon")), when: moveAs("back", "ord", 3, "1", "berlin"),
		answer: "confirmed v4 | 1 TEE 3/3 berlin:3 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 2
			stock TEE@lyon 3
			level MUG@berlin 4 2 0 0
			level TEE@berlin 5 3 0 0
			level TEE@lyon 3 0 0 0
			ord confirmed v4 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2
			deadline 10s ord
			event move back at 0s: confirmed v3 > ord confirmed v4 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2`,
	},
	{name: "move, repeated after the line moved back", stock: stockOfTwo + " TEE@lyon=3",
		given: then(held, moveAs("op", "ord", 0, "1", "lyon"), moveAs("back", "ord", 0, "1", "berlin")),
		when:  moveAs("op", "ord", 0, "1", "lyon"), answer: "again held v3 until 10s | 1 TEE 3/3 berlin:3 | 2 MUG 2/2 berlin:2"},
	{name: "move to another location", stock: stockOfTwo + " TEE@lyon=3", given: then(held, moveAs("op", "ord", 0, "1", "lyon")),
		when: moveAs("op", "ord", 0, "1", "berlin"), answer: "id_conflict"},
	{
		name: "move of a line that is there", stock: stockOfTwo, given: held, when: moveAs("op", "ord", 0, "1", "berlin"),
		answer: "held v2 until 10s | 1 TEE 3/3 berlin:3 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 2
			level MUG@berlin 4 0 0 0
			level TEE@berlin 5 0 0 0
			ord held v2 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2
			deadline 10s ord
			event move op at 0s: held v1 > ord held v2 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2`,
	},
	{name: "move of a line that was there, repeated", stock: stockOfTwo + " TEE@lyon=3",
		given: then(held, moveAs("op", "ord", 0, "1", "berlin"), moveTo("ord", 2, "1", "lyon")),
		when:  moveAs("op", "ord", 0, "1", "berlin"), answer: "again held v3 until 10s | 1 TEE 3/3 lyon:3 | 2 MUG 2/2 berlin:2"},
	{name: "overdue, repeated", stock: stockOfTwo, given: then(held, releaseAs("less", "ord", 0, "1:1"), after(time.Minute)),
		when: releaseAs("less", "ord", 0, "1:1"), answer: "again expired v2 until 10s | 1 TEE 2/3 berlin:2 | 2 MUG 2/2 berlin:2"},
	{name: "no such reservation", stock: stockOfTwo, when: releaseAs("less", "ord", 0, "1:1"), answer: "not_found"},
	{name: "neither version nor id", stock: stockOfTwo, given: held, when: releaseAs("", "ord", 0, "1:1"),
		answer: "invalid_request | /version is required without an operation id, so that a repeat is recognised"},
	{name: "no identifier", when: releaseAs("{", "ord", 0, "1:1"), answer: "invalid_request | /operation must not contain { or }"},
	{name: "no identifier of a move", when: moveAs("{", "ord", 0, "1", "lyon"), answer: "invalid_request | /operation must not contain { or }"},
	{name: "confirm", when: func(b *bench) string {
		return told(b.store.Confirm(b.ctx, TransitionRequest{ID: "ord", Operation: "op"}))
	}, answer: "invalid_request | /operation must be empty: a confirmed reservation is known by its own id"},
}

// TestOperationID repeats steps that have the id of an operation.
func TestOperationID(t *testing.T) {
	for _, o := range operationIDCases {
		o.run(t)
	}
}

// TestOperationID_Batch decides steps with ids that are in one batch one after another.
func TestOperationID_Batch(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		b.stock("TEE@berlin=5")
		reserve(order("ord", "1:TEE:5"))(b)
		var requests []shard.Request
		for _, c := range []struct{ operation, lines string }{{"a", "1:2"}, {"b", "1:2"}, {"a", "1:2"}, {"", ""}, {"a", "1:1"}, {"b", "1:2"}} {
			r := TransitionRequest{ID: "ord", Operation: c.operation, Lines: parts(c.lines)}
			call := &transitionCall{verb: VerbRelease, request: &r, settled: settledAlways}
			if c.operation != "" {
				call.operation, call.fingerprint = r.Operation, stepFingerprint(VerbRelease, "ord", 0, "", r.Lines...)
			}
			requests = append(requests, call)
		}
		var got []string
		for _, a := range b.batch(VerbRelease, requests...) {
			got = append(got, a.Status)
		}
		equal(t, "answers", strings.Join(got, " "), "done done repeat done conflict repeat")
		equal(t, "levels", levelsOnly(b.state(100)), "level TEE@berlin 5 0 0 0")
	})
}

// TestEntryVersion checks that an entry has version 2 only if an older decoder could not read it.
func TestEntryVersion(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{TTL: 10 * time.Second})
		b.stock(stockOfTwo + " TEE@lyon=3")
		for _, call := range then(sold, moveTo("ord", 2, "1", "lyon"), release("ord", 3, "1:1"), fulfill("ord", 4, "1:1"), back("ret", "lyon", "1:1"),
			moveAs("m", "ord", 0, "1", "berlin"), releaseAs("r", "ord", 0, "2:1"), fulfillAs("f", "ord", 0, "2:1")) {
			call(b)
		}
		entries, err := b.client.XRange(b.ctx, b.store.keys.Events, "-", "+").Result()
		if err != nil {
			t.Fatal(err)
		}
		versions := map[wire.Verb][]string{}
		for _, entry := range entries {
			decoded, err := wire.DecodeEntry(entry.ID, entry.Values)
			if err != nil {
				t.Fatal(err)
			}
			for _, event := range decoded.Events {
				versions[event.Verb] = append(versions[event.Verb], entry.Values["v"].(string))
			}
		}
		for verb, want := range map[wire.Verb][]string{
			VerbReserve: {"1"}, VerbConfirm: {"1"}, VerbReturn: {"1"}, VerbAdjust: {"1", "1", "1"},
			VerbMove: {"1", "2"}, VerbRelease: {"1", "2"}, VerbFulfill: {"1", "2"},
		} {
			if !slices.Equal(versions[verb], want) {
				t.Errorf("entries of %s have the versions %v, want %v", verb, versions[verb], want)
			}
		}
	})
}
