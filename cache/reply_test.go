package cache

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/faultproxy"
	"github.com/holdfast/holdfast/internal/redistest"
)

// FuzzReplies makes every call, and replaces one reply. No call may panic.
func FuzzReplies(f *testing.F) {
	for i, odd := range redistest.OddReplies {
		for skip := i % 9; skip < 60; skip += 9 { // a ninth of them for each reply
			f.Add(skip, odd)
		}
	}
	options := redis.Options{ReadTimeout: 50 * time.Millisecond, PoolSize: 1, ContextTimeoutEnabled: true}
	faultproxy.FuzzReplies(f, options, func(t *testing.T, _ redistest.Engine, client *redis.Client, arm func()) {
		b := newBench(t, client, Options{Prefix: "odd", Timeout: 200 * time.Millisecond, SoldOutCache: time.Second, Logger: quiet})
		arm()
		for _, at := range []string{"berlin", "lyon"} {
			_, _ = b.store.Adjust(b.ctx, AdjustRequest{ID: at, Changes: []Change{{SKU: "TEE", Location: "berlin", OnHand: units(3)}}})
		}
		_, _ = b.store.Reserve(b.ctx, order("many", "1:TEE:9"))
		_, _ = b.store.Reserve(b.ctx, order("more", "1:TEE:8"))
		for _, c := range everyCall {
			_ = c.when(b.store, b.ctx)
		}
	})
}
