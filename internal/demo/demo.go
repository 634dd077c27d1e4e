// Package demo runs a flash sale that checks itself. Thousands of buyers compete for a small stock.
// Afterwards it compares, unit by unit, what the buyers were told with what the store says.
//
// The buyers keep their own records: each notes the answers it got and nothing else. The store's
// own numbers serve only to show progress and for the comparison at the end. So a store that loses
// or invents a unit cannot hide it.
package demo

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
)

const (
	callTimeout = 5 * time.Second // of one call of the Store, queueing included
	stopTimeout = 5 * time.Second // to end open calls and to clean up
)

// Run holds a sale on a Redis, under keys of its own that it removes again. It returns an
// *InUseError if those keys already hold data. Any other error means that the sale could not be
// completed.
func Run(ctx context.Context, client redis.UniversalClient, o Options) (report *Report, err error) {
	if err := claim(ctx, client); err != nil {
		return nil, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, unclaim(ctx, client))
	}()
	store, err := cache.New(client, cache.Options{Prefix: Prefix, TTL: ttl, Timeout: callTimeout, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	defer func() { // before the keys are removed, so that nothing writes them again
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, store.Close(ctx))
	}()
	report, err = sell(ctx, store, o)
	if ctx.Err() != nil {
		return nil, errors.New("interrupted before the sale was over: there is nothing to compare")
	}
	return report, err
}
