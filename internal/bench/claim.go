package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Prefix begins every key of a run. Nothing else uses it.
const Prefix = "holdfast-bench"

const (
	tag      = "{" + Prefix + ":0}:" // of the keys of all contenders: one hash slot, as in a Store
	claimKey = Prefix + "-claim"     // exists during a run

	claimTTL   = 15 * time.Second // then the claim of a killed run ends
	claimRenew = 5 * time.Second
	pollEvery  = 5 * time.Millisecond
	scanCount  = 1000
)

// ErrInUse reports that another run is in progress.
var ErrInUse = errors.New("another holdfast bench is using this Redis or this database: " +
	"wait until it ends, or for 15 seconds if it was killed")

// claimRedis claims the prefix until release, which also removes every key of the run.
func claimRedis(ctx context.Context, client *redis.Client) (release func(context.Context) error, err error) {
	free, err := client.SetNX(ctx, claimKey, "1", claimTTL).Result()
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	if !free {
		return nil, ErrInUse
	}
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(claimRenew); ; {
			select {
			case <-tick.C:
				_ = client.Expire(renewing, claimKey, claimTTL).Err() // two more tries before the claim ends
			case <-renewing.Done():
				tick.Stop()
				return
			}
		}
	}()
	return func(ctx context.Context) error {
		stop()
		<-ended
		return errors.Join(sweepRedis(ctx, client), client.Del(ctx, claimKey).Err())
	}, nil
}

// sweepRedis removes every key of a run, also those that a killed run left behind.
func sweepRedis(ctx context.Context, client *redis.Client) error {
	for cursor := uint64(0); ; {
		keys, next, err := client.Scan(ctx, cursor, tag+"*", scanCount).Result()
		if err == nil && len(keys) > 0 {
			err = client.Unlink(ctx, keys...).Err()
		}
		if err != nil {
			return fmt.Errorf("remove the keys that begin with %s: %w", tag, err)
		}
		if next == 0 {
			return nil
		}
		cursor = next
	}
}

// awaitFreed waits until Redis has freed the memory of removed keys, which it does in the
// background.
func awaitFreed(ctx context.Context, client *redis.Client) error {
	return poll(ctx, func() (bool, error) {
		usage, err := readRedisUsage(ctx, client)
		return usage.pending == 0, err
	})
}

// poll calls done until it is true or fails.
func poll(ctx context.Context, done func() (bool, error)) error {
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
