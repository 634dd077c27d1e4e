package shard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"

	"github.com/holdfast/holdfast/internal/wire"
)

// Shard runs the scripts of one shard for many callers. It finds the primary, keeps the scripts of
// the current epoch loaded, and gathers requests into batches. It is safe for concurrent use. The
// reconciler uses a Conn instead.
type Shard struct {
	// Clock returns the time for the scripts, Unix ms, or "" for the Redis clock. Tests set it.
	Clock func() string
	// Now returns the time that a NotAfter is compared with. Tests set it.
	Now  func() time.Time
	Keys wire.Keys

	client      redis.UniversalClient
	config      Config
	verbKeys    map[wire.Verb][]string
	queues      map[wire.Verb]*queue
	generation  atomic.Pointer[generation]
	loading     singleflight.Group
	loadFailure atomic.Pointer[loadFailure]
	refusing    atomic.Pointer[refusing]

	newest    atomic.Uint64   // the ledger's epoch, as it was read last
	open      context.Context // ends with Close
	close     context.CancelFunc
	following sync.WaitGroup
}

// refusing is what a Redis refuses.
type refusing struct {
	verb wire.Verb // the first that was refused
	code string
}

// logRefusal logs when Redis begins to refuse a verb, and when it takes that verb again. It logs
// nothing for the other verbs that Redis refuses for the same reason.
func (s *Shard) logRefusal(verb wire.Verb, err error) {
	code, known := refusalCode(err), s.refusing.Load()
	switch {
	case errors.Is(err, wire.ErrRefused) && (known == nil || known.code != code):
		if s.refusing.CompareAndSwap(known, &refusing{verb, code}) {
			s.config.Logger.Error("redis refuses calls; holdfast doctor says what to do", "verb", verb, "error", err)
		}
	case err == nil && known != nil && known.verb == verb:
		if s.refusing.CompareAndSwap(known, nil) {
			s.config.Logger.Info("redis takes calls again", "verb", verb)
		}
	}
}

// Config says how to reach and use a shard. All fields but Number, Ledger and Batched are required.
type Config struct {
	Client redis.UniversalClient // *redis.Client or *redis.ClusterClient, which must not retry
	Prefix string                // of the names of the keys
	Number int                   // of the shard
	Verbs  []wire.Verb           // the verbs that Do accepts

	Ledger  Loader        // says which Redis this must be; nil: any Redis is accepted, at the epoch that it has
	Timeout time.Duration // for one batch, with its retries

	BatchMax    int // the most requests in one batch
	InFlightMax int // the most batches of one verb in flight
	QueueMax    int // the most requests of one verb that wait

	Batched func(verb wire.Verb, size int, elapsed time.Duration) // called after each batch
	Logger  *slog.Logger
}

// New returns a Shard. It does no I/O: the first call finds Redis, or returns ErrUnavailable.
func New(c Config) *Shard {
	s := &Shard{
		Clock: func() string { return "" }, Now: time.Now, client: c.Client, config: c, Keys: wire.KeysOf(c.Prefix, c.Number),
		verbKeys: make(map[wire.Verb][]string), queues: make(map[wire.Verb]*queue),
	}
	s.open, s.close = context.WithCancel(context.Background())
	if c.Ledger != nil {
		s.following.Go(s.follow)
	}
	for _, verb := range wire.Verbs {
		s.verbKeys[verb] = s.Keys.Of(verb)
	}
	for _, verb := range c.Verbs {
		s.queues[verb] = newQueue(s, verb)
	}
	return s
}

// Node returns a client of the primary.
func (s *Shard) Node(ctx context.Context) (*redis.Client, error) {
	return primaryOf(ctx, s.client, s.Keys)
}

// primaryOf returns a client of the primary that holds the keys.
func primaryOf(ctx context.Context, client redis.UniversalClient, k wire.Keys) (*redis.Client, error) {
	switch c := client.(type) {
	case *redis.Client:
		return c, nil
	case *redis.ClusterClient:
		return c.MasterForKey(ctx, k.Stock)
	default:
		return nil, fmt.Errorf("client of type %T: want *redis.Client or *redis.ClusterClient", client)
	}
}

// Close refuses new requests with ErrClosed and finishes those that wait or are in flight. It
// returns when they are done or ctx ends.
func (s *Shard) Close(ctx context.Context) error {
	done := make(chan struct{})
	for _, q := range s.queues {
		q.close()
	}
	go func() {
		for _, q := range s.queues {
			q.workers.Wait()
		}
		s.close()
		s.following.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close: %w", ctx.Err())
	}
}

// Depth returns how many requests of a verb wait, and how many of its batches are in flight.
func (s *Shard) Depth(verb wire.Verb) (waiting, inFlight int) {
	if q := s.queues[verb]; q != nil {
		return q.depth()
	}
	return 0, 0
}

// RunBatch sends requests in one script call, past the queue, and returns their answers. It is for
// the tests of package cache, which choose the requests of a batch with it.
func (s *Shard) RunBatch(ctx context.Context, verb wire.Verb, requests ...Request) ([]Answer, error) {
	b := newBatch(len(requests))
	for _, r := range requests {
		b.pending = append(b.pending, &pending{ctx: ctx, request: r, done: make(chan Answer, 1)})
	}
	err := s.run(ctx, verb, b)
	return b.answers, err
}

// Postpone delays the moment from which the last batch of a verb is late. It is for the tests of
// package cache, which hold a batch in flight for longer than a real one takes.
func (s *Shard) Postpone(verb wire.Verb, by time.Duration) {
	q := s.queues[verb]
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sent = q.sent.Add(by)
}
