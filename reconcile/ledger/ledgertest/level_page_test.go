package ledgertest_test

import (
	"fmt"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// TestLedger_LevelPage lists levels by SKU prefix, also with the last Unicode character.
func TestLedger_LevelPage(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		for n, sku := range []location.SKU{"A", "A%", "AB", "A\U0010FFFF", "A\U0010FFFFB", "B", "\U0010FFFFB"} {
			e := ledgertest.Recount(fmt.Sprint("count-", n), 0, 1)
			e.Levels[0].SKU = sku
			b.Apply(b.Entry(e))
		}
		for prefix, want := range map[string]string{
			"":               `["A" "A%" "AB" "A\U0010ffff" "A\U0010ffffB" "B" "\U0010ffffB"]`,
			"A":              `["A" "A%" "AB" "A\U0010ffff" "A\U0010ffffB"]`,
			"A\U0010FFFF":    `["A\U0010ffff" "A\U0010ffffB"]`,
			"B":              `["B"]`,
			"\U0010FFFF":     `["\U0010ffffB"]`,
			"A\U0010FFFFB\\": `[]`,
		} {
			page, err := b.Ledger.LevelPage(t.Context(), cache.LevelFilter{SKUPrefix: prefix, Limit: 10})
			skus := ledger.Column(page.Levels, func(l cache.Level) location.SKU { return l.SKU })
			if got := fmt.Sprintf("%q", skus); err != nil || got != want || page.Next != "" {
				t.Errorf("%q: %s, %q, %v; want %s", prefix, got, page.Next, err, want)
			}
		}
	})
}
