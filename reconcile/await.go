package reconcile

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/shard"
)

// AwaitOpen waits until Redis is open at an epoch later than before, and returns that epoch. If ctx
// ends first, the error names the epoch and the gate it saw last.
func AwaitOpen(ctx context.Context, client redis.UniversalClient, prefix string, before uint64) (uint64, error) {
	for {
		id, err := inspect(ctx, client, prefix)
		if err == nil && id.Epoch > before && !id.Closed() {
			return id.Epoch, nil
		}
		if shard.Pause(ctx, retryFirst) != nil {
			return 0, fmt.Errorf("redis is not open again (epoch %d, gate %q): %w", id.Epoch, id.Gate, ctx.Err())
		}
	}
}

func inspect(ctx context.Context, client redis.UniversalClient, prefix string) (shard.Identity, error) {
	conn, err := shard.Open(ctx, client, prefix, 0)
	if err != nil {
		return shard.Identity{}, err
	}
	defer conn.Close()
	return conn.Inspect(ctx)
}
