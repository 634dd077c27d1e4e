package cache_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

var ctx = context.Background()

// newStore returns a Store on an in-process Redis, with five TEE-M in Berlin.
func newStore() (store *cache.Store, end func()) {
	engine, err := miniredis.Run() // use any Redis from 7.0 on; this one runs inside the process
	if err != nil {
		log.Panic(err)
	}
	client := redis.NewClient(&redis.Options{Addr: engine.Addr(), MaxRetries: -1, Protocol: 2, ContextTimeoutEnabled: true})
	if store, err = cache.New(client, cache.Options{Timeout: time.Minute}); err != nil { // however busy the machine is
		log.Panic(err)
	}
	five := int64(5)
	if _, err := store.Adjust(ctx, cache.AdjustRequest{
		ID:      "count-1",
		Changes: []cache.Change{{SKU: "TEE-M", Location: "berlin", OnHand: &five}},
	}); err != nil {
		log.Panic(err)
	}
	return store, func() { _ = errors.Join(store.Close(ctx), client.Close()); engine.Close() }
}

// A checkout reserves two shirts when the customer begins to pay, and confirms when the payment
// arrives.
func ExampleStore_Reserve() {
	store, end := newStore()
	defer end()

	held, err := store.Reserve(ctx, cache.ReserveRequest{
		ID:    "ord-1001",
		Lines: []cache.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: 2}},
		TTL:   10 * time.Minute,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(held.State, held.Lines[0].From)

	paid, err := store.Confirm(ctx, cache.TransitionRequest{ID: held.ID})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(paid.State, "version", paid.Version)
	// Output:
	// held [{berlin 2}]
	// confirmed version 2
}

// A refusal lists every short line and takes no units.
func ExampleInsufficientError() {
	store, end := newStore()
	defer end()

	_, err := store.Reserve(ctx, cache.ReserveRequest{
		ID:    "ord-1002",
		Lines: []cache.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: 6}},
	})
	var short *cache.InsufficientError
	switch {
	case errors.As(err, &short):
		for _, s := range short.Shortages {
			fmt.Printf("line %s: %d of %s wanted, %d left\n", s.Line, s.Requested, s.SKU, s.Available)
		}
	case err != nil:
		fmt.Println(err)
	}
	// Output:
	// line 1: 6 of TEE-M wanted, 5 left
}

// Repeat a call whose outcome is unknown with the same ID. The units move once.
func ExampleStore_Reserve_retry() {
	store, end := newStore()
	defer end()

	reserve := func(r cache.ReserveRequest) (cache.Result, error) {
		for wait := 50 * time.Millisecond; ; wait *= 2 {
			result, err := store.Reserve(ctx, r)
			again := errors.Is(err, cache.ErrUnavailable) || errors.Is(err, cache.ErrRebuilding) ||
				errors.Is(err, cache.ErrBacklogFull) || errors.Is(err, cache.ErrNotDurable)
			if !again || wait > time.Second {
				return result, err
			}
			time.Sleep(wait)
		}
	}
	request := cache.ReserveRequest{
		ID:    "ord-1001", // chosen once for the order; a retry sends the same one
		Lines: []cache.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: 2}},
	}
	first, err := reserve(request)
	fmt.Println(first.State, first.Replay, err)
	second, err := reserve(request) // as if the first reply had been lost
	fmt.Println(second.State, second.Replay, err)

	levels, err := store.Levels(ctx, "TEE-M")
	fmt.Println(levels[0].Available, "left", err)
	// Output:
	// held false <nil>
	// held true <nil>
	// 3 left <nil>
}

