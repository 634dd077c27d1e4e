package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// The defaults of a Reconciler.
const (
	RetentionDefault  = 24 * time.Hour
	BacklogMaxDefault = 250_000
)

// How a Reconciler keeps time.
const (
	tendEvery    = 250 * time.Millisecond // trim, gate, expiry
	inspectEvery = time.Second            // whose data Redis has; the lock; what is still to be undone
	forgetEvery  = 10 * time.Second
	expiryLease  = time.Second // holds go on expiring for so long once the ledger is out of reach
	lockEvery    = 500 * time.Millisecond
	retryFirst   = 50 * time.Millisecond  // after a failure; twice as long after the next, up to lockEvery
	redisEvery   = 100 * time.Millisecond // while Redis does not answer
	callTimeout  = 5 * time.Second        // of one call to Redis: a rebuild drops everything in one
)

// Reconciler applies one shard's event stream to the ledger, undoes in Redis what the ledger refuses,
// and rebuilds a Redis that is not what the ledger's position says. Several may run: one works, the
// others wait for its lock.
type Reconciler struct {
	Client     redis.UniversalClient
	Ledger     ledger.Ledger
	Prefix     string        // of the keys; default "holdfast"
	Shards     int           // fixed at initialisation; default 1
	Retention  time.Duration // how long Redis keeps what is resolved; default 24h
	BacklogMax int64         // entries of the stream from which reserve is refused; default 250000
	// AcceptOlderLedger rebuilds also where the ledger is older than Redis: what it lacks is given up.
	AcceptOlderLedger bool
	Logger            *slog.Logger // default slog.Default()

	Point func(name string) // test hook: a place where a process may die
	shard *cache.Shard      // nil where Redis is not known to be ours

	counters counters
}

// What ends a tenure and is no failure of a server.
var (
	// ErrOlderLedger says that the ledger lacks what Redis has: it may be a restored backup.
	ErrOlderLedger = errors.New("the ledger is older than Redis")
	// ErrMismatch says that this configuration is not the one the ledger was made with.
	ErrMismatch = errors.New("the ledger was made with another configuration")

	errRebuild = errors.New("a rebuild is needed") // carries the reason
)

// Run works until ctx ends, then returns nil; or returns ErrMismatch. Every other failure is logged and
// tried again.
func (r *Reconciler) Run(ctx context.Context) error {
	r.defaults()
	defer r.drop()
	var said string
	for pause := retryFirst; ctx.Err() == nil; {
		started := time.Now()
		err := r.tenure(ctx)
		if errors.Is(err, ErrMismatch) {
			return err
		}
		if time.Since(started) > time.Second {
			pause = retryFirst
		}
		if said = r.say(ctx, err, said); errors.Is(err, ledger.ErrLocked) {
			pause = lockEvery
		}
		if errors.Is(err, cache.ErrUnavailable) {
			pause = min(pause, redisEvery)
		}
		r.Wait(ctx, pause)
		pause = min(2*pause, lockEvery)
	}
	return nil
}

func (r *Reconciler) defaults() {
	if r.Prefix == "" {
		r.Prefix = "holdfast"
	}
	if r.Shards == 0 {
		r.Shards = 1
	}
	if r.Retention == 0 {
		r.Retention = RetentionDefault
	}
	if r.BacklogMax == 0 {
		r.BacklogMax = BacklogMaxDefault
	}
	if r.Logger == nil {
		r.Logger = slog.Default()
	}
	if r.Point == nil {
		r.Point = func(string) {}
	}
}

// say logs why a tenure ended, once for each reason.
func (r *Reconciler) say(ctx context.Context, err error, said string) string {
	if ctx.Err() != nil || err == nil || err.Error() == said {
		return said
	}
	switch {
	case errors.Is(err, ledger.ErrLocked):
		r.Logger.Info("another process applies this shard; waiting for its lock")
	case errors.Is(err, ErrOlderLedger):
		r.Logger.Error("the gate stays closed: "+err.Error()+
			"; restore the right ledger, or give up what it lacks with: holdfast reconcile rebuild --accept-older-ledger", "shard", 0)
	default:
		r.Logger.Warn("not reconciling; trying again", "error", err)
	}
	return err.Error()
}

// Wait waits between tenures. Where Redis is ours and the ledger is not to be had, the backlog still
// closes the gate.
func (r *Reconciler) Wait(ctx context.Context, most time.Duration) {
	if r.shard != nil && !r.Ledger.Healthy() {
		if _, _, err := r.tend(ctx, cache.Tending{BacklogMax: r.BacklogMax}); err != nil {
			r.drop()
		}
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Ledger.Suspicions():
	case <-ctx.Done():
	}
}

// drop gives up the connection to Redis.
func (r *Reconciler) drop() {
	if r.shard != nil {
		r.shard.Close()
		r.shard = nil
	}
}

// tenure reaches Redis, takes the lock, sees to it that Redis is what the ledger says, and applies until something
// fails.
func (r *Reconciler) tenure(ctx context.Context) error {
	if err := r.connect(ctx); err != nil {
		return err
	}
	s, err := r.Ledger.Lock(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	t := &tail{Reconciler: r, session: s}
	defer r.counters.working.Store(false)
	if err := t.Settle(ctx, ""); err != nil {
		return r.failed(err)
	}
	t.works()
	r.Logger.Info("reconciling", "position", t.at.EntryID())
	return r.failed(t.run(ctx))
}

// failed gives up a connection that is of no more use.
func (r *Reconciler) failed(err error) error {
	if errors.Is(err, cache.ErrUnavailable) || errors.Is(err, cache.ErrFenced) {
		r.drop()
	}
	return err
}

// connect opens a connection to the primary, if there is none. It comes before the lock: who can't reach
// Redis must not keep others from it.
func (r *Reconciler) connect(ctx context.Context) error {
	if r.shard != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	shard, err := cache.OpenShard(ctx, r.Client, r.Prefix, 0)
	if err != nil {
		return err
	}
	if _, err := shard.Inspect(ctx); err != nil {
		shard.Close()
		return err
	}
	r.shard = shard
	return nil
}

func (r *Reconciler) tend(ctx context.Context, t cache.Tending) (backlog bool, entries int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return r.shard.Tend(ctx, t)
}

// mismatch says where the configuration is not the ledger's.
func (r *Reconciler) mismatch(p *ledger.PositionRow) error {
	if p.Prefix != r.Prefix || p.Shards != r.Shards {
		return fmt.Errorf("%w: redis.prefix %q and redis.shards %d there, %q and %d here",
			ErrMismatch, p.Prefix, p.Shards, r.Prefix, r.Shards)
	}
	return nil
}
