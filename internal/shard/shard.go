package shard

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"

	"github.com/holdfast/holdfast/internal/wire"
)

// hot runs the scripts of one shard for many callers. It finds the primary, keeps the scripts of the
// current epoch loaded, and gathers requests into batches. It is safe for concurrent use.
type Shard struct {
	// Clock gives the scripts their time, Unix ms; "" leaves it to Redis. Tests set it.
	Clock func() string

	client      redis.UniversalClient
	config      Config
	Keys        wire.Keys
	verbKeys    map[wire.Verb][]string
	queues      map[wire.Verb]*queue
	generation  atomic.Pointer[generation]
	loading     singleflight.Group
	loadFailure atomic.Pointer[loadFailure]
}

// hotConfig says how a shard is reached and used. All fields but Ledger and Batched are required.
type Config struct {
	Client redis.UniversalClient // *redis.Client or *redis.ClusterClient, which must not retry
	Prefix string                // of the keys
	Number int                   // of the shard
	Verbs  []wire.Verb           // that are gathered into batches

	Ledger  Loader        // says whose data Redis must have; nil: Redis alone says its epoch
	Timeout time.Duration // of one batch, retries included

	BatchMax    int // requests in one batch
	InFlightMax int // batches of one verb under way at once
	QueueMax    int // requests of one verb that may wait

	Batched func(verb wire.Verb, size int, elapsed time.Duration) // told of each batch; may be nil
	Logger  *slog.Logger
}

// newHot makes a shard. It does no I/O: the first call finds Redis, or returns errUnavailable.
func New(c Config) *Shard {
	s := &Shard{
		Clock: func() string { return "" }, client: c.Client, config: c, Keys: wire.KeysOf(c.Prefix, c.Number),
		verbKeys: make(map[wire.Verb][]string), queues: make(map[wire.Verb]*queue),
	}
	for _, verb := range wire.Verbs {
		s.verbKeys[verb] = s.Keys.Of(verb)
	}
	for _, verb := range c.Verbs {
		s.queues[verb] = newQueue(s, verb)
	}
	return s
}

// Do sends a request with the next batch of its verb and returns the answer.
func (s *Shard) Do(ctx context.Context, verb wire.Verb, r Request) Answer {
	return s.queues[verb].do(ctx, r)
}

// Now is the time for a script, or "".
func (s *Shard) Now() string { return s.Clock() }

// Node is the primary that holds the keys.
func (s *Shard) Node(ctx context.Context) (*redis.Client, error) {
	return primaryOf(ctx, s.client, s.Keys)
}

// primaryOf is the primary that holds keys.
func primaryOf(ctx context.Context, client redis.UniversalClient, k wire.Keys) (*redis.Client, error) {
	switch c := client.(type) {
	case *redis.Client:
		return c, nil
	case *redis.ClusterClient:
		return c.MasterForKey(ctx, k.Stock)
	default:
		return nil, fmt.Errorf("client of type %T", client)
	}
}

// Close finishes what is in flight and what waits, then refuses everything with errClosed. It returns
// when that is done or ctx ends.
func (s *Shard) Close(ctx context.Context) error {
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

// Depth counts the requests of a verb that wait, and its batches in flight.
func (s *Shard) Depth(verb wire.Verb) (waiting, inFlight int) {
	if q := s.queues[verb]; q != nil {
		return q.depth()
	}
	return 0, 0
}

// RunBatch sends requests in one script call, past the queue, and returns their answers. Tests use it to
// say what a batch holds.
func (s *Shard) RunBatch(ctx context.Context, verb wire.Verb, requests ...Request) ([]Answer, error) {
	if _, err := s.current(ctx); err != nil {
		return nil, err
	}
	b := newBatch(len(requests))
	for _, r := range requests {
		b.pending = append(b.pending, &pending{ctx: ctx, request: r})
	}
	err := s.run(verb, b)
	return b.answers, err
}

// Postpone makes the last batch of a verb seem sent by so much later. Tests use it to keep a batch that
// they hold from being taken for late.
func (s *Shard) Postpone(verb wire.Verb, by time.Duration) {
	q := s.queues[verb]
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sent = q.sent.Add(by)
}
