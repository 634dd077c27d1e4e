package cache

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// Store is the hot path over one Redis. It is safe for concurrent use.
type Store struct {
	options   Options
	shard     *shard.Shard
	keys      wire.Keys          // of the shard
	reading   singleflight.Group // of what callers share: the list of locations, the names of levels
	catalog   catalog
	directed  atomic.Pointer[locations] // by the directory, if there is one
	awaiting  atomic.Bool               // Direct is to be called first
	elsewhere elsewhere
	soldOut   *soldOut // nil: nothing is remembered
	snapshot  atomic.Pointer[snapshot]
}

// The defaults of Options.
const (
	defaultPrefix      = "holdfast"
	defaultTTL         = 10 * time.Minute
	defaultTTLMax      = 24 * time.Hour
	defaultTimeout     = 2 * time.Second
	defaultDurableWait = 5 * time.Second
	defaultBatchMax    = 64
	defaultInFlightMax = 3
	defaultQueueMax    = 16384
)

// New makes a Store over client, a *redis.Client or a *redis.ClusterClient. It does no I/O: the
// first call finds Redis, or says ErrUnavailable. The client must not retry by itself (MaxRetries:
// -1): it would send a script again whose reply was lost, under everybody's feet.
func New(client redis.UniversalClient, options Options) (*Store, error) {
	options = options.withDefaults()
	if err := errors.Join(checkClient(client), options.check()); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	s := &Store{options: options, elsewhere: elsewhere{seed: maphash.MakeSeed()}}
	s.awaiting.Store(options.AwaitDirectory)
	if options.SoldOutCache > 0 {
		s.soldOut = newSoldOut(options.SoldOutCache)
	}
	config := shard.Config{
		Client: client, Prefix: options.Prefix, Verbs: s.batched(), Timeout: options.Timeout,
		BatchMax: options.BatchMax, InFlightMax: options.InFlightMax, QueueMax: options.QueueMax, Logger: options.Logger,
	}
	if options.Ledger != nil {
		config.Ledger = options.Ledger
	}
	if options.Observer != nil {
		config.Batched = options.Observer.Batch
	}
	s.shard = shard.New(config)
	s.keys = s.shard.Keys
	return s, nil
}

// batched lists the verbs whose requests are gathered into batches.
func (s *Store) batched() (list []Verb) {
	for _, verb := range Verbs {
		if verb != VerbExpire && (verb != VerbProbe || s.soldOut != nil) {
			list = append(list, verb)
		}
	}
	return list
}

func checkClient(client redis.UniversalClient) error {
	retries := 0
	switch c := client.(type) {
	case *redis.Client:
		retries = c.Options().MaxRetries
	case *redis.ClusterClient: // its nodes are asked directly, and retry as often as it says
		retries = c.Options().MaxRetries
	default:
		return fmt.Errorf("a redis client of type %T is not supported: use *redis.Client or *redis.ClusterClient", client)
	}
	if retries > 0 {
		return errors.New("the redis client retries by itself: set MaxRetries: -1")
	}
	return nil
}

func (o Options) withDefaults() Options {
	o.Prefix = orDefault(o.Prefix, defaultPrefix)
	o.TTL = orDefault(o.TTL, defaultTTL)
	o.TTLMax = orDefault(o.TTLMax, max(defaultTTLMax, o.TTL))
	o.Timeout = orDefault(o.Timeout, defaultTimeout)
	o.DurableWait = orDefault(o.DurableWait, defaultDurableWait)
	o.BatchMax = orDefault(o.BatchMax, defaultBatchMax)
	o.InFlightMax = orDefault(o.InFlightMax, defaultInFlightMax)
	o.QueueMax = orDefault(o.QueueMax, defaultQueueMax)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

func (o Options) check() error {
	var f faults
	f.identifier("Prefix", o.Prefix)
	for _, n := range []struct {
		name  string
		value int
		most  int
	}{{"BatchMax", o.BatchMax, BatchLimit}, {"InFlightMax", o.InFlightMax, 64}, {"QueueMax", o.QueueMax, 1 << 20}} {
		if n.value < 1 || n.value > n.most {
			f.add(n.name, "is %d, must be from 1 to %d", n.value, n.most)
		}
	}
	if o.TTL < TTLMin || o.TTL > o.TTLMax {
		f.add("TTL", "is %s, must be from %s to TTLMax, %s", o.TTL, TTLMin, o.TTLMax)
	}
	if o.Timeout < time.Millisecond {
		f.add("Timeout", "is %s, must be at least 1ms", o.Timeout)
	}
	if o.DurableWait < time.Millisecond {
		f.add("DurableWait", "is %s, must be at least 1ms", o.DurableWait)
	}
	if o.SoldOutCache != 0 && (o.SoldOutCache < SoldOutCacheMin || o.SoldOutCache > SoldOutCacheMax) {
		f.add("SoldOutCache", "is %s, must be 0 or from %s to %s", o.SoldOutCache, SoldOutCacheMin, SoldOutCacheMax)
	}
	return f.err()
}

// Ready reports whether reserve can be served now; the error says why not. It costs a round trip.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.mayRoute(); err != nil {
		return err
	}
	return s.shard.Look(ctx, func(redis.Pipeliner) {})
}

// Close finishes what is in flight and what waits, then refuses everything with ErrClosed. It
// returns when that is done or ctx ends.
func (s *Store) Close(ctx context.Context) error { return s.shard.Close(ctx) }

// Stats is a moment of the queues. It costs no round trip.
func (s *Store) Stats() Stats {
	stats := Stats{Queued: make(map[Verb]int), InFlight: make(map[Verb]int)}
	for _, verb := range s.batched() {
		stats.Queued[verb], stats.InFlight[verb] = s.shard.Depth(verb)
	}
	return stats
}

// observe tells the observer of one call.
func (s *Store) observe(verb Verb, started time.Time, replay bool, err error) {
	if s.options.Observer == nil {
		return
	}
	outcome := "ok"
	if err != nil {
		outcome = Outcome(err)
	} else if replay {
		outcome = "replay"
	}
	s.options.Observer.Call(verb, outcome, time.Since(started))
}

// Outcome names an error as the API's codes do; "ok" for none, "internal" for one that has no code.
func Outcome(err error) string {
	if err == nil {
		return "ok"
	}
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.name
		}
	}
	return "internal"
}

var outcomes = []struct {
	err  error
	name string
}{
	{ErrInsufficient, "insufficient_stock"},
	{ErrInvalid, "invalid_request"},
	{ErrNotFound, "not_found"},
	{ErrWrongState, "wrong_state"},
	{ErrVersionConflict, "version_conflict"},
	{ErrIDConflict, "id_conflict"},
	{ErrUnknownStock, "unknown_stock"},
	{ErrNoLocation, "no_location"},
	{ErrPurchaseLimit, "purchase_limit"},
	{ErrInUse, "in_use"},
	{ErrNotDurable, "not_durable_yet"},
	{ErrRebuilding, "rebuilding"},
	{ErrBacklogFull, "backlog_full"},
	{ErrCorrupt, "internal"},
	{ErrUnavailable, "unavailable"},
	{ErrClosed, "unavailable"},
	{context.Canceled, "unavailable"},
	{context.DeadlineExceeded, "unavailable"},
}
