package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Prefix is the beginning of every key of a run; nothing else uses it.
const Prefix = "holdfast-bench"

const (
	tag      = "{" + Prefix + ":0}:" // of all keys of all contenders: one hash slot, as the Store does
	claimKey = Prefix + "-claim"     // says that a run is on

	claimFor   = 15 * time.Second // after which a run that was killed is no run any more
	claimEvery = 5 * time.Second
	freePoll   = 5 * time.Millisecond
	scanCount  = 1000
)

// ErrInUse says that another run is on.
var ErrInUse = errors.New("another holdfast bench uses this Redis or this database; " +
	"where that was killed, wait 15 seconds")

// claimRedis takes the prefix until release, and removes what a run that was killed has left.
func claimRedis(ctx context.Context, client *redis.Client) (release func(context.Context) error, err error) {
	free, err := client.SetNX(ctx, claimKey, "1", claimFor).Result()
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	if !free {
		return nil, ErrInUse
	}
	holding, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(claimEvery); ; {
			select {
			case <-tick.C:
				_ = client.Expire(holding, claimKey, claimFor).Err() // two more tries before it is lost
			case <-holding.Done():
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

// sweepRedis removes every key of a run.
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

// awaitFreed waits until Redis has given the memory of removed keys free, which it does in the
// background.
func awaitFreed(ctx context.Context, client *redis.Client) error {
	for {
		info, err := readInfo(ctx, client)
		if err != nil || info.pending == 0 {
			return err
		}
		select {
		case <-time.After(freePoll):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
