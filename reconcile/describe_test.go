package reconcile_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// limitedInstance starts an instance with 20 TEE, of which a customer may have three.
func limitedInstance(t *testing.T, r *reconciletest.Rig) *reconciletest.Instance {
	i := r.Start(nil)
	i.Open(5 * time.Second)
	i.Count("TEE", "berlin", 20)
	d := ledgertest.Warehouses("berlin")
	d.Limits = []location.Limit{{ID: "drop", SKUs: []location.SKU{"TEE"}, PerCustomer: 3}}
	rules, err := location.Compile(d)
	reconciletest.Must(t, err)
	i.Store.Direct(rules)
	return i
}

// TestDescribe changes a reservation in each state of its life. The ledger has every answer, and its
// counts of purchase limits are those of Redis.
func TestDescribe(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t, persistent...)
	i := limitedInstance(t, r)
	text := func(s string) *string { return &s }
	order := reconciletest.Order("a", "TEE", 2)
	order.Customer, order.Metadata = "c-1", map[string]string{"cart": "1", "old": "x"}
	if _, err := i.Store.Reserve(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	describe := func(change cache.DescribeRequest, version int64, replay bool, metadata string) cache.Result {
		t.Helper()
		change.ID = "a"
		result, err := i.Store.Describe(t.Context(), change)
		if err != nil || result.Version != version || result.Replay != replay || !result.Durable || fmt.Sprint(result.Metadata) != metadata {
			t.Errorf("%+v, %v; want version %d, replay %v, %s", result, err, version, replay, metadata)
		}
		read, err := i.Store.Reservation(t.Context(), "a")
		if err != nil || !maps.Equal(read.Metadata, result.Metadata) || read.Version != version {
			t.Errorf("reads %+v, %v", read, err)
		}
		page, err := i.Store.Search(t.Context(), cache.ReservationFilter{Order: read.Order, Customer: read.Customer})
		if err != nil || len(page.Reservations) != 1 || !maps.Equal(page.Reservations[0].Metadata, result.Metadata) {
			t.Errorf("finds %+v, %v", page, err)
		}
		r.Check()
		return result
	}
	first := cache.DescribeRequest{Customer: text("c-2"), Metadata: map[string]*string{"cart": text("2"), "old": nil, "never": nil}}
	describe(first, 2, false, "map[cart:2]")
	describe(first, 2, true, "map[cart:2]")
	i.Confirm("a")
	describe(cache.DescribeRequest{Version: 3, Order: text("5512"), Identities: []string{"card"}}, 4, false, "map[cart:2]")
	describe(cache.DescribeRequest{Version: 3, Order: text("5512"), Identities: []string{"card"}}, 4, true, "map[cart:2]")
	var other *cache.VersionError
	if _, err := i.Store.Describe(t.Context(), cache.DescribeRequest{ID: "a", Version: 3, Order: text("1")}); !errors.As(err, &other) || other.Current != 4 {
		t.Error(err)
	}
	if _, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	r.Forgets("a")
	describe(cache.DescribeRequest{ClearMetadata: true, Customer: text("c-3")}, 6, false, "map[]")
	r.Forgets("a")
	describe(cache.DescribeRequest{ClearMetadata: true, Customer: text("c-3")}, 6, true, "map[]")

	again := reconciletest.Order("b", "TEE", 2)
	again.Customer = "c-4"
	if _, err := i.Store.Reserve(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	var over *cache.PurchaseLimitError
	for _, change := range []cache.DescribeRequest{{ID: "b", Customer: text("c-3")}, {ID: "b", Identities: []string{"card"}}} {
		if _, err := i.Store.Describe(t.Context(), change); !errors.As(err, &over) || over.Taken != 2 || over.Limit != 3 {
			t.Errorf("%+v: %v", change, err)
		}
	}
	many := cache.DescribeRequest{ID: "b", Metadata: map[string]*string{}}
	for n := range cache.MetadataKeysMax {
		many.Metadata[fmt.Sprint(n)] = text("")
	}
	if _, err := i.Store.Describe(t.Context(), many); err != nil {
		t.Error(err)
	}
	many.Metadata = map[string]*string{"one more": text("")}
	if _, err := i.Store.Describe(t.Context(), many); !errors.Is(err, cache.ErrInvalid) {
		t.Error(err)
	}
	if _, err := i.Store.Describe(t.Context(), cache.DescribeRequest{ID: "never", Order: text("1")}); !errors.Is(err, cache.ErrNotFound) {
		t.Error(err)
	}
	r.Check()
	for _, f := range faults {
		f.fault(t, i)
		r.Await("a describe is durable again", 10*time.Second, func() error {
			_, err := i.Store.Describe(t.Context(), cache.DescribeRequest{ID: "b", Order: text("after " + f.name)})
			return err
		})
		r.Check()
	}
	read, err := i.Store.Reservation(t.Context(), "b")
	if err != nil || read.Customer != "c-4" || len(read.Metadata) != cache.MetadataKeysMax {
		t.Errorf("%+v, %v", read, err)
	}
}
