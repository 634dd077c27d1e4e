package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Round is what one contender did in one round. Accepted and refused calls are never added up.
type Round struct {
	Seconds  float64 `json:"seconds"`  // from the first call to the last answer
	Accepted int64   `json:"accepted"` // calls
	Refused  int64   `json:"refused"`
	Replayed int64   `json:"replayed"` // repeats that changed nothing
	Again    int64   `json:"again"`    // repeats that took units again
	Failed   int64   `json:"failed"`   // calls without an answer
	Unsent   int64   `json:"unsent"`   // calls that were due, with no caller free to send them
	Failure  string  `json:"failure,omitempty"`
	Missing  int64   `json:"missing"` // units that are neither for sale nor with those who were told so; 0 or it is wrong

	AcceptedRate float64 `json:"accepted_per_second"`
	RefusedRate  float64 `json:"refused_per_second"`
	ReplayedRate float64 `json:"replayed_per_second"`
	P50          float64 `json:"p50_ms"`
	P99          float64 `json:"p99_ms"`
	P999         float64 `json:"p999_ms"`
	RedisCPU     float64 `json:"redis_cpu_us"`   // of its main thread, for each answer
	ProcessCPU   float64 `json:"process_cpu_us"` // of this process: callers, and where it is in it the server, for each answer
	HoldBytes    float64 `json:"hold_bytes"`     // memory of Redis for each held reservation; 0 where that is not measured

	latency *hdrhistogram.Histogram // of what the scene is about
}

// round has a contender play a scene once.
func (r *rig) round(ctx context.Context, c *contender, s *scene, seed uint64) (result *Round, err error) {
	if err := r.clean(ctx); err != nil {
		return nil, err
	}
	seller, err := c.open(ctx, r, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.key, err)
	}
	defer func() {
		if e := seller.close(context.WithoutCancel(ctx)); e != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", c.key, e))
		}
	}()
	p := &play{rig: r, scene: s, seller: seller, skus: skuNames(s.skus), seed: seed}
	if result, err = p.run(ctx); err != nil {
		return nil, fmt.Errorf("%s, %s: %w", s.scenario, c.key, err)
	}
	return result, nil
}

// play is one contender in one round of one scene.
type play struct {
	*rig
	scene  *scene
	seller seller
	skus   []string
	seed   uint64
}

// warmSKU is sold before anything is measured, so that connections are open and scripts compiled.
const (
	warmSKU   = "SKU-warm"
	warmCalls = 4 // of each caller
)

func (p *play) run(ctx context.Context) (*Round, error) {
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	before, err := p.meter(ctx)
	if err != nil {
		return nil, err
	}
	counted, took := p.load().run(ctx, p.call(p.orders("ord-")))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	after, err := p.meter(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.seller.trim(ctx); err != nil {
		return nil, err
	}
	rest, err := readInfo(ctx, p.redis)
	if err != nil {
		return nil, err
	}
	left, err := p.seller.left(ctx, p.skus)
	if err != nil {
		return nil, err
	}
	result := p.scene.sumUp(counted, took)
	result.charge(counted, before, after)
	if p.scene.weighs && result.Accepted > 0 {
		result.HoldBytes = float64(rest.memory-before.memory) / float64(result.Accepted)
	}
	result.Missing = p.scene.missing(result, left)
	return result, nil
}

// prepare puts up stock and warms up.
func (p *play) prepare(ctx context.Context) error {
	if err := p.seller.stock(ctx, []string{warmSKU}, plenty); err != nil {
		return err
	}
	if err := p.seller.stock(ctx, p.skus, p.scene.units); err != nil {
		return err
	}
	warm := load{callers: p.options.Callers, duration: time.Minute, calls: int64(warmCalls * p.options.Callers)}
	from := &orders{prefix: "warm-", skus: []string{warmSKU}, lines: 1, copies: 1}
	counted, _ := warm.run(ctx, p.reserve(from))
	if counted.failed > 0 {
		return fmt.Errorf("%d of %d calls failed before anything was measured: %w", counted.failed, warm.calls, counted.failure)
	}
	return p.seller.trim(ctx)
}

func (p *play) load() load {
	return load{callers: p.options.Callers, rate: p.options.Rate, duration: p.options.Duration}
}

func (p *play) orders(prefix string) *orders {
	return &orders{seed: p.seed, prefix: prefix + strconv.FormatUint(p.seed%1000, 10) + "-", skus: p.skus, lines: p.scene.lines, copies: p.scene.copies}
}

// call is what is measured.
func (p *play) call(from *orders) call { return p.reserve(from) }

func (p *play) reserve(from *orders) call {
	mine := make([]order, p.options.Callers)
	return func(ctx context.Context, caller int, i int64) (outcome, error) {
		from.fill(&mine[caller], i)
		return p.seller.reserve(ctx, caller, &mine[caller])
	}
}
