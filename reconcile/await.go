package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// AwaitOpen waits until Redis is open at an epoch later than before, and returns that.
func AwaitOpen(ctx context.Context, client redis.UniversalClient, prefix string, before uint64) (uint64, error) {
	for {
		id, err := identity(ctx, client, prefix)
		if err == nil && id.Epoch > before && !id.Closed() {
			return id.Epoch, nil
		}
		select {
		case <-time.After(retryFirst):
		case <-ctx.Done():
			return 0, fmt.Errorf("redis is not open again (epoch %d, gate %q): %w", id.Epoch, id.Gate, ctx.Err())
		}
	}
}

func identity(ctx context.Context, client redis.UniversalClient, prefix string) (cache.Identity, error) {
	shard, err := cache.OpenShard(ctx, client, prefix, 0)
	if err != nil {
		return cache.Identity{}, err
	}
	defer shard.Close()
	return shard.Inspect(ctx)
}

// CheckOlder refuses with ErrOlderLedger where the ledger lacks what Redis has, whether or not the gate was stopped for
// that yet: a rebuild would give it up.
func CheckOlder(ctx context.Context, client redis.UniversalClient, prefix string, l ledger.Ledger) error {
	shard, err := cache.OpenShard(ctx, client, prefix, 0)
	if err != nil {
		return err
	}
	defer shard.Close()
	seen, err := shard.Inspect(ctx)
	if err != nil {
		return err
	}
	first, err := shard.Entries(ctx, "-", 1)
	if err != nil {
		return err
	}
	at, _, err := l.Position(ctx) // read last: an applier can only move it on meanwhile
	if err != nil {
		return err
	}
	why, err := ledger.OlderThanRedis(ctx, shard, &seen, first, at.Position)
	if err == nil && why != "" {
		err = fmt.Errorf("%w: %s", ErrOlderLedger, why)
	}
	return err
}
