package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Round is one contender's result in one round. Accepted and refused calls are never added up,
// except in latency over time.
type Round struct {
	Seconds  float64 `json:"seconds"`  // from the first call to the last answer
	Accepted int64   `json:"accepted"` // calls
	Refused  int64   `json:"refused"`
	Replayed int64   `json:"replayed"` // repeats that changed nothing
	Again    int64   `json:"again"`    // repeats that took units again
	Failed   int64   `json:"failed"`   // calls without an answer
	Unsent   int64   `json:"unsent"`   // calls that were due, but no caller was free
	Failure  string  `json:"failure,omitempty"`
	Missing  int64   `json:"missing"` // units lost, or if negative sold twice; anything but 0 is an error

	Figures[float64]

	Slice    float64 `json:"slice_ms"`  // length of each slice
	OverTime []Slice `json:"over_time"` // up to the last slice with an answer

	latency *hdrhistogram.Histogram // of the workload's subject
}

// Figures are those of one round, as numbers, or those of all rounds, as spreads.
type Figures[T any] struct {
	AcceptedRate T `json:"accepted_per_second"`
	RefusedRate  T `json:"refused_per_second"`
	ReplayedRate T `json:"replayed_per_second"`
	P50          T `json:"p50_ms"`
	P99          T `json:"p99_ms"`
	P999         T `json:"p999_ms"`
	Max          T `json:"max_ms"`
	RedisCPU     T `json:"redis_cpu_us"`   // of its main thread, for each answer; 0 if Redis is not used
	ProcessCPU   T `json:"process_cpu_us"` // of this process, for each answer: callers, and any HTTP server
	HoldBytes    T `json:"hold_bytes"`     // Redis memory for each held reservation; 0 if not measured
}

func (f *Figures[T]) all() []*T {
	return []*T{
		&f.AcceptedRate, &f.RefusedRate, &f.ReplayedRate, &f.P50, &f.P99, &f.P999, &f.Max,
		&f.RedisCPU, &f.ProcessCPU, &f.HoldBytes,
	}
}

// round runs a workload once on a contender, at a rate in calls per second; 0 is no rate.
func (e *env) round(
	ctx context.Context, c *contender, w *workload, rate float64, seed uint64,
) (result *Round, err error) {
	if err := e.clean(ctx); err != nil {
		return nil, err
	}
	seller, err := c.open(ctx, e, w)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.key, err)
	}
	defer func() {
		if e := seller.close(context.WithoutCancel(ctx)); e != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", c.key, e))
		}
	}()
	p := newPlay(e, c, w, seller, seed)
	p.rate = rate
	if result, err = p.run(ctx); err != nil {
		return nil, fmt.Errorf("%s, %s: %w", w.scenario, c.key, err)
	}
	return result, nil
}

const (
	warmSKU   = "SKU-warm" // sold before the measurement, so that connections are open and scripts compiled
	warmCalls = 4          // of each caller
	// confirmRateMax is the number of holds per second that a round without a rate has to confirm.
	// A round that is faster ends when all are confirmed.
	confirmRateMax = 20_000
)

// play is one contender's turn in one round of a workload.
type play struct {
	*env
	contender *contender
	workload  *workload
	seller    seller
	confirmer confirmer // the seller, if its confirm is measured; else nil
	skus      []string
	orders    *orders // of the measured calls
	held      int64   // reservations at the start
	rate      float64 // calls due per second; 0: no rate
	seed      uint64
}

func newPlay(e *env, c *contender, w *workload, by seller, seed uint64) *play {
	p := &play{env: e, contender: c, workload: w, seller: by, skus: skuNames(w.skus), seed: seed}
	p.orders = &orders{seed: seed, prefix: "ord-", skus: p.skus, lines: w.lines, copies: w.copies}
	if w.confirms {
		p.confirmer, _ = by.(confirmer)
	}
	return p
}

// run prepares, measures, and counts the units that are left.
func (p *play) run(ctx context.Context) (*Round, error) {
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	before, err := p.memory(ctx)
	if err != nil {
		return nil, err
	}
	result, err := p.measure(ctx)
	if err != nil {
		return nil, err
	}
	after, err := p.memory(ctx)
	if err != nil {
		return nil, err
	}
	if result.Accepted > 0 {
		result.HoldBytes = float64(after-before) / float64(result.Accepted)
	}
	left, err := p.seller.left(ctx, p.skus)
	if err != nil {
		return nil, err
	}
	result.Missing = p.missing(result, left)
	return result, nil
}

// prepare puts stock on sale, makes the holds that the workload starts with, and warms up.
func (p *play) prepare(ctx context.Context) error {
	if err := p.seller.stock(ctx, []string{warmSKU}, plenty); err != nil {
		return err
	}
	if err := p.seller.stock(ctx, p.skus, p.workload.units); err != nil {
		return err
	}
	if err := p.hold(ctx); err != nil {
		return err
	}
	from := &orders{prefix: "warm-", skus: []string{warmSKU}, lines: 1, copies: 1}
	if err := p.warmUp(ctx, from.each(p.options.Callers, p.seller.reserve)); err != nil {
		return err
	}
	if p.confirmer == nil {
		return nil
	}
	return p.warmUp(ctx, p.measured(from))
}

