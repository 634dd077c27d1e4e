package main

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/holdfast/holdfast/cache"
)

func Example() {
	if err := run(context.Background(), os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// ord-1: confirmed, 2 from berlin
	// ord-1: confirmed, 2 from berlin
	// ord-2: wants 2, only 1 left
	// ord-3: the payment was declined: card expired
	// ord-4: confirmed, 1 from berlin
	// ord-5: wants 1, only 0 left
}

// newShop is a checkout with three shirts to sell.
func newShop(t *testing.T) (*Checkout, *cards, *miniredis.Miniredis) {
	t.Helper()
	engine := miniredis.RunT(t)
	store, err := open(engine.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close(context.Background()) })
	if err := count(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	payments := &cards{}
	return &Checkout{Store: store, Payments: payments, Backoff: time.Millisecond}, payments, engine
}

var twoShirts = []cache.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: 2}}

func available(t *testing.T, c *Checkout) int64 {
	t.Helper()
	levels, err := c.Store.Levels(t.Context(), "TEE-M")
	if err != nil {
		t.Fatal(err)
	}
	return levels[0].Available
}

// duringPayment runs something while the customer pays.
type duringPayment struct {
	Payments
	do func()
}

func (p *duringPayment) Charge(ctx context.Context, order string) error {
	err := p.Payments.Charge(ctx, order)
	p.do()
	return err
}

func TestPlace_RepeatsACallThatRedisRefused(t *testing.T) {
	shop, _, engine := newShop(t)
	engine.SetError("LOADING Redis is loading the dataset in memory")
	if _, err := shop.Place(t.Context(), "ord-1", twoShirts); !errors.Is(err, cache.ErrUnavailable) {
		t.Fatalf("got %v while Redis was loading, want ErrUnavailable", err)
	}
	engine.SetError("")
	if sold, err := shop.Place(t.Context(), "ord-1", twoShirts); err != nil || sold.State != cache.StateConfirmed {
		t.Fatalf("got %q, %v after Redis came back", sold.State, err)
	}
	if units := available(t, shop); units != 1 {
		t.Errorf("%d available, want 1", units)
	}
}

func TestPlace_TakesALostHoldAgain(t *testing.T) {
	shop, payments, engine := newShop(t)
	shop.Payments = &duringPayment{payments, func() { // what a crash of Redis does to a hold
		engine.HDel("{holdfast:0}:reservations", "ord-1")
		if _, err := engine.HIncrBy("{holdfast:0}:stock", "TEE-M\x1fberlin", 2); err != nil {
			t.Error(err)
		}
	}}
	if sold, err := shop.Place(t.Context(), "ord-1", twoShirts); err != nil || sold.State != cache.StateConfirmed {
		t.Fatalf("got %q, %v", sold.State, err)
	}
	if units := available(t, shop); units != 1 {
		t.Errorf("%d available, want 1", units)
	}
}

func TestPlace_RefundsIfTheUnitsAreGone(t *testing.T) {
	shop, payments, engine := newShop(t)
	shop.Payments = &duringPayment{payments, func() { // the customer takes eleven minutes, and another one buys
		engine.SetTime(time.Now().Add(11 * time.Minute))
		_, err := shop.Store.Reserve(t.Context(), cache.ReserveRequest{ID: "ord-2", Lines: twoShirts})
		if err != nil {
			t.Error(err)
		}
	}}
	if _, err := shop.Place(t.Context(), "ord-1", twoShirts); !errors.Is(err, ErrRefunded) {
		t.Fatalf("got %v, want ErrRefunded", err)
	}
	if payments.charges["ord-1"] != 0 {
		t.Error("the customer was not refunded")
	}
}
