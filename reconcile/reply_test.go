package reconcile_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
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
	server := redistest.Engines(f)[0]
	proxy := faultproxy.New(f, server.Addr)
	for i, odd := range redistest.OddReplies {
		f.Add(2*i, odd)
	}
	f.Fuzz(func(t *testing.T, skip int, odd string) {
		if skip < 0 || skip > 1000 || strings.Contains(odd, "000000") {
			t.Skip() // a string or list of that length is more than the machine has
		}
		redistest.FailOnPanic(t)
		server.Flush(t)
		client := redis.NewClient(&redis.Options{
			Addr: proxy.Addr(), MaxRetries: -1, Protocol: 2, DisableIdentity: true, DialerRetries: 1,
			ReadTimeout: time.Second, WriteTimeout: time.Second, ContextTimeoutEnabled: true,
		})
		defer func() { _ = client.Close() }()
		quiet := slog.New(slog.DiscardHandler)
		ledger := memory.New()
		store, err := cache.New(server.Client, cache.Options{Ledger: ledger, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		proxy.ReplaceReply(skip, []byte(odd))
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
