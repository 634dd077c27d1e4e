package bench

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// rig is what all contenders run on.
type rig struct {
	options  Options
	redis    *redis.Client // as Holdfast uses it: few connections, because calls share them
	postgres string        // URL
	admin    *pgx.Conn     // which has claimed the schema
	trust    trust
}

// serverTimeout bounds one command where a contender has Redis to itself: a crowd waits for its turn.
const serverTimeout = 10 * time.Second

// connect makes a client of the same Redis with so many connections, one for each caller, which is
// what a checkout has that calls a script by itself.
func (r *rig) connect(connections int) *redis.Client {
	o := r.redis.Options()
	return redis.NewClient(&redis.Options{
		Addr: o.Addr, Username: o.Username, Password: o.Password, DB: o.DB, TLSConfig: o.TLSConfig, Protocol: o.Protocol,
		MaxRetries: -1, DialerRetries: 1, PoolSize: connections, PoolTimeout: serverTimeout,
		DialTimeout: serverTimeout, ReadTimeout: serverTimeout, WriteTimeout: serverTimeout,
		ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

// clean removes everything that contenders have made, and waits until its memory is free.
func (r *rig) clean(ctx context.Context) error {
	if err := errors.Join(dropSchema(ctx, r.admin), sweepRedis(ctx, r.redis)); err != nil {
		return err
	}
	return awaitFreed(ctx, r.redis)
}
