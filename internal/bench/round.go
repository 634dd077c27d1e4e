package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Round is what one contender did in one round. Accepted and refused calls are never added up, but for
// latency over time.
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
	Max          float64 `json:"max_ms"`
	RedisCPU     float64 `json:"redis_cpu_us"`   // of its main thread, for each answer; 0 where it is not used
	ProcessCPU   float64 `json:"process_cpu_us"` // of this process: callers, and where it is in it the server, for each answer
	HoldBytes    float64 `json:"hold_bytes"`     // memory of Redis for each held reservation; 0 where that is not measured

	Slice    float64 `json:"slice_ms"`  // how long each slice is
	OverTime []Slice `json:"over_time"` // up to the last slice in which something was answered

	latency *hdrhistogram.Histogram // of what the scene is about
}

// round has a contender play a scene once, so many calls due a second.
func (r *rig) round(
	ctx context.Context, c *contender, s *scene, rate float64, seed uint64,
) (result *Round, err error) {
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
	p := newPlay(r, c, s, seller, seed)
	p.rate = rate
	if result, err = p.run(ctx); err != nil {
		return nil, fmt.Errorf("%s, %s: %w", s.scenario, c.key, err)
	}
	return result, nil
}
