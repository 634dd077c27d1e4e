package bench

import (
	"context"
	_ "embed" // the scripts
	"fmt"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed scripts/tutorial.lua
	tutorialScript string
	//go:embed scripts/tutorial_cart.lua
	tutorialCartScript string
)

// tutorial is the script that tutorials show: a key for each SKU, without id, deadline, record or
// event.
type tutorial struct{ scripted }

func openTutorial(ctx context.Context, e *env, _ *workload) (seller, error) {
	s, err := openScripts(ctx, e, tutorialScript, tutorialCartScript)
	return &tutorial{s}, err
}

func tutorialKey(sku string) string { return tag + "tutorial:stock:" + sku }

func (t *tutorial) stock(ctx context.Context, skus []string, units int64) error {
	return t.pipeline(ctx, len(skus), func(pipe redis.Pipeliner, i int) {
		pipe.Set(ctx, tutorialKey(skus[i]), units, 0)
	})
}

func (t *tutorial) reserve(ctx context.Context, _ int, o *order) (outcome, error) {
	script, keys, args := tutorialScript, make([]string, len(o.lines)), make([]any, len(o.lines))
	for i, l := range o.lines {
		keys[i], args[i] = tutorialKey(l.sku), l.quantity
	}
	if len(o.lines) > 1 {
		script = tutorialCartScript
	}
	switch n, err := t.run(ctx, script, keys, args...).Int(); {
	case err != nil:
		return 0, fmt.Errorf("tutorial script: %w", err)
	case n == 0:
		return refused, nil
	}
	return accepted, nil
}

func (t *tutorial) left(ctx context.Context, skus []string) (int64, error) {
	return t.sum(skus, func(skus []string) *redis.SliceCmd {
		keys := make([]string, len(skus))
		for i, sku := range skus {
			keys[i] = tutorialKey(sku)
		}
		return t.client.MGet(ctx, keys...)
	})
}

func (t *tutorial) trim(context.Context) error { return nil }
