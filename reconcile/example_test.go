package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/directory"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/memory"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

var (
	ctx    = context.Background()
	logger = slog.New(slog.NewTextHandler(io.Discard, nil))
)

// A checkout sells alongside `holdfast serve`, which applies the event stream to Postgres.
func Example() {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", MaxRetries: -1, Protocol: 2, ContextTimeoutEnabled: true})
	defer func() { _ = client.Close() }()
	ledger, err := postgres.Open("postgres://holdfast@127.0.0.1:5432/holdfast", postgres.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ledger.Close()
	store, err := cache.New(client, cache.Options{Ledger: ledger})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = store.Close(ctx) }()

	held, err := store.Reserve(ctx, cache.ReserveRequest{
		ID:    "ord-1001",
		Lines: []cache.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: 2}},
	})
	var short *cache.InsufficientError
	switch {
	case errors.As(err, &short):
		fmt.Println("only", short.Shortages[0].Available, "left")
		return
	case err != nil:
		fmt.Println(err) // the outcome may be unknown: repeat with the same ID
		return
	}
	paid, err := store.Confirm(ctx, cache.TransitionRequest{ID: held.ID})
	if err != nil {
		fmt.Println(err) // likewise
		return
	}
	fmt.Println(paid.State, paid.Durable)
}

// A checkout puts each version of the ledger's routing directory into use within a second.
func Example_directory() {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", MaxRetries: -1, Protocol: 2, ContextTimeoutEnabled: true})
	ledger, err := postgres.Open("postgres://holdfast@127.0.0.1:5432/holdfast", postgres.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}

	store, err := cache.New(client, cache.Options{Ledger: ledger, AwaitDirectory: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	follow := &directory.Follow{Directories: ledger, Use: store.Direct, Logger: logger}
	go follow.Run(ctx)
}

// A process that sells, reconciles and expires holds by itself needs no `holdfast serve`. With
// miniredis and a ledger in memory it needs no server at all: that is how to test a checkout.
func ExampleReconciler() {
	engine, err := miniredis.Run() // for real: any Redis from 7.0 on
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()
	client := redis.NewClient(&redis.Options{Addr: engine.Addr(), MaxRetries: -1, Protocol: 2, ContextTimeoutEnabled: true})
	defer func() { _ = client.Close() }()
	ledger := memory.New() // for real: postgres.Open
	store, err := cache.New(client, cache.Options{Ledger: ledger, Logger: logger})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = store.Close(ctx) }()

	running, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	loops, running := errgroup.WithContext(running)
	loops.Go(func() error {
		return (&reconcile.Reconciler{Client: client, Ledger: ledger, Logger: logger}).Run(running)
	})
	loops.Go(func() error { return (&reconcile.Sweeper{Store: store, Logger: logger}).Run(running) })
	for store.Ready(running) != nil && running.Err() == nil { // until the reconciler has opened it
		time.Sleep(10 * time.Millisecond)
	}

	five := int64(5)
	if _, err := store.Adjust(ctx, cache.AdjustRequest{
		ID:      "count-1",
		Changes: []cache.Change{{SKU: "TEE-M", Location: "berlin", OnHand: &five}},
	}); err != nil {
		fmt.Println(err)
		return
	}
	held, err := store.Reserve(ctx, cache.ReserveRequest{
		ID:    "ord-1001",
		Lines: []cache.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: 2}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	paid, err := store.Confirm(ctx, cache.TransitionRequest{ID: held.ID})
	fmt.Println(paid.State, "durable:", paid.Durable, err)

	stop()
	fmt.Println(loops.Wait())
	// Output:
	// confirmed durable: false <nil>
	// <nil>
}

// start runs everything in this process, with five TEE-M in Berlin.
func start() (client *redis.Client, ledger *memory.Ledger, end func()) {
	engine, err := miniredis.Run()
	if err != nil {
		log.Panic(err)
	}
	client = redis.NewClient(&redis.Options{Addr: engine.Addr(), MaxRetries: -1, Protocol: 2, ContextTimeoutEnabled: true})
	ledger = memory.New()
	store, err := cache.New(client, cache.Options{Ledger: ledger, Logger: logger})
	if err != nil {
		log.Panic(err)
	}
	running, stop := context.WithCancel(ctx)
	loops, running := errgroup.WithContext(running)
	loops.Go(func() error {
		return (&reconcile.Reconciler{Client: client, Ledger: ledger, Logger: logger}).Run(running)
	})
	for store.Ready(ctx) != nil {
		time.Sleep(10 * time.Millisecond)
	}
	five := int64(5)
	if _, err := store.Adjust(ctx, cache.AdjustRequest{
		ID:      "count-1",
		Changes: []cache.Change{{SKU: "TEE-M", Location: "berlin", OnHand: &five}},
	}); err != nil {
		log.Panic(err)
	}
	return client, ledger, func() {
		stop()
		_ = errors.Join(loops.Wait(), store.Close(ctx), client.Close())
		engine.Close()
	}
}

// An audit compares Redis with the ledger while sales go on, and repairs what is wrong in Redis.
func Example_audit() {
	client, records, end := start()
	defer end()

	// Somebody edits Redis by hand: five units too many.
	if err := client.HIncrBy(ctx, "{holdfast:0}:stock", "TEE-M\x1fberlin", 5).Err(); err != nil {
		fmt.Println(err)
		return
	}

	auditor := &audit.Auditor{Client: client, Ledger: records}
	for range 2 {
		done, err := auditor.Run(ctx, audit.Options{Repair: true, MaxUnits: 100, Actor: "ada"})
		if err != nil { // ErrTooMuch: nothing was repaired, and a person decides
			fmt.Println(err)
			return
		}
		fmt.Println("drift", done.Drift, "repaired", done.Repaired)
		findings, err := records.AuditFindings(ctx, done.ID, ledger.FindingFilter{}, 100)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, f := range findings {
			fmt.Println(f.Kind, f.SKU, f.Location, f.Units, f.State)
		}
	}
	// Output:
	// drift 0 repaired 1
	// counter_drift TEE-M berlin 5 repaired
	// drift 0 repaired 0
}
