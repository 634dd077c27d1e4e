package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// The defaults of a Reconciler.
const (
	PrefixDefault     = "holdfast"
	ShardsDefault     = 1
	RetentionDefault  = 24 * time.Hour
	BacklogMaxDefault = 250_000
)

const (
	lockEvery   = 500 * time.Millisecond // between two tries to take the lock
	retryFirst  = 50 * time.Millisecond  // after a failure; doubled after each further one, up to lockEvery
	redisEvery  = 100 * time.Millisecond // between two tries while Redis does not answer
	callTimeout = 5 * time.Second        // of one call to Redis: a rebuild drops everything in one
)

// Reconciler applies one shard's event stream to the ledger, undoes in Redis what the ledger
// refuses, and rebuilds a Redis that is not the one in the ledger's position. Several may run: one
// works, the others wait for its lock. A promoted replica that continues the ledger's history is adopted, and
// not rebuilt.
type Reconciler struct {
	Client redis.UniversalClient // required; it must never send a command twice
	Ledger ledger.Ledger         // required

	// Prefix begins the name of each key; default PrefixDefault.
	Prefix string
	// Shards is the number of shards, fixed when the ledger is initialised; default ShardsDefault.
	Shards int
	// Retention is how long Redis keeps resolved reservations and operations; default
	// RetentionDefault. With less than a minute, a Store may not notice that an id was used.
	Retention time.Duration
	// BacklogMax is how many entries may wait before reserve is refused; default BacklogMaxDefault.
	BacklogMax int64
	// AcceptOlderLedger rebuilds Redis even if the ledger is older, and so loses what the ledger
	// lacks; default false.
	AcceptOlderLedger bool
	// AcceptOtherLedger rebuilds Redis even if it has the stock of another ledger, and so loses what
	// only Redis has of that; default false.
	AcceptOtherLedger bool
	// AskPrimary asks Sentinel, or the nodes of the cluster, which server is the primary, and returns its run
	// id. Default none: then this process claims nothing, and gives way to every claim.
	AskPrimary func(ctx context.Context) (runID string, err error)
	// Adopted is called after a promoted replica was adopted, such as to audit it; default none.
	Adopted func()
	// Logger receives the log; default slog.Default().
	Logger *slog.Logger
	// Point is a test hook, called at each place where a test stops the process; default none.
	Point func(name string)

	shard    *shard.Conn // nil while there is no connection
	asked    time.Time   // when AskPrimary was last asked for a claim
	counters counters
}

// ErrMismatch says that this configuration is not the one the ledger was initialised with.
var ErrMismatch = errors.New("the ledger was made with another configuration")

// Run reconciles until ctx ends, then returns nil. It returns ErrMismatch if the configuration is
// not the ledger's. Any other failure is logged, and tried again.
func (r *Reconciler) Run(ctx context.Context) error {
	r.defaults()
	defer r.disconnect()
	var logged string
	for wait := retryFirst; ctx.Err() == nil; {
		started := time.Now()
		err := r.leaseTerm(ctx)
		if errors.Is(err, ErrMismatch) {
			return err
		}
		if time.Since(started) > time.Second {
			wait = retryFirst
		}
		logged = r.logEnd(ctx, err, logged)
		if errors.Is(err, ledger.ErrLocked) {
			wait = lockEvery
		}
		if errors.Is(err, errGivesWay) { // the other process must find the lock free
			wait = claimEvery
		}
		if errors.Is(err, cache.ErrUnavailable) && !errors.Is(err, cache.ErrRefused) {
			wait = min(wait, redisEvery)
		}
		r.guardBacklog(ctx)
		select {
		case <-time.After(wait):
		case <-r.Ledger.Suspicions():
		case <-ctx.Done():
		}
		wait = min(2*wait, lockEvery)
	}
	return nil
}

func (r *Reconciler) defaults() {
	r.Prefix = cmp.Or(r.Prefix, PrefixDefault)
	r.Shards = cmp.Or(r.Shards, ShardsDefault)
	r.Retention = cmp.Or(r.Retention, RetentionDefault)
	r.BacklogMax = cmp.Or(r.BacklogMax, BacklogMaxDefault)
	r.Logger = cmp.Or(r.Logger, slog.Default())
	if r.Point == nil {
		r.Point = func(string) {}
	}
	if r.Adopted == nil {
		r.Adopted = func() {}
	}
}