// hold makes the holds that the workload starts with: those of others, or those to confirm, which
// are more than a round can confirm.
func (p *play) hold(ctx context.Context) error {
	holder, ok := p.seller.(bulkHolder)
	if !ok {
		return nil // it has no reservations
	}
	from := &orders{seed: p.seed, prefix: "held-", skus: p.skus, lines: p.workload.lines, copies: 1}
	n := p.workload.held
	if p.confirmer != nil {
		rate := p.rate
		if rate == 0 {
			rate = confirmRateMax
		}
		from, n = p.orders, int(rate*p.options.Duration.Seconds())+p.options.Callers
	}
	if n == 0 {
		return nil
	}
	p.held = int64(n)
	return holder.holdMany(ctx, from, n)
}

func (p *play) warmUp(ctx context.Context, do call) error {
	l := load{callers: p.options.Callers, duration: time.Minute, calls: int64(warmCalls * p.options.Callers)}
	counted, _ := l.run(ctx, do)
	if counted.failed > 0 {
		return fmt.Errorf("%d of %d warm-up calls failed: %w", counted.failed, l.calls, counted.failure)
	}
	return nil
}

// memory returns the memory of Redis with its reservations, or 0 if there are none or the workload
// does not measure it.
func (p *play) memory(ctx context.Context) (bytes int64, err error) {
	if !p.workload.measuresMemory || !p.contender.usesRedis || !p.contender.twoCalls {
		return 0, nil
	}
	if err := p.seller.trim(ctx); err != nil {
		return 0, err
	}
	return dataMemory(ctx, p.redis)
}

// measure makes the calls and divides the processor time that they took by the answers.
func (p *play) measure(ctx context.Context) (*Round, error) {
	runtime.GC() // do not charge this contender for the garbage of others
	before, err := readRedisUsage(ctx, p.redis)
	if err != nil {
		return nil, err
	}
	process := processCPU()
	counted, took := p.load().run(ctx, p.measured(p.orders))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	after, err := readRedisUsage(ctx, p.redis)
	if err != nil {
		return nil, err
	}
	result := p.workload.summarize(counted, took)
	if n := float64(counted.answered()); n > 0 {
		result.ProcessCPU = micros(processCPU()-process) / n
		if p.contender.usesRedis {
			result.RedisCPU = micros(after.cpu-before.cpu) / n
		}
	}
	return result, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func (p *play) load() load {
	l := load{callers: p.options.Callers, rate: p.rate, duration: p.options.Duration, sliced: true}
	if p.confirmer != nil {
		l.calls = p.held
	}
	return l
}

// measured is the call that the workload times.
func (p *play) measured(from *orders) call {
	if p.confirmer != nil {
		return from.each(p.options.Callers, p.confirmer.confirm)
	}
	return from.each(p.options.Callers, p.seller.reserve)
}

// missing returns the units that are gone without an accepted call. It is negative if units were
// sold twice, or sold though there were none. A call without an answer may have taken its units, so
// they do not count as missing.
func (p *play) missing(r *Round, left int64) int64 {
	if left < 0 {
		return left
	}
	taken := p.held
	if p.confirmer == nil {
		taken += r.Accepted
	}
	gone := int64(p.workload.skus)*p.workload.units - left - taken*int64(p.workload.lines)
	if gone > 0 {
		return max(0, gone-r.Failed*int64(p.workload.lines))
	}
	return gone
}

// summarize makes a round from what was counted.
func (w *workload) summarize(t *tally, took time.Duration) *Round {
	r := &Round{
		Seconds: took.Seconds(), Failed: t.failed, Unsent: t.unsent,
		Accepted: t.count[accepted], Refused: t.count[refused], Replayed: t.count[replayed],
	}
	if t.failure != nil {
		r.Failure = t.failure.Error()
	}
	orders := (t.answered() + t.failed + t.unsent + int64(w.copies) - 1) / int64(w.copies)
	r.Again = max(0, r.Accepted-orders)
	r.AcceptedRate = float64(r.Accepted) / r.Seconds
	r.RefusedRate = float64(r.Refused) / r.Seconds
	r.ReplayedRate = float64(r.Replayed) / r.Seconds
	subject := w.subject
	if t.count[subject] == 0 {
		subject = accepted // a contender without ids does not recognize retries
	}
	r.latency = t.latencies(subject)
	r.P50, r.P99, r.P999 = percentile(r.latency, 50), percentile(r.latency, 99), percentile(r.latency, 99.9)
	r.Max = percentile(r.latency, 100)
	if t.timeline != nil {
		r.Slice, r.OverTime = millis(t.timeline.slice), t.timeline.slices()
	}
	return r
}
