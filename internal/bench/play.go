package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// play is one contender in one round of one scene.
type play struct {
	*rig
	contender *contender
	scene     *scene
	seller    seller
	confirmer confirmer // the seller, where what is measured is its confirm; else nil
	skus      []string
	orders    *orders // that are measured
	held      int64   // reservations at the start
	rate      float64 // calls that are due a second; 0: as many as are answered
	seed      uint64
}

func newPlay(r *rig, c *contender, s *scene, by seller, seed uint64) *play {
	p := &play{rig: r, contender: c, scene: s, seller: by, skus: skuNames(s.skus), seed: seed}
	p.orders = &orders{seed: seed, prefix: "ord-", skus: p.skus, lines: s.lines, copies: s.copies}
	if s.confirms {
		p.confirmer, _ = by.(confirmer)
	}
	return p
}

// warmSKU is sold before anything is measured, so that connections are open and scripts compiled.
const (
	warmSKU   = "SKU-warm"
	warmCalls = 4 // of each caller
	// confirmRateMax is how many holds a second are made to be confirmed without a rate; where that is too
	// few, the round is over when all are.
	confirmRateMax = 20_000
)

// run prepares, measures, and counts what is left.
func (p *play) run(ctx context.Context) (*Round, error) {
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	before, err := p.weigh(ctx)
	if err != nil {
		return nil, err
	}
	result, err := p.measure(ctx)
	if err != nil {
		return nil, err
	}
	after, err := p.weigh(ctx)
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

// measure has calls made, and charges what was used meanwhile.
func (p *play) measure(ctx context.Context) (*Round, error) {
	runtime.GC() // what others have left is theirs
	before, err := p.meter(ctx)
	if err != nil {
		return nil, err
	}
	counted, took := p.load().run(ctx, p.sale(p.orders))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	after, err := p.meter(ctx)
	if err != nil {
		return nil, err
	}
	result := p.scene.sumUp(counted, took)
	result.charge(counted, before, after)
	if !p.contender.redis {
		result.RedisCPU = 0
	}
	return result, nil
}

// weigh is the memory that reservations take of Redis, and what else is there; 0 where there are none, or
// the scene is not about them.
func (p *play) weigh(ctx context.Context) (bytes int64, err error) {
	if !p.scene.weighs || !p.contender.redis || !p.contender.holds {
		return 0, nil
	}
	if err := p.seller.trim(ctx); err != nil {
		return 0, err
	}
	return dataMemory(ctx, p.redis)
}

// prepare puts up stock, has others hold some of it, and warms up.
func (p *play) prepare(ctx context.Context) error {
	if err := p.seller.stock(ctx, []string{warmSKU}, plenty); err != nil {
		return err
	}
	if err := p.seller.stock(ctx, p.skus, p.scene.units); err != nil {
		return err
	}
	if err := p.hold(ctx); err != nil {
		return err
	}
	from := &orders{prefix: "warm-", skus: []string{warmSKU}, lines: 1, copies: 1}
	if err := p.warm(ctx, p.take(from)); err != nil {
		return err
	}
	if p.confirmer == nil {
		return nil
	}
	return p.warm(ctx, p.sale(from))
}

// hold makes the reservations that the scene has at its start: those of others, and those to be confirmed.
func (p *play) hold(ctx context.Context) error {
	maker, ok := p.seller.(holder)
	if !ok {
		return nil // it has no reservations
	}
	from := &orders{seed: p.seed, prefix: "held-", skus: p.skus, lines: p.scene.lines, copies: 1}
	n := p.scene.held
	if p.confirmer != nil {
		from, n = p.orders, p.confirms()
	}
	if n == 0 {
		return nil
	}
	p.held = int64(n)
	return maker.hold(ctx, from, n)
}

// confirms is how many holds there are to be confirmed: more than a round can.
func (p *play) confirms() int {
	rate := p.rate
	if rate == 0 {
		rate = confirmRateMax
	}
	return int(rate*p.options.Duration.Seconds()) + p.options.Callers
}

func (p *play) warm(ctx context.Context, do call) error {
	l := load{callers: p.options.Callers, duration: time.Minute, calls: int64(warmCalls * p.options.Callers)}
	counted, _ := l.run(ctx, do)
	if counted.failed > 0 {
		return fmt.Errorf("%d of %d calls failed before anything was measured: %w", counted.failed, l.calls, counted.failure)
	}
	return nil
}

func (p *play) load() load {
	l := load{callers: p.options.Callers, rate: p.rate, duration: p.options.Duration, sliced: true}
	if p.confirmer != nil {
		l.calls = p.held
	}
	return l
}

// sale is what is measured: confirming, where the scene is about that and it is another call.
func (p *play) sale(from *orders) call {
	if p.confirmer == nil {
		return p.take(from)
	}
	return p.each(from, p.confirmer.confirm)
}

func (p *play) take(from *orders) call { return p.each(from, p.seller.reserve) }

func (p *play) each(from *orders, do func(context.Context, int, *order) (outcome, error)) call {
	mine := make([]order, p.options.Callers)
	return func(ctx context.Context, caller int, i int64) (outcome, error) {
		from.fill(&mine[caller], i)
		return do(ctx, caller, &mine[caller])
	}
}

// missing is how many units are gone without an accepted call, or below 0 sold more than once, or sold
// though there were none. What a call without an answer took nobody knows, so that much is not missing.
func (p *play) missing(r *Round, left int64) int64 {
	if left < 0 {
		return left
	}
	taken := p.held
	if p.confirmer == nil {
		taken += r.Accepted
	}
	gone := int64(p.scene.skus)*p.scene.units - left - taken*int64(p.scene.lines)
	if gone > 0 {
		return max(0, gone-r.Failed*int64(p.scene.lines))
	}
	return gone
}
