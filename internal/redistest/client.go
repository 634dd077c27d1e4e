package redistest

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// clientTimeout bounds each dial, write and read of a client made here. It is generous, because other
// work may keep all processors busy. A test that wants a timeout passes a context with a deadline.
const clientTimeout = 20 * time.Second

// The client library writes to standard error. Everything that matters is also the error of a call.
func init() { logging.Disable() }

// Client returns a client of the server that never repeats a command and dials once, so that a test
// sees each failure. It is closed after the test.
func (s *Server) Client(tb testing.TB) *redis.Client {
	tb.Helper()
	client := redis.NewClient(options(s.Addr()).Simple())
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

// ClusterClient returns a cluster client that never repeats a command. It is closed after the test.
func (c *Cluster) ClusterClient(tb testing.TB) *redis.ClusterClient {
	tb.Helper()
	client := redis.NewClusterClient(options(c.Addr()).Cluster())
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

func options(addr string) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs:      []string{addr},
		MaxRetries: -1,
		// After a broken connection it is the redirects of a cluster client that repeat a command.
		// One node never redirects.
		MaxRedirects:             -1,
		DialerRetries:            1,
		DialTimeout:              clientTimeout,
		ReadTimeout:              clientTimeout,
		WriteTimeout:             clientTimeout,
		ContextTimeoutEnabled:    true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}
