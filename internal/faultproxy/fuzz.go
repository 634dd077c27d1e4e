package faultproxy

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/redistest"
)

// FuzzReplies is the frame of a fuzz test that replaces one reply of a Redis; the caller adds the seeds.
// It calls test with an empty server and a client with some options more. After test has called arm, the
// reply to the client after skip others is odd.
func FuzzReplies(f *testing.F, options redis.Options, test func(t *testing.T, server redistest.Engine, client *redis.Client, arm func())) {
	server := redistest.Engines(f)[0]
	proxy := New(f, server.Addr)
	options.Addr, options.MaxRetries, options.DialerRetries = proxy.Addr(), -1, 1
	options.Protocol, options.DisableIdentity, options.WriteTimeout = 2, true, time.Second
	f.Fuzz(func(t *testing.T, skip int, odd string) {
		if skip < 0 || skip > 1000 || strings.Contains(odd, "000000") {
			t.Skip() // a string or list of that length is more than the machine has
		}
		redistest.FailOnPanic(t)
		server.Flush(t)
		own := options
		client := redis.NewClient(&own)
		defer func() { _ = client.Close() }()
		test(t, server, client, func() { proxy.ReplaceReply(skip, []byte(odd)) })
	})
}
