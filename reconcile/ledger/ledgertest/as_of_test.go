package ledgertest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

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
			if got := fmt.Sprint(since.Levels); err != nil || got != want || since.KeptFrom != ledgertest.SeenAt || since.Epoch != 1 || since.Sequence != b.At.Sequence {
				t.Errorf("since +%d: %s, %+v, %v; want %s", moment-ledgertest.SeenAt, got, since, err, want)
			}
		}
		b.Apply(b.Entry(ledgertest.Born("b", ledgertest.Reserved(1), "n6"), ledgertest.Born("b", ledgertest.Event(cache.VerbRelease, "held", ledgertest.RecordOf("released", 2, 1, 0)), "n6"), removal("gone", 5)))
		since, err := b.Ledger.Since(t.Context(), ledgertest.SeenAt, names[2:])
		if got := fmt.Sprint(since.Levels); err != nil || got != "[{0 0}]" {
			t.Errorf("after a removal: %s, %v", got, err)
		}
	})
	for _, l := range ledgertest.Ledgers {
		if _, err := l.Open(t).Ledger.Since(t.Context(), ledgertest.SeenAt, []wire.LevelName{{SKU: "TEE", Location: "berlin"}}); !errors.Is(err, cache.ErrRebuilding) {
			t.Errorf("%s, before the first epoch: %v", l.Name, err)
		}
	}
}
