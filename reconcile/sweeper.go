package reconcile

import (
	"context"
	"log/slog"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// SweepInterval is the default of Sweeper.Interval.
const SweepInterval = 250 * time.Millisecond

// Expirer is the part of cache.Store that a Sweeper needs.
type Expirer interface {
	// Expire expires one batch of overdue holds and says how many, and whether more are due.
	Expire(ctx context.Context) (expired int, more bool, err error)
}

// Sweeper returns the units of overdue holds. Several may run at once. No sale needs it, because
// reserve returns the units of overdue holds before it refuses for lack of stock.
type Sweeper struct {
	Store    Expirer       // required
	Interval time.Duration // pause after a sweep; default SweepInterval
	Logger   *slog.Logger  // default slog.Default()

	swept chan<- struct{} // test signal: a sweep has ended
}

// Run sweeps until ctx ends, then returns nil. It logs the first of several failures in a row, and
// tries again.
func (w *Sweeper) Run(ctx context.Context) error {
	interval, logger := w.Interval, w.Logger
	if interval <= 0 {
		interval = SweepInterval
	}
	if logger == nil {
		logger = slog.Default()
	}
	for failing := false; ; {
		expired, err := w.runOnce(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			logger.Warn("cannot sweep overdue reservations; trying again", "error", err)
		case err == nil && failing:
			logger.Info("sweeping again")
		case expired > 0:
			logger.Debug("swept", "expired", expired)
		}
		failing = err != nil
		if w.swept != nil {
			w.swept <- struct{}{}
		}
		if shard.Pause(ctx, interval) != nil {
			return nil
		}
	}
}

// runOnce expires batch after batch until nothing more is due.
func (w *Sweeper) runOnce(ctx context.Context) (expired int, err error) {
	defer wire.Recovered(&err)
	for more := true; more && ctx.Err() == nil; {
		var n int
		if n, more, err = w.Store.Expire(ctx); err != nil {
			return expired, err
		}
		expired += n
	}
	return expired, nil
}
