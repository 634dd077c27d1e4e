package reconciletest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

// Instance is one process of a deployment: a store and a reconciler.
type Instance struct {
	Rig        *Rig
	Store      *cache.Store
	Ledger     *postgres.Ledger
	Reconciler *reconcile.Reconciler
	Client     *redis.Client
	Stop       func()
}

// Start starts an instance. change, if not nil, sets up its reconciler. It ends with the test, or
// with Stop.
func (r *Rig) Start(change func(*reconcile.Reconciler)) *Instance {
	r.TB.Helper()
	return r.StartOver(r.Redis.Addr(), change)
}

// StartOver is Start for an instance that reaches Redis at addr.
func (r *Rig) StartOver(addr string, change func(*reconcile.Reconciler)) *Instance {
	r.TB.Helper()
	client := r.ClientOf(addr)
	i := r.StartWith(client, change)
	i.Client = client
	return i
}

// StartWith is Start for an instance that reaches Redis over a client of any kind. Its Client is nil.
func (r *Rig) StartWith(client redis.UniversalClient, change func(*reconcile.Reconciler)) *Instance {
	r.TB.Helper()
	ledger := postgres.New(r.Pool, 0)
	logs := r.TB.Output()
	if _, measuring := r.TB.(*testing.B); measuring {
		logs = io.Discard
	}
	logger := slog.New(slog.NewTextHandler(logs, nil))
	store, err := cache.New(client, cache.Options{Ledger: ledger, DurableWait: 3 * time.Second, Logger: logger})
	Must(r.TB, err)
	i := &Instance{Rig: r, Store: store, Ledger: ledger}
	i.Reconciler = &reconcile.Reconciler{Client: client, Ledger: ledger, Logger: logger}
	if change != nil {
		change(i.Reconciler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Reconciler.Run(ctx) }()
	i.Stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-ended, store.Close(context.Background())); err != nil {
			r.TB.Error(err)
		}
	})
	r.TB.Cleanup(i.Stop)
	return i
}

// Started starts an instance and waits until it is open and has ten TEE in Berlin.
func (r *Rig) Started(change func(*reconcile.Reconciler)) *Instance {
	r.TB.Helper()
	i := r.Start(change)
	i.Open(5 * time.Second)
	i.Count("TEE", "berlin", 10)
	return i
}

// Shipped is Started, with three of the ten TEE fulfilled as reservation a.
func (r *Rig) Shipped(change func(*reconcile.Reconciler)) *Instance {
	r.TB.Helper()
	i := r.Started(change)
	i.Reserve("a", "TEE", 3)
	i.Confirm("a")
	_, err := i.Store.Fulfill(context.Background(), cache.TransitionRequest{ID: "a"})
	Must(r.TB, err)
	return i
}

// Open waits until reserve can be served.
func (i *Instance) Open(most time.Duration) time.Duration {
	i.Rig.TB.Helper()
	return i.Rig.Await("the gate is open", most, func() error { return i.Store.Ready(context.Background()) })
}

// Serves waits until a hold of PROBE is taken.
func (i *Instance) Serves(most time.Duration) time.Duration {
	i.Rig.TB.Helper()
	r := Order(fmt.Sprintf("probe-%d", i.Rig.Ops.Add(1)), "PROBE", 1)
	return i.Rig.Await("a hold is taken", most, func() error {
		_, err := i.Store.Reserve(context.Background(), r)
		return err
	})
}

// Count sets the units on hand of a level.
func (i *Instance) Count(sku location.SKU, at location.ID, units int64) {
	i.Rig.TB.Helper()
	_, err := i.Store.Adjust(context.Background(), cache.AdjustRequest{
		ID:      fmt.Sprintf("count-%d", i.Rig.Ops.Add(1)),
		Changes: []cache.Change{{SKU: sku, Location: at, OnHand: &units}},
	})
	Must(i.Rig.TB, err)
}

// Order returns a request for units of one SKU, held for an hour.
func Order(id string, sku location.SKU, units int64) cache.ReserveRequest {
	return cache.ReserveRequest{ID: id, TTL: time.Hour, Lines: []cache.LineRequest{{Line: "1", SKU: sku, Quantity: units}}}
}

// Ret returns a request that returns units of reservation a to a location.
func Ret(id string, units int64, to location.ID) cache.ReturnRequest {
	return cache.ReturnRequest{ID: id, Reservation: "a", To: to, Lines: []cache.LineQuantity{{Line: "1", Quantity: units}}}
}

// Reserve reserves units of one SKU; it must succeed.
func (i *Instance) Reserve(id string, sku location.SKU, units int64) cache.Result {
	i.Rig.TB.Helper()
	result, err := i.Store.Reserve(context.Background(), Order(id, sku, units))
	Must(i.Rig.TB, err)
	return result
}

// ReserveUnasked is Reserve by a Store that cannot ask whether the ledger knows the id.
func (i *Instance) ReserveUnasked(id string, sku location.SKU, units int64) cache.Result {
	i.Rig.TB.Helper()
	store, err := cache.New(i.Client, cache.Options{})
	Must(i.Rig.TB, err)
	defer func() { Must(i.Rig.TB, store.Close(context.Background())) }()
	result, err := store.Reserve(context.Background(), Order(id, sku, units))
	Must(i.Rig.TB, err)
	return result
}

// Confirm confirms a reservation; the answer must be durable.
func (i *Instance) Confirm(id string) cache.Result {
	i.Rig.TB.Helper()
	result, err := i.Store.Confirm(context.Background(), cache.TransitionRequest{ID: id})
	if err != nil || !result.Durable || result.State != cache.StateConfirmed {
		i.Rig.TB.Fatalf("confirm %s: %+v, %v", id, result, err)
	}
	return result
}

// Available returns the available units of a SKU that has one level.
func (i *Instance) Available(sku location.SKU) int64 {
	i.Rig.TB.Helper()
	levels, err := i.Store.Levels(context.Background(), sku)
	if err != nil || len(levels) != 1 {
		i.Rig.TB.Fatal(levels, err)
	}
	return levels[0].Available
}

// Awaited waits until the given number of calls wait for a version of a reservation.
func (i *Instance) Awaited(id string, version int64, calls int) {
	i.Rig.TB.Helper()
	i.Rig.Await(fmt.Sprintf("%d calls wait for %s", calls, id), 2*time.Second, func() error {
		if n := i.Ledger.Waiting(id, version); n != calls {
			return fmt.Errorf("%d calls do", n)
		}
		return nil
	})
}
