package ledgertest_test

import (
	"fmt"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
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

// TestLedger_LevelQuery lists levels of some SKUs at some locations, page by page, with the position.
func TestLedger_LevelQuery(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		e := ledgertest.Recount("count", 0, 1)
		e.Levels = nil
		for _, sku := range []location.SKU{"A", "B", "C"} {
			for _, at := range []location.ID{"x", "y"} {
				e.Levels = append(e.Levels, wire.LevelEvent{SKU: sku, Location: at, OnHandAfter: 1})
			}
		}
		b.Apply(b.Entry(e))
		for _, c := range []struct {
			filter cache.LevelFilter
			want   string
		}{
			{cache.LevelFilter{}, "A@x A@y B@x B@y C@x C@y"},
			{cache.LevelFilter{SKUs: []location.SKU{"C", "A", "none"}}, "A@x A@y C@x C@y"},
			{cache.LevelFilter{Locations: []location.ID{"y"}}, "A@y B@y C@y"},
			{cache.LevelFilter{SKUs: []location.SKU{"B"}, Locations: []location.ID{"y", "x"}}, "B@x B@y"},
			{cache.LevelFilter{SKUs: []location.SKU{"none"}}, ""},
		} {
			for _, c.filter.Limit = range []int{1, 2, 50} {
				if got := ledgertest.Pages(t, b.Ledger, c.filter); got != c.want {
					t.Errorf("%+v: %s, want %s", c.filter, got, c.want)
				}
				page, err := b.Ledger.LevelPage(t.Context(), c.filter)
				if err != nil || page.Position != b.At.EntryID() {
					t.Errorf("%+v: position %q, %v; want %s", c.filter, page.Position, err, b.At.EntryID())
				}
			}
		}
	})
}
