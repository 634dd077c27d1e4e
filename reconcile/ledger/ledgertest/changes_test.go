package ledgertest_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// TestLedger_Changes makes changes of each kind and reads them page by page.
func TestLedger_Changes(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		ctx := t.Context()
		first, second := ledgertest.Recount("count-1", 0, 5), ledgertest.Recount("count-2", 5, 6)
		first.Actor, first.OnBehalfOf, first.RequestID, first.Reason = "warehouse", "anna", "req-1", "stocktake"
		second.Actor, second.Reason = "warehouse", ""
		b.Apply(b.Entry(first, second, ledgertest.Born("a", ledgertest.Reserved(2), "n1")))
		if _, _, err := b.Ledger.ApplyDirectory(ctx, ledgertest.Warehouses("berlin"), 0, cache.By{Actor: "ops", OnBehalfOf: "ben", RequestID: "req-2"}); err != nil {
			t.Fatal(err)
		}
		for _, a := range []ledger.Audit{{ID: "audit-1", Repair: true, Actor: "ops", RequestID: "req-3"}, {ID: "audit-2"}} {
			if err := b.Ledger.BeginAudit(ctx, a); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{
			"audit repair audit-1 by ops for  req-3: ",
			"directory apply 1 by ops for ben req-2: ",
			"stock adjust count-2 by warehouse for  : ",
			"stock adjust count-1 by warehouse for anna req-1: stocktake",
		}
		var all []string
		for _, limit := range []int{1, 3, 9} {
			var got []string
			var after ledger.Change
			for {
				page, err := b.Ledger.Changes(ctx, after, limit)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range page {
					got = append(got, fmt.Sprintf("%s %s %s by %s for %s %s: %s", c.Kind, c.Verb, c.ID, c.Actor, c.OnBehalfOf, c.RequestID, c.Reason))
				}
				if len(page) < limit {
					break
				}
				var ok bool
				if after, ok = ledger.ChangeAt(page[limit-1].Cursor()); !ok {
					t.Fatalf("%s is no cursor", page[limit-1].Cursor())
				}
			}
			slices.Sort(got) // the clocks of the ledger and of the events differ
			all = append(all, got...)
		}
		slices.Sort(want)
		if !slices.Equal(all, slices.Concat(want, want, want)) {
			t.Errorf("got %q\nwant three times %q", all, want)
		}
		for _, wrong := range []string{"x", "", "%%", "MTI"} {
			if _, ok := ledger.ChangeAt(wrong); ok {
				t.Errorf("%q is a cursor", wrong)
			}
		}
	})
}