// leaseTerm connects to Redis, takes the lock, makes Redis the one in the ledger's position, and
// applies entries until something fails.
func (r *Reconciler) leaseTerm(ctx context.Context) (err error) {
	defer func() {
		if errors.Is(err, cache.ErrUnavailable) || errors.Is(err, shard.ErrFenced) || errors.Is(err, cache.ErrCorrupt) {
			r.disconnect()
		}
	}()
	defer wire.Recovered(&err)
	if err := r.connect(ctx); err != nil {
		return err
	}
	s, err := r.Ledger.Lock(ctx)
	if errors.Is(err, ledger.ErrLocked) {
		return cmp.Or(r.claim(ctx), err)
	}
	if err != nil {
		return err
	}
	defer s.Close()
	a := &applier{Reconciler: r, session: s}
	defer r.countEpoch(0)
	if err = a.prepare(ctx, ""); err == nil {
		r.countEpoch(a.at.Epoch)
		r.Logger.Info("reconciling", "position", a.at.EntryID())
		err = a.run(ctx)
	}
	if errors.Is(err, cache.ErrUnavailable) || errors.Is(err, shard.ErrFenced) || errors.Is(err, errGivesWay) {
		r.disconnect()
	}
	return err
}

// connect opens a connection to the primary, if there is none. It comes before the lock: a process
// that cannot reach Redis must not keep the others from it.
func (r *Reconciler) connect(ctx context.Context) error {
	if r.shard != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	conn, err := shard.Open(ctx, r.Client, r.Prefix, 0)
	if err != nil {
		return err
	}
	r.shard = conn
	seen, err := conn.Inspect(ctx)
	if errors.Is(err, cache.ErrCorrupt) { // prepare drops what it can't read
		return nil
	}
	return cmp.Or(err, conn.CheckRights(ctx, seen))
}

// open opens a connection to the primary, which answers.
func open(ctx context.Context, client redis.UniversalClient, prefix string) (*shard.Conn, shard.Identity, error) {
	conn, err := shard.Open(ctx, client, prefix, 0)
	if err != nil {
		return nil, shard.Identity{}, err
	}
	seen, err := conn.Inspect(ctx)
	if err != nil {
		conn.Close()
		return nil, shard.Identity{}, err
	}
	return conn, seen, nil
}

func (r *Reconciler) disconnect() {
	if r.shard != nil {
		r.shard.Close()
		r.shard = nil
	}
}

// logEnd logs why a lease term ended, once for each reason in a row. It returns the reason logged
// last.
func (r *Reconciler) logEnd(ctx context.Context, err error, logged string) string {
	if ctx.Err() != nil || err == nil || err.Error() == logged {
		return logged
	}
	switch {
	case errors.Is(err, ledger.ErrLocked):
		r.Logger.Info("another process applies this shard; waiting for its lock")
	case errors.Is(err, errGivesWay):
		r.Logger.Warn("gave up the lock: " + err.Error())
	case errors.Is(err, ErrOlderLedger):
		r.Logger.Error("the gate stays closed: "+err.Error()+
			"; restore the right ledger, or accept the loss with: holdfast reconcile rebuild --accept-older-ledger", "shard", 0)
	case errors.Is(err, ErrOtherLedger):
		r.Logger.Error("redis is left as it is: " + err.Error() +
			"; to give up what redis has: holdfast reconcile rebuild --accept-other-ledger")
	default:
		r.Logger.Warn("reconciling has failed; trying again", "error", err)
	}
	return err.Error()
}

// guardBacklog closes the gate for reserve if too many entries wait while the ledger is down.
func (r *Reconciler) guardBacklog(ctx context.Context) {
	if r.shard == nil || r.Ledger.Failure() == nil {
		return
	}
	if _, err := r.housekeep(ctx, shard.Housekeeping{BacklogMax: r.BacklogMax}); err != nil {
		r.disconnect()
	}
}

// housekeep runs the housekeeping script and returns how many entries the stream has. One round trip.
func (r *Reconciler) housekeep(ctx context.Context, t shard.Housekeeping) (entries int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, entries, err = r.shard.Housekeep(ctx, t)
	return entries, err
}

// checkConfiguration returns ErrMismatch if the ledger was initialised with another prefix or
// number of shards.
func (r *Reconciler) checkConfiguration(p *ledger.PositionRow) error {
	if p.Prefix != r.Prefix || p.Shards != r.Shards {
		return fmt.Errorf("%w: the ledger has redis.prefix %q and redis.shards %d, this process has %q and %d",
			ErrMismatch, p.Prefix, p.Shards, r.Prefix, r.Shards)
	}
	return nil
}
