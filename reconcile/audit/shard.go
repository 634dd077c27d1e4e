package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/shard"
)

const (
	redisTimeout  = 5 * time.Second        // of one call to Redis
	retryInterval = 100 * time.Millisecond // before a failed call, and before undecided findings are checked again
	stallTimeout  = 30 * time.Second       // without progress: no reconciler runs, or Redis is down
)

// passing are the failures after which onShard connects and calls again.
var passing = []error{
	cache.ErrUnavailable, shard.ErrFenced, cache.ErrRebuilding, shard.ErrStopped, cache.ErrNotDurable,
}

// onShard returns the result of f, which it calls with a connection whose scripts are loaded. It
// repeats f after a failure that may pass, so f must be safe to repeat. It fails with ErrStalled
// after stallTimeout.
func onShard[T any](ctx context.Context, r *run, f func(*shard.Conn, context.Context) (T, error)) (result T, err error) {
	for since := time.Now(); ; {
		if err = r.connect(ctx); err == nil {
			limited, cancel := context.WithTimeout(ctx, redisTimeout)
			result, err = f(r.shard, limited)
			cancel()
		}
		switch {
		case err == nil:
			return result, nil
		case ctx.Err() != nil:
			return result, ctx.Err()
		case !slices.ContainsFunc(passing, func(target error) bool { return errors.Is(err, target) }):
			return result, err
		case time.Since(since) > stallTimeout:
			return result, stalled("Redis is up and "+reconciling, err)
		}
		r.disconnect()
		if err := shard.Pause(ctx, retryInterval); err != nil {
			return result, err
		}
	}
}

const reconciling = "`holdfast serve` or `holdfast reconcile run` is running"

// stalled wraps why in ErrStalled, and says what to check.
func stalled(check string, why error) error {
	return fmt.Errorf("%w for %v: check that %s: %w", ErrStalled, stallTimeout, check, why)
}

func (r *run) connect(ctx context.Context) error {
	if r.shard != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	shard, err := shard.Open(ctx, r.auditor.Client, r.auditor.prefix(), 0)
	if err != nil {
		return err
	}
	if err := shard.LoadKnown(ctx, r.ledger); err != nil {
		shard.Close()
		return err
	}
	r.shard = shard
	return nil
}

func (r *run) disconnect() {
	if r.shard != nil {
		r.shard.Close()
		r.shard = nil
	}
}

// scan reads a part of Redis in pages. It reads each name at least once that is there all the
// while.
func (r *run) scan(ctx context.Context, part shard.Part, take func(context.Context, []shard.Field) error) error {
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		fields, err := onShard(ctx, r, func(s *shard.Conn, ctx context.Context) (list []shard.Field, err error) {
			var next uint64
			if list, next, err = s.Scan(ctx, part, cursor, int64(r.page)); err == nil {
				cursor = next
			}
			return list, err
		})
		if err != nil {
			return err
		}
		for page := range slices.Chunk(fields, r.page) {
			if err := take(ctx, page); err != nil {
				return err
			}
		}
		if part != shard.PartStock && part != shard.PartReservations { // other passes report these
			r.progress(len(fields))
		}
	}
	return nil
}
