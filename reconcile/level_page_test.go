package reconcile

import (
	"fmt"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// TestLedger_LevelPage lists levels by how their SKUs begin, the last character there is among them.
func TestLedger_LevelPage(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		for n, sku := range []location.SKU{"A", "A%", "AB", "A\U0010FFFF", "A\U0010FFFFB", "B", "\U0010FFFFB"} {
			e := recount(fmt.Sprint("count-", n), 0, 1)
			e.Levels[0].SKU = sku
			b.apply(b.entry(e))
		}
		for prefix, want := range map[string]string{
			"":               `["A" "A%" "AB" "A\U0010ffff" "A\U0010ffffB" "B" "\U0010ffffB"]`,
			"A":              `["A" "A%" "AB" "A\U0010ffff" "A\U0010ffffB"]`,
			"A\U0010FFFF":    `["A\U0010ffff" "A\U0010ffffB"]`,
			"B":              `["B"]`,
			"\U0010FFFF":     `["\U0010ffffB"]`,
			"A\U0010FFFFB\\": `[]`,
		} {
			page, err := b.ledger.LevelPage(t.Context(), cache.LevelFilter{SKUPrefix: prefix, Limit: 10})
			skus := column(page.Levels, func(l cache.Level) location.SKU { return l.SKU })
			if got := fmt.Sprintf("%q", skus); err != nil || got != want || page.Next != "" {
				t.Errorf("%q: %s, %q, %v; want %s", prefix, got, page.Next, err, want)
			}
		}
	})
}