// Release gives units back to sale: all of a reservation, or some of its lines.
func ExampleStore_Release() {
	store, end := newStore()
	defer end()

	held, err := store.Reserve(ctx, cache.ReserveRequest{
		ID:    "ord-1001",
		Lines: []cache.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: 3}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	part, err := store.Release(ctx, cache.TransitionRequest{
		ID:      held.ID,
		Version: held.Version, // or Operation, an id: required with Lines, so that a repeat is recognised
		Lines:   []cache.LineQuantity{{Line: "1", Quantity: 1}},
	})
	fmt.Println(part.State, part.Lines[0].Quantity, "left", err)

	all, err := store.Release(ctx, cache.TransitionRequest{ID: held.ID})
	fmt.Println(all.State, err)
	// Output:
	// held 2 left <nil>
	// released <nil>
}

// A customer changes an order: one shirt fewer of one line, and a line more.
func ExampleStore_Amend() {
	store, end := newStore()
	defer end()

	held, err := store.Reserve(ctx, cache.ReserveRequest{
		ID:    "ord-1006",
		Lines: []cache.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: 2}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	change := cache.AmendRequest{ID: held.ID, Operation: "chg-1", Lines: []cache.LineAmendment{
		{Line: "1", Quantity: 1},
		{Line: "2", SKU: "TEE-M", Quantity: 3},
	}}
	amended, err := store.Amend(ctx, change)
	fmt.Println(amended.Lines[0].Quantity, amended.Lines[1].Quantity, err)

	change.Operation, change.Lines = "chg-2", []cache.LineAmendment{{Line: "2", Quantity: 5}}
	_, err = store.Amend(ctx, change)
	fmt.Println(err)
	// Output:
	// 1 3 <nil>
	// insufficient stock: line 2: TEE-M: 5 requested, 4 available
}

// A routing directory says which locations may serve an order, and in which order they are tried.
func ExampleStore_Direct() {
	store, end := newStore()
	defer end()

	nine := int64(9)
	if _, err := store.Adjust(ctx, cache.AdjustRequest{
		ID:      "count-2",
		Changes: []cache.Change{{SKU: "TEE-M", Location: "lyon", OnHand: &nine}},
	}); err != nil {
		fmt.Println(err)
		return
	}
	rules, err := location.Compile(location.Directory{
		Locations: []location.Location{
			{ID: "berlin", Country: "DE", Zones: []string{"dach"}},
			{ID: "lyon", Country: "FR", Zones: []string{"dach", "west"}},
		},
		Zones: []location.Zone{
			{ID: "dach", Countries: []string{"DE", "AT", "CH"}},
			{ID: "west", Countries: []string{"FR", "BE"}},
		},
		Channels: []location.SalesChannel{{
			ID: "web", Default: true,
			Locations: []location.ID{"lyon", "berlin"},
			Rank:      []location.Rank{location.RankSameCountry},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	store.Direct(rules)

	for _, country := range []string{"DE", "FR", "US"} {
		held, err := store.Reserve(ctx, cache.ReserveRequest{
			ID:     "ord-" + country,
			ShipTo: &location.Address{Country: country},
			Lines:  []cache.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: 1}},
		})
		switch {
		case errors.Is(err, cache.ErrNoLocation):
			fmt.Println(country, "no location ships there")
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Println(country, held.Lines[0].From[0].Location)
		}
	}
	// Output:
	// DE berlin
	// FR lyon
	// US no location ships there
}

// A count says how many units are there; an adjustment adds or takes some.
func ExampleStore_Adjust() {
	store, end := newStore()
	defer end()

	counted, spare, broken := int64(40), int64(2), int64(-1)
	result, err := store.Adjust(ctx, cache.AdjustRequest{
		ID:     "count-2026-11-20",
		Reason: "stocktaking",
		Actor:  "ada",
		Changes: []cache.Change{
			{SKU: "TEE-M", Location: "berlin", OnHand: &counted, SafetyStock: &spare},
			{SKU: "CAP", Location: "berlin", OnHand: &counted},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range result.Levels {
		fmt.Println(l.SKU, "on hand", l.OnHand, "available", l.Available)
	}

	result, err = store.Adjust(ctx, cache.AdjustRequest{
		ID:      "broken-77",
		Changes: []cache.Change{{SKU: "CAP", Location: "berlin", Delta: &broken}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Levels[0].SKU, "on hand", result.Levels[0].OnHand)
	// Output:
	// TEE-M on hand 40 available 38
	// CAP on hand 40 available 40
	// CAP on hand 39
}
