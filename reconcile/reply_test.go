package reconcile_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/faultproxy"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger/memory"
)

// FuzzReplies replaces one reply to a reconciler or an audit. Neither may panic, and both go on: what is sold
// afterwards is durable.
func FuzzReplies(f *testing.F) {
	for i, odd := range redistest.OddReplies {
		f.Add(2*i, odd)
	}
	options := redis.Options{ReadTimeout: time.Second, ContextTimeoutEnabled: true}
	faultproxy.FuzzReplies(f, options, func(t *testing.T, server redistest.Engine, client *redis.Client, arm func()) {
		quiet := slog.New(slog.DiscardHandler)
		ledger := memory.New()
		store, err := cache.New(server.Client, cache.Options{Ledger: ledger, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		arm()
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = (&reconcile.Reconciler{Client: client, Ledger: ledger, Logger: quiet}).Run(ctx) })
		units := int64(9)
		durable(t, func() error {
			_, err := store.Adjust(ctx, cache.AdjustRequest{ID: "count", Changes: []cache.Change{{SKU: "TEE", Location: "berlin", OnHand: &units}}})
			return err
		})
		_, _ = (&audit.Auditor{Client: client, Ledger: ledger}).Run(ctx, audit.Options{})
		durable(t, func() error {
			r := cache.ReserveRequest{ID: "sold", Lines: []cache.LineRequest{{Line: "1", SKU: "TEE", Quantity: 1}}}
			if _, err := store.Reserve(ctx, r); err != nil {
				return err
			}
			_, err := store.Confirm(ctx, cache.TransitionRequest{ID: "sold"})
			return err
		})
		stop()
		running.Wait()
		if err := store.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// durable repeats a call until it succeeds.
func durable(t *testing.T, call func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if err = call(); err == nil {
			return
		}
	}
	t.Fatal(fmt.Errorf("does not go on: %w", err))
}
