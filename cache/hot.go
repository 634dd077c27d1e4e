package cache

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"
)

// hot runs the scripts of one shard for many callers. It finds the primary, keeps the scripts of the
// current epoch loaded, and gathers requests into batches. It is safe for concurrent use.
type hot struct {
	// Clock gives the scripts their time, Unix ms; "" leaves it to Redis. Tests set it.
	Clock func() string

	client      redis.UniversalClient
	config      hotConfig
	keys        keys
	verbKeys    map[verbT][]string
	queues      map[verbT]*queue
	generation  atomic.Pointer[generation]
	loading     singleflight.Group
	loadFailure atomic.Pointer[loadFailure]
}

// hotConfig says how a shard is reached and used. All fields but Ledger and Batched are required.
type hotConfig struct {
	Client redis.UniversalClient // *redis.Client or *redis.ClusterClient, which must not retry
	Prefix string                // of the keys
	Number int                   // of the shard
	Verbs  []verbT               // that are gathered into batches

	Ledger  Loader        // says whose data Redis must have; nil: Redis alone says its epoch
	Timeout time.Duration // of one batch, retries included

	BatchMax    int // requests in one batch
	InFlightMax int // batches of one verb under way at once
	QueueMax    int // requests of one verb that may wait

	Batched func(verb verbT, size int, elapsed time.Duration) // told of each batch; may be nil
	Logger  *slog.Logger
}

// newHot makes a shard. It does no I/O: the first call finds Redis, or returns errUnavailable.
func newHot(c hotConfig) *hot {
	s := &hot{
		Clock: func() string { return "" }, client: c.Client, config: c, keys: keysOf(c.Prefix, c.Number),
		verbKeys: make(map[verbT][]string), queues: make(map[verbT]*queue),
	}
	for _, verb := range verbsT {
		s.verbKeys[verb] = s.keys.of(verb)
	}
	for _, verb := range c.Verbs {
		s.queues[verb] = newQueue(s, verb)
	}
	return s
}

// do sends a request with the next batch of its verb and returns the answer.
func (s *hot) do(ctx context.Context, verb verbT, r request) answer { return s.queues[verb].do(ctx, r) }

// now is the time for a script, or "".
func (s *hot) now() string { return s.Clock() }

// close finishes what is in flight and what waits, then refuses everything with errClosed. It returns
// when that is done or ctx ends.
func (s *hot) close(ctx context.Context) error {
	done := make(chan struct{})
	for _, q := range s.queues {
		q.close()
	}
	go func() {
		for _, q := range s.queues {
			q.workers.Wait()
		}
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close: %w", ctx.Err())
	}
}

// depth counts the requests of a verb that wait, and its batches in flight.
func (s *hot) depth(verb verbT) (waiting, inFlight int) {
	if q := s.queues[verb]; q != nil {
		return q.depth()
	}
	return 0, 0
}
