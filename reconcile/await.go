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
		conn, id, err := open(ctx, client, prefix)
		if err == nil {
			conn.Close()
			if id.Epoch > before && !id.Closed() {
				return id.Epoch, nil
			}
		}
		if shard.Pause(ctx, retryFirst) != nil {
			return 0, fmt.Errorf("redis is not open again (epoch %d, gate %q): %w", id.Epoch, id.Gate, ctx.Err())
		}
	}
}
