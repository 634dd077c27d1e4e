package cache

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/location"
)

// TestAsOf_Behind refuses a whole operation if Redis does not have the on hand that the ledger had when
// it brought a count up to now.
func TestAsOf_Behind(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		b.stock("TEE@berlin=5 MUG@berlin=2")
		place := "1-1" // the entry of the second level
		call := func(id string, tee, mug counted, ifOnHand *int64) shard.Request {
			r := &AdjustRequest{ID: id, Changes: []Change{
				{SKU: "TEE", Location: "berlin", OnHand: units(9), IfOnHand: ifOnHand},
				{SKU: "MUG", Location: "berlin", OnHand: units(9)},
				{SKU: "CAP", Location: "berlin", SafetyStock: units(1)},
			}}
			return &adjustCall{request: r, fingerprint: id, counted: []counted{tee, mug, {}}, place: place}
		}
		for _, c := range []struct {
			request shard.Request
			want    string
		}{
			{call("a", counted{onHand: 8, seen: 4}, counted{onHand: 1, seen: 2}, nil), "behind 1"},
			{call("b", counted{onHand: 8, seen: 5}, counted{onHand: 1, seen: 3}, nil), "behind 2"},
			{call("c", counted{onHand: 8, seen: 4}, counted{onHand: 1, seen: 2}, units(4)), "version_conflict 1\x1f5"},
			{call("d", counted{onHand: 8, seen: 5}, counted{onHand: 1, seen: 2}, units(5)), "done"},
		} {
			before := b.state(0)
			a := b.batch(VerbAdjust, c.request)[0]
			got := a.Status + " " + a.Payload
			if a.Status == "done" {
				got = a.Status
			} else {
				equal(t, "state", b.state(0), before)
			}
			equal(t, c.request.ID(), got, c.want)
		}
		equal(t, "levels", levelsOnly(b.state(100)), "level CAP@berlin 0 0 1 0\nlevel MUG@berlin 1 0 0 0\nlevel TEE@berlin 8 0 0 0")
		events := b.events()
		last := events[len(events)-1]
		if said := fmt.Sprint(last.Levels[0].Counted, last.Levels[1].Counted, last.Levels[2].Counted); said != "true true false" {
			t.Errorf("counted: %s", said)
		}
	})
}

// TestAsOf_CountedSince answers behind if a level was counted or removed since, though on hand is equal.
func TestAsOf_CountedSince(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		b.stock("TEE@berlin=5 MUG@berlin=2 CAP@berlin=1") // 1-0 to 1-2
		call := func(id, place string) shard.Request {
			r := &AdjustRequest{ID: id, Changes: []Change{{SKU: "TEE", Location: "berlin", OnHand: units(5)}}}
			return &adjustCall{request: r, fingerprint: id, counted: []counted{{onHand: 5, seen: 5}}, place: place}
		}
		expect := func(id, place, want string) {
			t.Helper()
			if a := b.batch(VerbAdjust, call(id, place))[0]; a.Status != want {
				t.Errorf("as of %s: %s %s, want %s", place, a.Status, a.Payload, want)
			}
		}
		expect("a", "1-1", "behind")
		expect("a", "0-9", "behind")
		expect("a", "1-2", "done") // and 1-3, which changes nothing but the count in force
		expect("a", "1-2", "repeat")
		expect("b", "1-2", "behind")
		expect("b", "1-3", "done")                                                                                 // 1-4
		b.adjust(AdjustRequest{ID: "came", Changes: []Change{{SKU: "MUG", Location: "berlin", Delta: units(1)}}})  // 1-5
		b.adjust(AdjustRequest{ID: "same", Changes: []Change{{SKU: "MUG", Location: "berlin", OnHand: units(3)}}}) // 1-6
		expect("c", "1-5", "behind")
		expect("c", "1-6", "done")                                               // 1-7
		equal(t, "removal", remove("gone", "CAP", "berlin")(b), "removed at 0s") // 1-8
		expect("d", "1-7", "behind")
		expect("d", "1-8", "done")
		both := b.batch(VerbAdjust, &adjustCall{request: &AdjustRequest{ID: "beside", Changes: []Change{{SKU: "MUG", Location: "berlin", OnHand: units(4)}}}},
			call("after it", "1-9"))
		if both[0].Status != "done" || both[1].Status != "behind" {
			t.Errorf("behind a count of the same batch: %s, %s", both[0].Status, both[1].Status)
		}
	})
}

// TestAsOf_Kept sends counts that a later one keeps from being applied. The policy changes, a level that
// is not there is not made, and other counts of the operation are applied.
func TestAsOf_Kept(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		b.stock("TEE@berlin=5 MUG@berlin=2 BAG@berlin=1")
		change := func(sku location.SKU, c Change) Change {
			c.SKU, c.Location, c.OnHand = sku, "berlin", units(9)
			return c
		}
		r := &AdjustRequest{ID: "late", AsOf: time.UnixMilli(7), Changes: []Change{
			change("TEE", Change{}), change("MUG", Change{SafetyStock: units(1)}), change("CAP", Change{}), change("BAG", Change{}),
		}}
		kept := &Count{Operation: "noon"}
		a := b.batch(VerbAdjust, &adjustCall{request: r, fingerprint: "f", place: "1-9", counted: []counted{
			{seen: 5, kept: kept}, {seen: 2, kept: kept}, {kept: kept}, {onHand: 8, seen: 1},
		}})[0]
		if a.Status != "done" {
			t.Fatal(a.Status, a.Payload)
		}
		equal(t, "levels", levelsOnly(b.state(100)), "level BAG@berlin 8 0 0 0\nlevel MUG@berlin 2 0 1 0\nlevel TEE@berlin 5 0 0 0")
		events := b.events()
		var said []string
		for _, l := range events[len(events)-1].Levels {
			said = append(said, fmt.Sprint(l.SKU, l.OnHandBefore, l.OnHandAfter, l.Counted, l.CountedAt, l.Kept))
		}
		equal(t, "event", strings.Join(said, "\n"), "TEE5 5 false 0 false\nMUG2 2 false 0 false\nCAP0 0 false 0 true\nBAG1 8 true 7 false")
	})
}

// TestAsOf_Invalid refuses AsOf without a ledger and without a count.
func TestAsOf_Invalid(t *testing.T) {
	asOf := func(c Change) func(*bench) string {
		c.SKU, c.Location = "TEE", "berlin"
		return func(b *bench) string {
			_, err := b.store.Adjust(b.ctx, AdjustRequest{ID: "op", AsOf: time.UnixMilli(b.now), Changes: []Change{c}})
			return toldError(err)
		}
	}
	for _, o := range []operation{
		{name: "without a ledger", when: asOf(Change{OnHand: units(5)}), answer: "invalid_request | /as_of needs a ledger, which knows what came and left since"},
		{name: "a policy", when: asOf(Change{SafetyStock: units(5)}), answer: "invalid_request | /as_of needs a change with on_hand"},
		{
			name: "a delta", when: asOf(Change{Delta: units(5)}),
			answer: "invalid_request | /changes/0/delta must not be given together with as_of: only a count has a time | /as_of needs a change with on_hand",
		},
	} {
		o.run(t)
	}
}
