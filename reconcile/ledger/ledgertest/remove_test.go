package ledgertest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// removal removes the level At, with onHand units in Redis.
func removal(id string, onHand int64) wire.Event {
	return wire.Event{Verb: cache.VerbRemove, ID: id, Fingerprint: "f-" + id, Levels: []wire.LevelEvent{
		{SKU: ledgertest.At.SKU, Location: ledgertest.At.Location, OnHandBefore: onHand},
	}}
}

// TestLedger_Remove removes a level, in one batch with other events and in a batch of its own.
func TestLedger_Remove(t *testing.T) {
	sold := []wire.Event{ledgertest.Recount("count", 0, 5), ledgertest.Born("a", ledgertest.Reserved(2), "n1"), ledgertest.Born("a", ledgertest.Confirmed(2, 2), "n1")}
	for _, c := range []struct {
		name   string
		events []wire.Event
		want   string
	}{
		{"an unused level", []wire.Event{ledgertest.Recount("count", 0, 5), removal("op", 5)}, "operation count n1 f-count\noperation op n1 f-op\n"},
		{
			"other units on hand than in Redis", []wire.Event{ledgertest.Recount("count", 0, 5), removal("op", 3), ledgertest.Recount("again", 0, 7)},
			"TEE@berlin on hand 7 held 0 committed 0 safety 0 backorder 0\noperation again n1 f-again\n" +
				"operation count n1 f-count\noperation op n1 f-op\n",
		},
		{
			"in use", append(sold, removal("op", 5)),
			"TEE@berlin on hand 5 held 0 committed 2 safety 0 backorder 0\n" +
				"a 1 confirmed 2 1700000600000 n1 1700000000000  f-a   |1 TEE 2 0 berlin 2 0\noperation count n1 f-count\n" +
				`refused remove of op v1 at 1-2/3: in_use {"levels":[{"sku":"TEE","location":"berlin","on_hand":-5,"safety_stock":0,` +
				`"backorder_limit":0,"removed":true}],"committed":2}` + "\n",
		},
		{
			"an unknown level", []wire.Event{removal("op", 0)},
			`refused remove of op v1 at 1-2/0: unknown_level {"levels":[{"sku":"TEE","location":"berlin","on_hand":0,"safety_stock":0,` +
				`"backorder_limit":0,"removed":true}]}` + "\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
				e := b.Entry(c.events...)
				refusals := b.Apply(e)
				if got := b.State(); got != c.want {
					t.Errorf("%s\nwant:\n%s", got, c.want)
				}
				for i := range refusals {
					var used *cache.InUseError
					if err := refusals[i].Answer(); c.name == "in use" && (!errors.As(err, &used) || used.Committed != 2 || used.What != "TEE at berlin") {
						t.Errorf("answered %v", err)
					}
				}
			})
			ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
				if strings.Contains(c.want, "refused") {
					return // the refusal would name another entry
				}
				for i := range c.events {
					b.Apply(b.Entry(c.events[i]))
				}
				if got, want := len(strings.Split(b.State(), "\n")), len(strings.Split(c.want, "\n")); got != want {
					t.Errorf("one by one:\n%s", b.State())
				}
			})
		})
	}
}
