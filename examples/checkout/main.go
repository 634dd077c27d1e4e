// Command checkout is a small checkout over package cache. It runs on an engine inside the process:
//
//	go run ./examples/checkout
//
// checkout.go is the part that a shop would copy. This file sets up an engine, a store and some orders.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run sells some orders and writes what happens to out.
func run(ctx context.Context, out io.Writer) error {
	engine, err := miniredis.Run() // in production: Redis 7.0 or newer
	if err != nil {
		return err
	}
	defer engine.Close()
	store, err := open(engine.Addr())
	if err != nil {
		return err
	}
	defer func() { _ = store.Close(ctx) }()
	if err := count(ctx, store); err != nil {
		return err
	}

	shop := &Checkout{Store: store, Payments: &cards{declined: "ord-3"}, Backoff: 50 * time.Millisecond}
	for _, order := range []struct {
		id       string
		quantity int64
	}{
		{"ord-1", 2},
		{"ord-1", 2}, // the same order again: the customer pressed the button twice
		{"ord-2", 2}, // one is left: nothing is taken
		{"ord-3", 1}, // the card is declined: the unit goes back
		{"ord-4", 1}, // so the next customer gets it
		{"ord-5", 1}, // sold out
	} {
		sold, err := shop.Place(ctx, order.id, []cache.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: order.quantity}})
		var short *cache.InsufficientError
		switch {
		case errors.As(err, &short):
			fmt.Fprintf(out, "%s: wants %d, only %d left\n", order.id, order.quantity, short.Shortages[0].Available)
		case err != nil:
			fmt.Fprintf(out, "%s: %v\n", order.id, err)
		default:
			fmt.Fprintf(out, "%s: %s, %d from %s\n", order.id, sold.State, sold.Lines[0].Quantity, sold.Lines[0].From[0].Location)
		}
	}
	return nil
}

// open makes a Store. The client must not retry by itself: it would send a script again whose answer
// was lost. The Store repeats calls where that is safe.
//
// This Store has no Ledger, so a sale is as safe as the engine. In production give Options a Ledger,
// and run `holdfast serve` or `holdfast reconcile run` on the same Redis and Postgres.
func open(address string) (*cache.Store, error) {
	client := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1, Protocol: 2, ContextTimeoutEnabled: true})
	return cache.New(client, cache.Options{})
}

// count records that there are three shirts in Berlin.
func count(ctx context.Context, store *cache.Store) error {
	three := int64(3)
	_, err := store.Adjust(ctx, cache.AdjustRequest{ID: "count-1", Changes: []cache.Change{
		{SKU: "TEE-M", Location: "berlin", OnHand: &three},
	}})
	return err
}

// cards are payments in memory. A real provider takes the order id as its idempotency key.
type cards struct {
	declined string // the order whose card is declined
	charges  map[string]int
}

func (c *cards) Charge(_ context.Context, order string) error {
	if order == c.declined {
		return errors.New("card expired")
	}
	if c.charges == nil {
		c.charges = map[string]int{}
	}
	c.charges[order] = 1 // charged once, however often it is asked for
	return nil
}

func (c *cards) Refund(_ context.Context, order string) error {
	delete(c.charges, order)
	return nil
}
