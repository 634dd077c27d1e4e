package cache_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
)

// A checkout: stock is counted, an order reserves, pays, and the next one is told what is left.
func Example() {
	engine, err := miniredis.Run() // any Redis from 7.0 on; this one is inside the process
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()
	client := redis.NewClient(&redis.Options{Addr: engine.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true})
	defer func() { _ = client.Close() }()
	ctx := context.Background()
	store, err := cache.New(client, cache.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = store.Close(ctx) }()

	five := int64(5)
	if _, err := store.Adjust(ctx, cache.AdjustRequest{ID: "count-1", Changes: []cache.Change{
		{SKU: "TEE-M", Location: "berlin", OnHand: &five},
	}}); err != nil {
		fmt.Println(err)
		return
	}
	res, err := store.Reserve(ctx, cache.ReserveRequest{
		ID: "ord-1001", Lines: []cache.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: 2}},
	})
	fmt.Println(res.State, res.Lines[0].From, err)
	res, err = store.Confirm(ctx, cache.TransitionRequest{ID: "ord-1001"})
	fmt.Println(res.State, err)

	_, err = store.Reserve(ctx, cache.ReserveRequest{
		ID: "ord-1002", Lines: []cache.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: 4}},
	})
	var short *cache.InsufficientError
	if errors.As(err, &short) {
		fmt.Println("only", short.Shortages[0].Available, "left")
	}
	// Output:
	// held [{berlin 2}] <nil>
	// confirmed <nil>
	// only 3 left
}
