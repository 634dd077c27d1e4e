package ledgertest_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/directory"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// TestLedger_Directory keeps each version, changes nothing where nothing changes, and lets no location go
// that has units.
func TestLedger_Directory(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		ctx := t.Context()
		if d, changed, err := b.Ledger.Directory(ctx, 0); d.Version != 0 || changed || err != nil {
			t.Fatalf("before the first: %+v %v %v", d, changed, err)
		}
		apply := func(d location.Directory, ifVersion int64) string {
			applied, changed, err := b.Ledger.ApplyDirectory(ctx, d, ifVersion, "anna")
			if err != nil {
				return err.Error()
			}
			return fmt.Sprintf("v%d %v by %s", applied.Version, changed, applied.Actor)
		}
		both := ledgertest.Warehouses("berlin", "lyon")
		b.Apply(b.Entry(ledgertest.Recount("count", 0, 5), ledgertest.Born("a", ledgertest.Reserved(2), "n1")))
		for _, c := range []struct{ name, got, want string }{
			{"the first", apply(both, 0), "v1 true by anna"},
			{"the first again, whose reply was lost", apply(both, 0), "v1 false by anna"},
			{"the same", apply(both, directory.AnyVersion), "v1 false by anna"},
			{"the same, of this version", apply(both, 1), "v1 false by anna"},
			{"another", apply(ledgertest.Warehouses("lyon", "berlin"), 1), "v2 true by anna"},
			{"another again", apply(ledgertest.Warehouses("lyon", "berlin"), 1), "v2 false by anna"},
			{"another, of a version before", apply(ledgertest.Warehouses("lyon", "berlin"), 0), "version conflict: the version is now 2"},
			{"of an old version", apply(both, 1), "version conflict: the version is now 2"},
			{"wrong", apply(ledgertest.Warehouses(), directory.AnyVersion), (&location.InvalidError{Faults: []location.Fault{
				{Path: "/locations", Message: "is required: there is nowhere to sell from"},
				{Path: "/channels/0/locations", Message: "is required: a channel sells from at least one location"},
			}}).Error()},
			{"without one that has units", apply(ledgertest.Warehouses("lyon"), 2), "in use: location berlin has 2 units held and 0 committed"},
			{"without one that has none", apply(ledgertest.Warehouses("berlin"), 2), "v3 true by anna"},
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
			t.Errorf("known: %v %v", changed, err)
		}
	})
}
