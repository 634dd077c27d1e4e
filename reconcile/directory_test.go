package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/directory"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestFollow_Instances checks that every instance uses a new directory within a second, and the one
// before until then.
func TestFollow_Instances(t *testing.T) {
	r := reconciletest.NewRig(t)
	one, two := r.Start(nil), r.Start(nil)
	one.Open(5 * time.Second)
	one.Count("TEE", "berlin", 500)
	one.Count("TEE", "lyon", 500)
	for _, i := range []*reconciletest.Instance{one, two} {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		f := &directory.Follow{Directories: i.Ledger, Use: i.Store.Direct, Logger: slog.New(slog.DiscardHandler)}
		go func() { defer close(ended); f.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-ended })
	}
	both := []location.ID{"berlin", "lyon"}
	for n := range 3 {
		slices.Reverse(both)
		want := both[0]
		if _, _, err := one.Ledger.ApplyDirectory(t.Context(), ledgertest.Warehouses(both...), directory.AnyVersion, cache.By{}); err != nil {
			t.Fatal(err)
		}
		for i, in := range []*reconciletest.Instance{one, two} {
			took := r.Await("the directory is in use", 5*time.Second, func() error {
				got := in.Reserve(fmt.Sprintf("o-%d-%d-%d", n, i, r.Ops.Add(1)), "TEE", 1).Lines[0].From[0].Location
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
	r.Check()
}

// TestReconciler_Limits checks that purchase limits keep their counts through each fault of Redis: those of
// customers, of identities and of a campaign in all, also if units came back.
func TestReconciler_Limits(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t, persistent...)
	i := r.Start(nil)
	i.Open(5 * time.Second)
	i.Count("TEE", "berlin", 50)
	i.Count("PROBE", "berlin", 50)
	d := ledgertest.Warehouses("berlin")
	most, total := int64(3), int64(4)
	d.Campaigns = []location.Campaign{{ID: "drop", SKUs: []location.SKU{"TEE"}, PerCustomer: &most}, {ID: "lent", SKUs: []location.SKU{"CAP"}, PerCustomer: &most, Total: &total, FreesOnReturn: true}}
	rules, err := location.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	i.Store.Direct(rules)
	reserve := func(id, customer string, sku location.SKU, units int64, identities ...string) error {
		o := reconciletest.Order(id, sku, units)
		o.Customer, o.Identities = customer, identities
		_, err := i.Store.Reserve(t.Context(), o)
		return err
	}
	take := func(id, customer string, units int64) error { return reserve(id, customer, "TEE", units) }
	i.Count("CAP", "berlin", 50)
	reconciletest.Must(t, reserve("lent", "c-1", "CAP", 3, "card"))
	i.Confirm("lent")
	_, err = i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "lent"})
	reconciletest.Must(t, err)
	_, err = i.Store.Return(t.Context(), cache.ReturnRequest{ID: "ret", Reservation: "lent", To: "berlin", Lines: []cache.LineQuantity{{Line: "1", Quantity: 1}}})
	reconciletest.Must(t, err)
	reconciletest.Must(t, reserve("guest", "", "CAP", 1, "device")) // the total counts three of four
	reconciletest.Must(t, take("held", "c-1", 1))
	reconciletest.Must(t, take("paid", "c-1", 1))
	i.Confirm("paid")
	reconciletest.Must(t, take("back", "c-2", 3))
	if _, err := i.Store.Release(t.Context(), cache.TransitionRequest{ID: "back"}); err != nil {
		t.Fatal(err)
	}
	r.Check()
	for _, f := range faults {
		f.fault(t, i)
		r.Await("sales are durable again", 10*time.Second, func() error {
			if _, err := i.Store.Reserve(t.Context(), reconciletest.Order("probe-"+f.name, "PROBE", 1)); err != nil {
				return err
			}
			_, err := i.Store.Confirm(t.Context(), cache.TransitionRequest{ID: "probe-" + f.name})
			return err
		})
		err := take("more-"+f.name, "c-1", 2)
		var over *cache.PurchaseLimitError
		if !errors.As(err, &over) || over.Taken != 2 || over.Limit != 3 {
			t.Errorf("after %s: %v", f.name, err)
		}
		if err := reserve("card-"+f.name, "c-9", "CAP", 2, "card"); !errors.As(err, &over) || over.Taken != 2 || over.Identity != "card" {
			t.Errorf("after %s, the card: %v", f.name, err)
		}
		var soldOut *cache.CampaignSoldOutError
		if err := reserve("all-"+f.name, "c-9", "CAP", 2); !errors.As(err, &soldOut) || soldOut.Taken != 3 || soldOut.Total != 4 {
			t.Errorf("after %s, the total: %v", f.name, err)
		}
		reconciletest.Must(t, take("other-"+f.name, "c-"+f.name, 3))
		r.Check()
	}
}
