package reconcile

import (
	"context"
	"log/slog"
	"time"
)

// Expirer is the part of cache.Store that a Sweeper needs.
type Expirer interface {
	Expire(ctx context.Context) (expired int, more bool, err error)
}

// Sweeper gives back the units of overdue reservations. Several may run beside each other. It is
// housekeeping: reserve gives back what is due before it says sold out.
type Sweeper struct {
	Store    Expirer
	Interval time.Duration // between sweeps that found nothing more; default SweepInterval
	Logger   *slog.Logger  // default slog.Default()

	swept chan<- struct{} // test signal: one sweep has ended
}

// SweepInterval is how often a Sweeper looks, if it is not told.
const SweepInterval = 250 * time.Millisecond

// Run sweeps until ctx ends, then returns nil. A sweep that fails is logged once, and tried again.
func (w *Sweeper) Run(ctx context.Context) error {
	interval, logger := w.Interval, w.Logger
	if interval <= 0 {
		interval = SweepInterval
	}
	if logger == nil {
		logger = slog.Default()
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	failing := false
	for {
		expired, err := w.runOnce(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			logger.Warn("overdue reservations are not swept; trying again", "error", err)
		case err == nil && failing:
			logger.Info("sweeping again")
		case expired > 0:
			logger.Debug("swept", "expired", expired)
		}
		failing = err != nil
		if w.swept != nil {
			w.swept <- struct{}{}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// runOnce expires batch by batch until nothing more is due.
func (w *Sweeper) runOnce(ctx context.Context) (expired int, err error) {
	for more := true; more && ctx.Err() == nil; {
		var n int
		if n, more, err = w.Store.Expire(ctx); err != nil {
			return expired, err
		}
		expired += n
	}
	return expired, nil
}
