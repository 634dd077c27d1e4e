package bench

import (
	"context"
	"time"
)

// reading is what has been used up to a moment.
type reading struct {
	info
	process time.Duration // processor time of this process
}

func (p *play) meter(ctx context.Context) (reading, error) {
	i, err := readInfo(ctx, p.redis)
	return reading{info: i, process: processCPU()}, err
}

// charge divides what was used between two readings by the calls that were answered.
func (r *Round) charge(t *tally, before, after reading) {
	if n := float64(t.answered()); n > 0 {
		r.RedisCPU = micros(after.cpu-before.cpu) / n
		r.ProcessCPU = micros(after.process-before.process) / n
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// sumUp makes a round of what was counted.
func (s *scene) sumUp(t *tally, took time.Duration) *Round {
	r := &Round{
		Seconds: took.Seconds(), Failed: t.failed, Unsent: t.unsent,
		Accepted: t.count[accepted], Refused: t.count[refused], Replayed: t.count[replayed],
	}
	if t.failure != nil {
		r.Failure = t.failure.Error()
	}
	orders := (t.answered() + t.failed + t.unsent + int64(s.copies) - 1) / int64(s.copies)
	r.Again = max(0, r.Accepted-orders)
	r.AcceptedRate = float64(r.Accepted) / r.Seconds
	r.RefusedRate = float64(r.Refused) / r.Seconds
	r.ReplayedRate = float64(r.Replayed) / r.Seconds
	about := s.about
	if t.count[about] == 0 {
		about = accepted // of retries, where nobody knows that they are
	}
	r.latency = t.latencies(about)
	r.P50, r.P99, r.P999 = percentile(r.latency, 50), percentile(r.latency, 99), percentile(r.latency, 99.9)
	r.Max = percentile(r.latency, 100)
	if t.overTime != nil {
		r.Slice, r.OverTime = millis(t.overTime.slice), t.overTime.slices()
	}
	return r
}
