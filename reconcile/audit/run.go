package audit

import (
	"cmp"
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// run is one audit in progress.
type run struct {
	auditor *Auditor
	ledger  ledger.Ledger
	page    int
	point   func(name string)
	id      string
	options Options
	scope   ledger.Scope

	// See shard.go.
	shard *shard.Conn // nil while disconnected

	// See checkpoint.go.
	inFlight  []checkpoint
	applied   wire.Position   // of the ledger, when it was last read
	appliedAt time.Time       // when the ledger last made progress
	notedAt   time.Time       // when the ledger last heard from this audit
	same      ledger.Compared // compared by readings, and not noted yet

	// See reading.go.
	busy      bool           // others write to the stream too
	stepBegan time.Time      // when the current step began
	streamEnd ledger.EntryID // when the stream was last read
	sent      uint64         // checkpoints sent since then

	began      time.Time // on our clock
	beganRedis int64     // on the Redis clock, Unix ms

	levelsSeen    int64 // levels of the ledger that Redis has
	deadlinesSeen int64 // deadlines with one id each that match their record
	noOrphans     bool  // Redis has no other deadlines

	done  int64 // names read, of total
	total int64

	unrepaired map[string]string // finding id -> why it was not repaired
}

// newRun returns a run with the defaults filled in.
func newRun(a *Auditor, o Options) *run {
	r := &run{
		auditor: a, ledger: a.Ledger, page: cmp.Or(a.Page, PageDefault), point: a.point, id: cmp.Or(o.ID, NewID(time.Now())),
		options: o, scope: ledger.Scope{SKU: o.SKU, Location: o.Location}, unrepaired: map[string]string{},
	}
	if o.plan != nil {
		r.unrepaired = o.plan.unrepaired
	}
	if r.point == nil {
		r.point = func(string) {}
	}
	r.options.MaxUnits = cmp.Or(o.MaxUnits, MaxUnitsDefault)
	return r
}

// all compares Redis with the ledger, checks the ledger against its own movements at the same time,
// and then repairs.
func (r *run) all(ctx context.Context) (err error) {
	defer wire.Recovered(&err)
	if err := r.begin(ctx); err != nil {
		return err
	}
	both, comparing := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		defer wire.Recovered(&err)
		return r.compare(comparing)
	})
	both.Go(func() (err error) {
		defer wire.Recovered(&err)
		return r.ledger.ExamineItself(comparing, r.id, r.scope)
	})
	if err := both.Wait(); err != nil {
		return err
	}
	if err := r.examineBeyondScope(ctx); err != nil {
		return err
	}
	if r.options.Repair {
		if err := r.repair(ctx); err != nil {
			return err
		}
	}
	return r.ledger.ListSettled(ctx, r.id)
}

// begin notes the time and counts what there is to read.
func (r *run) begin(ctx context.Context) error {
	id, err := onShard(ctx, r, (*shard.Conn).Inspect)
	if err != nil {
		return err
	}
	r.began, r.beganRedis = time.Now(), id.Now
	r.stepBegan = r.began
	if r.options.plan != nil {
		r.total = int64(len(r.options.plan.found))
		return nil
	}
	sizes, err := onShard(ctx, r, (*shard.Conn).Sizes)
	r.total = sizes[shard.PartStock] + sizes[shard.PartLevels] + sizes[shard.PartReservations]
	if r.scope.All() {
		r.total += sizes[shard.PartLimits] + sizes[shard.PartDeadlines]
	}
	return err
}

// compare compares Redis with the ledger in passes, one after another.
func (r *run) compare(ctx context.Context) error {
	passes := []func(context.Context) error{
		r.compareLevels, r.compareExtraLevels, r.compareReservations, r.compareLimits, r.compareDeadlines,
		r.note, r.drain, r.settle,
	}
	if r.options.plan != nil {
		passes = []func(context.Context) error{r.comparePlanned, r.drain, r.settle}
	}
	for _, pass := range passes {
		if err := pass(ctx); err != nil {
			return err
		}
	}
	return nil
}

// progress reports that n more names were read.
func (r *run) progress(n int) {
	r.done = min(r.total, r.done+int64(n))
	if r.auditor.Progress != nil {
		r.auditor.Progress(r.done, r.total)
	}
}
