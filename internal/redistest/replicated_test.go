package redistest

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/testserver"
)

func TestReplicated(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *Replicated{
		"cluster":   func(tb testing.TB) *Replicated { return StartReplicatedCluster(tb, "key") },
		"sentinels": StartSentinels,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			replica := r.Replica.Client(t)
			_, err := r.Primary.Client(t).Pipelined(t.Context(), func(pipe redis.Pipeliner) error {
				pipe.Set(t.Context(), "key", 1, 0)
				pipe.Do(t.Context(), "wait", 1, testserver.Timeout.Milliseconds())
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			r.Primary.Kill()
			r.AwaitPromotion(t)
			awaitDone(t, "it takes writes", func(ctx context.Context) error { return replica.Incr(ctx, "key").Err() })
			if n, err := replica.Get(t.Context(), "key").Int(); n != 2 {
				t.Error(n, err)
			}
		})
	}
}
