package ledgertest_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/directory"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// TestLedger_Directory applies directories. A version is new only if the directory changes. A
// location that has units stays.
func TestLedger_Directory(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		ctx := t.Context()
		if d, changed, err := b.Ledger.Directory(ctx, 0); d.Version != 0 || changed || err != nil {
			t.Fatalf("before the first: %+v %v %v", d, changed, err)
		}
		apply := func(d location.Directory, ifVersion int64) string {
			applied, changed, err := b.Ledger.ApplyDirectory(ctx, d, ifVersion, cache.By{Actor: "anna"})
			if err != nil {
				return err.Error()
			}
			return fmt.Sprintf("v%d %v by %s", applied.Version, changed, applied.Actor)
		}
		both := ledgertest.Warehouses("berlin", "lyon")
		b.Apply(b.Entry(ledgertest.Recount("count", 0, 5), ledgertest.Born("a", ledgertest.Reserved(2), "n1")))
		for _, c := range []struct{ name, got, want string }{
			{"the first", apply(both, 0), "v1 true by anna"},
			{"the first again, after a lost reply", apply(both, 0), "v1 false by anna"},
			{"the same, any version", apply(both, directory.AnyVersion), "v1 false by anna"},
			{"the same, current version", apply(both, 1), "v1 false by anna"},
			{"a change", apply(ledgertest.Warehouses("lyon", "berlin"), 1), "v2 true by anna"},
			{"the change again", apply(ledgertest.Warehouses("lyon", "berlin"), 1), "v2 false by anna"},
			{"the change again, from an older version", apply(ledgertest.Warehouses("lyon", "berlin"), 0), "version conflict: the version is now 2"},
			{"another change, from an older version", apply(both, 1), "version conflict: the version is now 2"},
			{"invalid", apply(ledgertest.Warehouses(), directory.AnyVersion), (&location.InvalidError{Faults: []location.Fault{
				{Path: "/locations", Message: "is required: add at least one location"},
				{Path: "/channels/0/locations", Message: "is required: a channel sells from at least one location"},
			}}).Error()},
			{"without a location that has units", apply(ledgertest.Warehouses("lyon"), 2), "in use: location berlin has 2 units held and 0 committed"},
			{"without a location that has none", apply(ledgertest.Warehouses("berlin"), 2), "v3 true by anna"},
		} {
			if c.got != c.want {
				t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
			}
		}
		d, changed, err := b.Ledger.Directory(ctx, 2)
		if err != nil || !changed || d.Version != 3 || d.Actor != "anna" || time.Since(d.AppliedAt).Abs() > time.Hour || !reflect.DeepEqual(d.Directory, ledgertest.Warehouses("berlin")) {
			t.Errorf("%+v %v %v", d, changed, err)
		}
		if _, changed, err := b.Ledger.Directory(ctx, 3); changed || err != nil {
			t.Errorf("the current version again: %v %v", changed, err)
		}
	})
}
