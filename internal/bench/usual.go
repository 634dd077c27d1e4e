package bench

import (
	"context"
	_ "embed" // the scripts
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed scripts/usual.lua
	usualScript string
	//go:embed scripts/usual_cart.lua
	usualCartScript string
	//go:embed scripts/usual_confirm.lua
	usualConfirmScript string
)

// usual is the script that most teams end up with. Each reservation has an id that is safe to
// repeat, a record, a deadline and an event. Each call makes one reservation.
type usual struct{ scripted }

const (
	usualStock     = tag + "usual:stock"
	usualDeadlines = tag + "usual:deadlines"
	usualEvents    = tag + "usual:events"
	usualRecord    = tag + "usual:reservation:" // + id
)

func openUsual(ctx context.Context, e *env, _ *workload) (seller, error) {
	s, err := openScripts(ctx, e, usualScript, usualCartScript, usualConfirmScript)
	return &usual{s}, err
}

func (u *usual) stock(ctx context.Context, skus []string, units int64) error {
	return u.pipeline(ctx, len(skus), func(pipe redis.Pipeliner, i int) {
		pipe.HSet(ctx, usualStock, skus[i], units)
	})
}

func (u *usual) reserve(ctx context.Context, _ int, o *order) (outcome, error) {
	script, keys, args := usualCall(o)
	return usualOutcome(u.run(ctx, script, keys, args...))
}

func usualCall(o *order) (script string, keys []string, args []any) {
	keys = []string{usualStock, usualRecord + o.id, usualDeadlines, usualEvents}
	deadline := time.Now().Add(holdTTL).UnixMilli()
	if len(o.lines) == 1 {
		return usualScript, keys, []any{o.lines[0].sku, o.lines[0].quantity, o.id, deadline, o.id}
	}
	args = append(make([]any, 0, 3+2*len(o.lines)), o.id, deadline, o.id)
	for _, l := range o.lines {
		args = append(args, l.sku, l.quantity)
	}
	return usualCartScript, keys, args
}

func (u *usual) confirm(ctx context.Context, _ int, o *order) (outcome, error) {
	keys := []string{usualRecord + o.id, usualDeadlines, usualEvents}
	return usualOutcome(u.run(ctx, usualConfirmScript, keys, o.id))
}

func usualOutcome(answer *redis.Cmd) (outcome, error) {
	words, err := answer.StringSlice()
	if err != nil {
		return 0, fmt.Errorf("usual script: %w", err)
	}
	switch words[0] {
	case "held", "confirmed":
		return accepted, nil
	case "insufficient":
		return refused, nil
	case "replay":
		return replayed, nil
	}
	return 0, fmt.Errorf("usual script: unexpected answer %q", words)
}

func (u *usual) holdMany(ctx context.Context, from *orders, n int) error {
	var o order
	return u.pipeline(ctx, n, func(pipe redis.Pipeliner, i int) {
		from.fill(&o, int64(i))
		script, keys, args := usualCall(&o)
		pipe.EvalSha(ctx, u.sha[script], keys, args...)
	})
}

func (u *usual) left(ctx context.Context, skus []string) (int64, error) {
	return u.sum(skus, func(skus []string) *redis.SliceCmd { return u.client.HMGet(ctx, usualStock, skus...) })
}

func (u *usual) trim(ctx context.Context) error {
	return u.client.XTrimMaxLen(ctx, usualEvents, 1).Err()
}
