package audit

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// The defaults of an Auditor and of AuditOptions.
const (
	PageDefault     = 1000 // names looked at in one step: less than a millisecond of Redis
	MaxUnitsDefault = 1000 // units that one repair may change
)

const (
	auditWindow   = 32                     // steps under way: the ledger may be behind by as many
	auditRest     = 4                      // times as long as a step took it rests, where others work too
	auditBytesMax = 256 << 10              // of records in one step
	auditStall    = 30 * time.Second       // without any progress: nobody applies, or Redis is away
	auditPoll     = 2 * time.Millisecond   // between questions how far the ledger is
	auditNote     = 2 * time.Second        // between two notes that it still runs
	settleRounds  = 20                     // in which what is undecided is looked at again
	settlePause   = 100 * time.Millisecond // before each but the first
	repairsMax    = 50                     // items repaired in one call
	redisTimeout  = 5 * time.Second        // of one call to Redis
)

// Auditor compares Redis with the ledger, and repairs. Step by step it reads the ledger as of its position, and
// Redis with all that stands in the stream behind that: what none of it touches, and is the same, is done. The
// rest it has read once more as an event of the stream, and whoever applies the stream compares that with the
// ledger at exactly that place: nothing is paused, and nothing that is under way looks like a difference. It needs
// a reconciler that runs, in this process or another.
type Auditor struct {
	Client redis.UniversalClient
	Ledger ledger.Ledger
	Prefix string       // of the keys; default "holdfast"
	Page   int          // names in one step; default AuditPageDefault
	Logger *slog.Logger // default slog.Default()

	// Progress is told how much of what there is was read; nil tells nobody.
	Progress func(done, total int64)

	// Begun is told once the ledger knows of the audit, or why it does not; nil tells nobody.
	Begun func(err error)

	Point func(name string) // test hook: a place where it may die
}

// AuditOptions is what is audited, and whether it is repaired.
type Options struct {
	ID       string       // default: a new one
	SKU      location.SKU // only what belongs to it; limits and orphaned deadlines belong to none
	Location location.ID  // likewise
	Actor    string       // who asks; kept with each repair

	Repair bool
	// MaxUnits is how many units a repair may change in all, by default AuditMaxUnitsDefault; negative is
	// any number. MaxPercent is how many of 100 units on hand; 0 is any.
	MaxUnits   int64
	MaxPercent float64

	plan *applying // only what it plans is looked at, and repaired; nil is everything
}

// ErrTooMuch says that a repair would change more than it may: nothing was repaired.
var ErrTooMuch = errors.New("the repair would change more than it may")

// ErrStalled says that nobody applies the stream, or that Redis is not to be had.
var ErrStalled = errors.New("no progress")

// NewAuditID makes an id for an audit: its time, and random letters.
func NewID(now time.Time) string {
	return "audit-" + now.UTC().Format("20060102-150405") + "-" + strings.ToLower(rand.Text()[:6])
}

// Run audits, and returns what it has compared. What was found is in the ledger, and stays there where Run
// fails half-way: nothing is half repaired then, and another Run begins anew.
//
// Its error is *cache.InvalidError, of an actor that can't be kept; ErrTooMuch, with what was found and nothing
// repaired; or ErrStalled, or another failure.
func (a *Auditor) Run(ctx context.Context, o Options) (ledger.Audit, error) {
	run := a.run(&o)
	defer run.disconnect()
	begun := ledger.Audit{ID: o.ID, Repair: o.Repair, SKU: o.SKU, Location: o.Location, Actor: o.Actor}
	var err error
	if faults := cache.ActorFaults(o.Actor); faults != nil {
		err = &cache.InvalidError{Faults: faults}
	} else {
		err = a.Ledger.BeginAudit(ctx, begun)
	}
	if a.Begun != nil {
		a.Begun(err)
	}
	if err != nil {
		return begun, err
	}
	err = run.All(ctx)
	failure := ""
	if err != nil {
		failure = err.Error()
	}
	ending := context.WithoutCancel(ctx)
	if ended := a.Ledger.EndAudit(ending, o.ID, failure); ended != nil {
		return begun, errors.Join(err, ended)
	}
	done, reading := a.Ledger.Audit(ending, o.ID)
	return done, errors.Join(err, reading)
}

