package bench

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// env is what all contenders of a run share.
type env struct {
	options  Options
	redis    *redis.Client // as Holdfast uses it: few connections, because calls share them
	postgres string        // URL
	admin    *pgx.Conn     // holds the claim on the schema
	servers  servers
}

// serverTimeout bounds one command of a contender, which may have to wait behind those of many
// callers.
const serverTimeout = 10 * time.Second

// connect returns a client of the same Redis with one connection for each caller, as in a checkout
// that calls a script by itself.
func (e *env) connect(connections int) *redis.Client {
	o := e.redis.Options()
	return redis.NewClient(&redis.Options{
		Addr: o.Addr, Username: o.Username, Password: o.Password, DB: o.DB, TLSConfig: o.TLSConfig, Protocol: o.Protocol,
		MaxRetries: -1, DialerRetries: 1, PoolSize: connections, PoolTimeout: serverTimeout,
		DialTimeout: serverTimeout, ReadTimeout: serverTimeout, WriteTimeout: serverTimeout,
		ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

// clean removes everything that contenders have created and waits until Redis has freed its memory.
func (e *env) clean(ctx context.Context) error {
	if err := errors.Join(dropSchema(ctx, e.admin), sweepRedis(ctx, e.redis)); err != nil {
		return err
	}
	return awaitFreed(ctx, e.redis)
}
