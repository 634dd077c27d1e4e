package cache

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// Store reserves and sells the stock in one Redis. It is safe for concurrent use.
type Store struct {
	options      Options
	shard        *shard.Shard
	keys         wire.Keys          // of the shard
	reading      singleflight.Group // reads that callers share: the location list, the names of all levels
	locationList locationList
	directory    atomic.Pointer[locations] // set by Direct; nil: every location with a level is a candidate
	awaiting     atomic.Bool               // Direct must be called first
	firstMisses  firstMisses
	soldOut      *soldOut // nil without Options.SoldOutCache
	usedIDs      *usedIDs // nil without Options.Ledger
	snapshot     atomic.Pointer[snapshot]
}

// New makes a Store over client, a *redis.Client or a *redis.ClusterClient. The client must not
// retry by itself: set MaxRetries to -1. A client that retries would send a script again if its
// reply was lost, and the Store could not tell.
//
// New does no I/O. The first call connects to Redis, or returns ErrUnavailable.
func New(client redis.UniversalClient, options Options) (*Store, error) {
	options = options.withDefaults()
	if err := errors.Join(checkClient(client), options.check()); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	s := &Store{options: options, firstMisses: firstMisses{seed: maphash.MakeSeed()}}
	s.awaiting.Store(options.AwaitDirectory)
	if options.SoldOutCache > 0 {
		s.soldOut = newSoldOut(options.SoldOutCache)
	}
	config := shard.Config{
		Client: client, Prefix: options.Prefix, Verbs: s.queuedVerbs(), Timeout: options.Timeout,
		BatchMax: options.BatchMax, InFlightMax: options.InFlightMax, QueueMax: options.QueueMax, Logger: options.Logger,
	}
	if options.Ledger != nil {
		config.Ledger = options.Ledger
		s.usedIDs = newUsedIDs(options.Ledger)
	}
	if options.Observer != nil {
		config.Batched = options.Observer.Batch
	}
	s.shard = shard.New(config)
	s.keys = s.shard.Keys
	return s, nil
}

func checkClient(client redis.UniversalClient) error {
	retries := 0
	switch c := client.(type) {
	case *redis.Client:
		retries = c.Options().MaxRetries
	case *redis.ClusterClient: // scripts go to its node clients, which retry as often as this says
		retries = c.Options().MaxRetries
	default:
		return fmt.Errorf("a redis client of type %T is not supported: use *redis.Client or *redis.ClusterClient", client)
	}
	if retries > 0 {
		return errors.New("the redis client retries by itself: set MaxRetries: -1")
	}
	return nil
}

// within bounds a call by Options.Timeout, and by wait for the ledger.
func (s *Store) within(ctx context.Context, wait time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, s.options.Timeout+wait, shard.ErrTimeout)
}

// inTime returns an *ExpiredRequestError if a call came after its NotAfter. internal/shard checks
// again before it sends the call.
func (s *Store) inTime(notAfter time.Time) error {
	if notAfter.IsZero() {
		return nil
	}
	return wire.Expired(notAfter, s.shard.Now())
}

// half bounds the first of two servers that a call asks, so that there is time for the other one.
func (s *Store) half(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.options.Timeout/2)
}

// queuedVerbs lists the verbs whose requests are gathered into batches.
func (s *Store) queuedVerbs() (list []Verb) {
	for _, verb := range Verbs {
		if verb != VerbExpire && (verb != VerbProbe || s.soldOut != nil) {
			list = append(list, verb)
		}
	}
	return list
}

// Ready returns nil if the Store can serve Reserve now. Otherwise it returns the error that Reserve
// would return: ErrUnavailable until Direct is called, if Options.AwaitDirectory is set; then
// ErrRebuilding, ErrBacklogFull or ErrRefused. One round trip, which runs the script of Reserve for a
// request without lines and writes nothing.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.mayRoute(); err != nil {
		return err
	}
	ctx, cancel := s.within(ctx, 0)
	defer cancel()
	_, err := s.shard.DryRun(ctx, noLines{})
	return err
}

// noLines is a reserve of nothing.
type noLines struct{}

func (noLines) ID() string { return "" }

func (noLines) Weight() int { return 0 }

func (noLines) NotAfter() time.Time { return time.Time{} }

func (noLines) Arguments(b *shard.Batch) { b.Add("1000 lines 0 0", "", "") }

// Stats is the length of a Store's queues at one moment, by verb.
type Stats struct {
	Queued   map[Verb]int // requests that wait for a batch
	InFlight map[Verb]int // batches in flight
}

// Stats returns the length of the queues. No round trip.
func (s *Store) Stats() Stats {
	stats := Stats{Queued: make(map[Verb]int), InFlight: make(map[Verb]int)}
	for _, verb := range s.queuedVerbs() {
		stats.Queued[verb], stats.InFlight[verb] = s.shard.Depth(verb)
	}
	return stats
}

// Close refuses new calls with ErrClosed and waits for the calls that were accepted before. It
// returns nil when they have their answers, or an error that wraps ctx.Err() if ctx ends first. It
// does not close the Redis client. It is safe to repeat.
func (s *Store) Close(ctx context.Context) error {
	err := s.shard.Close(ctx)
	if s.usedIDs != nil {
		s.usedIDs.stop()
	}
	return err
}
