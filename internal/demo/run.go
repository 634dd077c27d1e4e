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
	stopTimeout = 5 * time.Second // to end what is under way and to clean up
)

// Run holds a sale on a Redis, under keys of its own that it removes again, and reports. It refuses
// with an InUseError where those keys hold data already. Any other error means that the sale could
// not be held to its end.
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
		return nil, errors.New("interrupted: the sale was not over, so nothing was compared")
	}
	return report, err
}