// run fills in the defaults.
func (a *Auditor) run(o *Options) *auditRun {
	r := &auditRun{Auditor: *a, Options: o, scope: ledger.Scope{SKU: o.SKU, Location: o.Location}}
	if r.left = map[string]string{}; o.plan != nil {
		r.left = o.plan.left
	}
	r.Prefix = a.prefix()
	if r.Page < 1 {
		r.Page = PageDefault
	}
	if r.Logger == nil {
		r.Logger = slog.Default()
	}
	if r.Point == nil {
		r.Point = func(string) {}
	}
	if o.ID == "" {
		o.ID = NewID(time.Now())
	}
	if o.MaxUnits == 0 {
		o.MaxUnits = MaxUnitsDefault
	}
	return r
}

func (a *Auditor) prefix() string { return cmp.Or(a.Prefix, "holdfast") }

// auditRun is one audit under way.
type auditRun struct {
	Auditor
	*Options
	scope ledger.Scope

	shard    *cache.Shard
	inFlight []marked
	at       cache.Position // how far the ledger was when it was last asked
	moved    time.Time      // when it last was further than before
	noted    time.Time
	busy     bool            // others write to the stream too
	rested   time.Time       // when the step under way began
	began    time.Time       // when it was readied, and
	beganAt  int64           // what Redis's clock said then, Unix ms
	last     ledger.EntryID  // of the stream, when it was last read
	marks    uint64          // that were sent since
	same     ledger.Compared // without a mark, and not noted yet

	levelsSeen int64 // of the ledger, in Redis
	alone      int64 // deadlines that were seen to be those of a record each
	noOrphans  bool  // there are no other deadlines
	done       int64
	total      int64
	left       map[string]string // finding -> why it was not repaired
}

// All compares everything, repairs, and looks at the ledger itself.
func (r *auditRun) All(ctx context.Context) error {
	if err := r.ready(ctx); err != nil {
		return err
	}
	both, comparing := errgroup.WithContext(ctx)
	both.Go(func() error { return r.Compare(comparing) })
	both.Go(func() error { return r.Ledger.ExamineItself(comparing, r.ID, r.scope) })
	if err := both.Wait(); err != nil {
		return err
	}
	if err := r.examineBeyond(ctx); err != nil {
		return err
	}
	if r.Repair {
		if err := r.repair(ctx); err != nil {
			return err
		}
	}
	return r.Ledger.ListSettled(ctx, r.ID)
}

// Compare compares Redis with the ledger, part by part.
func (r *auditRun) Compare(ctx context.Context) error {
	passes := []func(context.Context) error{
		r.Levels, r.extraLevels, r.Records, r.Limits, r.deadlines, r.noteNow, r.drained, r.Settle,
	}
	if r.plan != nil {
		passes = []func(context.Context) error{r.planned, r.drained, r.Settle}
	}
	for _, pass := range passes {
		if err := pass(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ready notes when it begins, and counts what there is.
func (r *auditRun) ready(ctx context.Context) error {
	err := r.onShard(ctx, func(ctx context.Context) error {
		id, err := r.shard.Inspect(ctx)
		r.began, r.beganAt = time.Now(), id.Now
		r.rested = r.began
		return err
	})
	if err != nil {
		return err
	}
	return r.sizes(ctx)
}

// younger says that a reservation was made since the audit began: it is the next one's. One that claims to be of
// a time that is still to come is not.
func (r *auditRun) younger(created int64) bool {
	return created > r.beganAt && created <= r.soon()
}

// soon is what Redis's clock does not say yet, Unix ms.
func (r *auditRun) soon() int64 {
	const clocks = time.Second // by which Redis's may have moved otherwise than ours
	return r.beganAt + (time.Since(r.began) + clocks).Milliseconds()
}

// sizes counts what there is, for the progress.
func (r *auditRun) sizes(ctx context.Context) error {
	if r.plan != nil {
		r.total = int64(len(r.plan.found))
		return nil
	}
	return r.onShard(ctx, func(ctx context.Context) error {
		sizes, err := r.shard.Sizes(ctx)
		if err != nil {
			return err
		}
		r.total = sizes[cache.PartStock] + sizes[cache.PartLevels] + sizes[cache.PartReservations]
		if r.scope.All() {
			r.total += sizes[cache.PartLimits] + sizes[cache.PartDeadlines]
		}
		return nil
	})
}

// progressed tells how much was read.
func (r *auditRun) progressed(n int) {
	r.done = min(r.total, r.done+int64(n))
	if r.Progress != nil {
		r.Progress(r.done, r.total)
	}
}

// stalled is the failure after too long a time without progress.
func (r *auditRun) stalled(why error) error {
	return fmt.Errorf("%w for %v: is `holdfast serve` or `holdfast reconcile run` working? %w", ErrStalled, auditStall, why)
}
