package cache

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/faultproxy"
	"github.com/holdfast/holdfast/internal/redistest"
)

// FuzzReplies makes every call, and replaces one reply. No call may panic.
func FuzzReplies(f *testing.F) {
	server := redistest.Engines(f)[0]
	proxy := faultproxy.New(f, server.Addr)
	for i, odd := range redistest.OddReplies {
		for skip := i % 9; skip < 60; skip += 9 { // a ninth of them for each reply
			f.Add(skip, odd)
		}
	}
	f.Fuzz(func(t *testing.T, skip int, odd string) {
		if skip < 0 || skip > 1000 || strings.Contains(odd, "000000") {
			t.Skip() // a string or list of that length is more than the machine has
		}
		redistest.FailOnPanic(t)
		server.Flush(t)
		client := redis.NewClient(&redis.Options{
			Addr: proxy.Addr(), MaxRetries: -1, Protocol: 2, DisableIdentity: true, DialerRetries: 1, PoolSize: 1,
			ReadTimeout: 50 * time.Millisecond, WriteTimeout: time.Second, ContextTimeoutEnabled: true,
		})
		defer func() { _ = client.Close() }()
		b := newBench(t, client, Options{Prefix: "odd", Timeout: 200 * time.Millisecond, SoldOutCache: time.Second, Logger: quiet})
		proxy.ReplaceReply(skip, []byte(odd))
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
