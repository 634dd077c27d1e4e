package redistest

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// clientTimeout bounds a call of a client made here: dialing, writing and reading, each.
const clientTimeout = 500 * time.Millisecond

// Client makes a client of the server that never repeats a command and dials once, so that a test
// sees each failure as it was. It is closed with the test.
func (s *Server) Client(tb testing.TB) *redis.Client {
	tb.Helper()
	client := redis.NewClient(options(s.Addr()))
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

func options(addr string) *redis.Options {
	return &redis.Options{
		Addr:                     addr,
		MaxRetries:               -1,
		DialerRetries:            1,
		DialTimeout:              clientTimeout,
		ReadTimeout:              clientTimeout,
		WriteTimeout:             clientTimeout,
		ContextTimeoutEnabled:    true,
		MaintNotificationsConfig: notificationsOff(),
	}
}

func clusterOptions(addr string) *redis.ClusterOptions {
	return &redis.ClusterOptions{
		Addrs:      []string{addr},
		MaxRetries: -1,
		// In a cluster client it is the redirects that repeat a command after a broken
		// connection. One node never redirects.
		MaxRedirects:             -1,
		DialerRetries:            1,
		DialTimeout:              clientTimeout,
		ReadTimeout:              clientTimeout,
		WriteTimeout:             clientTimeout,
		ContextTimeoutEnabled:    true,
		MaintNotificationsConfig: notificationsOff(),
	}
}

func notificationsOff() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
