package ledgertest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// sinceText describes the units of levels.
func sinceText(since cache.Since) string {
	type units struct{ OnHand, Moved int64 }
	list := make([]units, len(since.Levels))
	for i, l := range since.Levels {
		list[i] = units{l.OnHand, l.Moved}
	}
	return fmt.Sprint(list)
}

// TestLedger_CountInForce checks which count of a level is in force, also after the level was removed and
// made again.
func TestLedger_CountInForce(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		expect := func(when, want string) {
			t.Helper()
			since, err := b.Ledger.Since(t.Context(), ledgertest.SeenAt, []wire.LevelName{ledgertest.At})
			if err != nil || len(since.Levels) != 1 {
				t.Fatalf("%s: %+v, %v", when, since, err)
			}
			got := "none"
			if c := since.Levels[0].Count; !c.At.IsZero() {
				got = fmt.Sprintf("%s %+d", c.Operation, c.At.UnixMilli()-ledgertest.SeenAt)
			}
			if got != want {
				t.Errorf("%s: %s, want %s", when, got, want)
			}
		}
		counted := func(id string, from, to, at int64) wire.Event {
			e := ledgertest.Recount(id, from, to)
			e.Levels[0].Counted, e.Levels[0].CountedAt = true, at
			return e
		}
		expect("at first", "none")
		b.Apply(b.Entry(ledgertest.Recount("delivery", 0, 9))) // +1
		expect("after a delivery", "none")
		b.Apply(b.Entry(counted("now", 9, 8, 0))) // +2
		expect("counted", "now +2")
		b.Apply(b.Entry(counted("same", 8, 8, 0))) // +3
		expect("counted without a difference", "same +3")
		b.Apply(b.Entry(counted("now", 8, 7, 0))) // +4, refused
		expect("after a refused count", "same +3")
		b.Apply(b.Entry(counted("earlier", 8, 6, ledgertest.SeenAt-5)), b.Entry(ledgertest.Recount("more", 6, 7)))
		expect("counted for a moment", "earlier -5")
		b.Apply(b.Entry(removal("gone", 7))) // +7
		expect("removed", "gone +7")
		kept := ledgertest.Recount("late", 0, 0)
		kept.Levels[0].Kept = true
		b.Apply(b.Entry(kept))
		if levels := b.Levels(); levels != "" {
			t.Errorf("a count that is not applied has made %s", levels)
		}
		b.Apply(b.Entry(ledgertest.Recount("again", 0, 5)))
		expect("made again", "gone +7")
		b.Begin(&b.At, 2)
		expect("rebuilt", "gone +7")
	})
}

// TestLedger_Since checks what came and left since a moment. Counts are no movement of units.
func TestLedger_Since(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		count := ledgertest.Recount("count", 0, 9) // at seenAt+1
		count.Levels[0].Counted = true
		delivery := ledgertest.Recount("delivery", 9, 13)
		b.Apply(b.Entry(count))
		b.Apply(b.Entry(ledgertest.Born("a", ledgertest.Reserved(3), "n2"), ledgertest.Born("a", ledgertest.Confirmed(2, 3), "n2")))
		b.Apply(b.Entry(ledgertest.Born("a", ledgertest.Event(cache.VerbFulfill, "confirmed", ledgertest.RecordOf("fulfilled", 3, 3, 3)), "n2"), delivery)) // at +3
		b.Apply(b.Entry(transferred("van", "lyon", 2), ledgertest.Born("a", returned("ret", 4, 1, 1, "berlin"), "n2")))                                     // at +4
		e := ledgertest.Recount("again", 8, 4)
		e.Levels[0].Counted = true
		b.Apply(b.Entry(e))
		names := []wire.LevelName{{SKU: "TEE", Location: "oslo"}, {SKU: "TEE", Location: "lyon"}, {SKU: "TEE", Location: "berlin"}}
		for moment, want := range map[int64]string{ // 3 fulfilled and 4 delivered, then 2 transferred and 1 returned
			ledgertest.SeenAt - 9: "[{0 0} {2 2} {5 0}]",
			ledgertest.SeenAt + 2: "[{0 0} {2 2} {5 0}]",
			ledgertest.SeenAt + 3: "[{0 0} {2 2} {5 -1}]",
			ledgertest.SeenAt + 4: "[{0 0} {2 0} {5 0}]",
		} {
			since, err := b.Ledger.Since(t.Context(), moment, names)
			if got := sinceText(since); err != nil || got != want || since.KeptFrom != ledgertest.SeenAt || since.Epoch != 1 || since.Sequence != b.At.Sequence {
				t.Errorf("since +%d: %s, %+v, %v; want %s", moment-ledgertest.SeenAt, got, since, err, want)
			}
		}
		b.Apply(b.Entry(ledgertest.Born("b", ledgertest.Reserved(1), "n6"), ledgertest.Born("b", ledgertest.Event(cache.VerbRelease, "held", ledgertest.RecordOf("released", 2, 1, 0)), "n6"), removal("gone", 5)))
		since, err := b.Ledger.Since(t.Context(), ledgertest.SeenAt, names[2:])
		if got := sinceText(since); err != nil || got != "[{0 0}]" {
			t.Errorf("after a removal: %s, %v", got, err)
		}
	})
	for _, l := range ledgertest.Ledgers {
		if _, err := l.Open(t).Ledger.Since(t.Context(), ledgertest.SeenAt, []wire.LevelName{{SKU: "TEE", Location: "berlin"}}); !errors.Is(err, cache.ErrRebuilding) {
			t.Errorf("%s, before the first epoch: %v", l.Name, err)
		}
	}
}
