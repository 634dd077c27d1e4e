package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// warehouses is a directory whose one channel sells from places, in that order.
func warehouses(places ...location.ID) location.Directory {
	d := location.Directory{Channels: []location.SalesChannel{{ID: "web", Default: true, Locations: places}}}
	for _, id := range places {
		d.Locations = append(d.Locations, location.Location{ID: id})
	}
	return d
}

// TestLedger_Directory keeps each version, changes nothing where nothing changes, and lets no location go
// that has units.
func TestLedger_Directory(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		ctx := t.Context()
		if d, changed, err := b.ledger.Directory(ctx, 0); d.Version != 0 || changed || err != nil {
			t.Fatalf("before the first: %+v %v %v", d, changed, err)
		}
		apply := func(d location.Directory, ifVersion int64) string {
			applied, changed, err := b.ledger.ApplyDirectory(ctx, d, ifVersion, "anna")
			if err != nil {
				return err.Error()
			}
			return fmt.Sprintf("v%d %v by %s", applied.Version, changed, applied.Actor)
		}
		both := warehouses("berlin", "lyon")
		b.apply(b.entry(recount("count", 0, 5), born("a", reserved(2), "n1")))
		for _, c := range []struct{ name, got, want string }{
			{"the first", apply(both, 0), "v1 true by anna"},
			{"the first again, whose reply was lost", apply(both, 0), "v1 false by anna"},
			{"the same", apply(both, AnyVersion), "v1 false by anna"},
			{"the same, of this version", apply(both, 1), "v1 false by anna"},
			{"another", apply(warehouses("lyon", "berlin"), 1), "v2 true by anna"},
			{"another again", apply(warehouses("lyon", "berlin"), 1), "v2 false by anna"},
			{"another, of a version before", apply(warehouses("lyon", "berlin"), 0), "version conflict: the version is now 2"},
			{"of an old version", apply(both, 1), "version conflict: the version is now 2"},
			{"wrong", apply(warehouses(), AnyVersion), (&location.InvalidError{Faults: []location.Fault{
				{Path: "/locations", Message: "is required: add at least one location"},
				{Path: "/channels/0/locations", Message: "is required: a channel sells from at least one location"},
			}}).Error()},
			{"without one that has units", apply(warehouses("lyon"), 2), "in use: location berlin has 2 units held and 0 committed"},
			{"without one that has none", apply(warehouses("berlin"), 2), "v3 true by anna"},
		} {
			if c.got != c.want {
				t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
			}
		}
		d, changed, err := b.ledger.Directory(ctx, 2)
		if err != nil || !changed || d.Version != 3 || d.Actor != "anna" || time.Since(d.AppliedAt).Abs() > time.Hour || !reflect.DeepEqual(d.Directory, warehouses("berlin")) {
			t.Errorf("%+v %v %v", d, changed, err)
		}
		if _, changed, err := b.ledger.Directory(ctx, 3); changed || err != nil {
			t.Errorf("known: %v %v", changed, err)
		}
	})
}

// TestFollow hands on each version once, and also that there is none.
func TestFollow(t *testing.T) {
	var used []string
	ledger := NewMemory()
	f := &Follow{Directories: ledger, Logger: slog.New(slog.DiscardHandler), Use: func(r *location.Rules) {
		if r == nil {
			used = append(used, "none")
			return
		}
		used = append(used, fmt.Sprint(r.Locations()))
	}}
	once := func(want ...string) {
		t.Helper()
		if err := f.Once(t.Context()); err != nil || !reflect.DeepEqual(used, want) {
			t.Errorf("%v used %q, want %q", err, used, want)
		}
	}
	once("none")
	once("none")
	if _, _, err := ledger.ApplyDirectory(t.Context(), warehouses("berlin"), 0, ""); err != nil {
		t.Fatal(err)
	}
	once("none", "[berlin]")
	once("none", "[berlin]")
	f.Directories = failing{}
	if err := f.Once(t.Context()); !errors.Is(err, cache.ErrNotDurable) || len(used) != 2 {
		t.Errorf("%v used %q", err, used)
	}
}

// failing is a directory that can't be read.
type failing struct{ Directories }

func (failing) Directory(context.Context, int64) (Directory, bool, error) {
	return Directory{}, false, cache.ErrNotDurable
}

// TestFollow_Instances has every instance use a directory within a second, as it is applied by one; the one
// before answers until then.
func TestFollow_Instances(t *testing.T) {
	r := newRig(t)
	one, two := r.start(nil), r.start(nil)
	one.open(5 * time.Second)
	one.count("TEE", "berlin", 500)
	one.count("TEE", "lyon", 500)
	for _, i := range []*instance{one, two} {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		f := &Follow{Directories: i.ledger, Use: i.store.Direct, Logger: slog.New(slog.DiscardHandler)}
		go func() { defer close(ended); f.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-ended })
	}
	both := []location.ID{"berlin", "lyon"}
	for n := range 3 {
		slices.Reverse(both)
		want := both[0]
		if _, _, err := one.ledger.ApplyDirectory(t.Context(), warehouses(both...), AnyVersion, ""); err != nil {
			t.Fatal(err)
		}
		for i, in := range []*instance{one, two} {
			took := r.await("the directory is in use", 5*time.Second, func() error {
				got := in.reserve(fmt.Sprintf("o-%d-%d-%d", n, i, r.ops.Add(1)), "TEE", 1).Lines[0].From[0].Location
				if got != want {
					return fmt.Errorf("served by %s", got)
				}
				return nil
			})
			if took > time.Second && !raced {
				t.Errorf("instance %d used version %d after %v", i, n+1, took)
			}
		}
	}
	r.check()
}

// TestReconciler_Limits has purchase limits count on as they did, whatever happens to Redis.
func TestReconciler_Limits(t *testing.T) {
	r := newRig(t, persistent...)
	i := r.start(nil)
	i.open(5 * time.Second)
	i.count("TEE", "berlin", 50)
	i.count("PROBE", "berlin", 50)
	d := warehouses("berlin")
	d.Limits = []location.Limit{{ID: "drop", SKUs: []location.SKU{"TEE"}, PerCustomer: 3}}
	rules, err := location.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	i.store.Direct(rules)
	take := func(id, customer string, units int64) error {
		o := order(id, "TEE", units)
		o.Customer = customer
		_, err := i.store.Reserve(t.Context(), o)
		return err
	}
	must(t, take("held", "c-1", 1))
	must(t, take("paid", "c-1", 1))
	i.confirm("paid")
	must(t, take("back", "c-2", 3))
	if _, err := i.store.Release(t.Context(), cache.TransitionRequest{ID: "back"}); err != nil {
		t.Fatal(err)
	}
	r.check()
	for _, f := range faults {
		f.fault(t, i)
		r.await("sales are durable again", 10*time.Second, func() error {
			if _, err := i.store.Reserve(t.Context(), order("probe-"+f.name, "PROBE", 1)); err != nil {
				return err
			}
			_, err := i.store.Confirm(t.Context(), cache.TransitionRequest{ID: "probe-" + f.name})
			return err
		})
		err := take("more-"+f.name, "c-1", 2)
		var over *cache.PurchaseLimitError
		if !errors.As(err, &over) || over.Taken != 2 || over.Limit != 3 {
			t.Errorf("after %s: %v", f.name, err)
		}
		must(t, take("other-"+f.name, "c-"+f.name, 3))
		r.check()
	}
}
