// Package reconciletest runs deployments for tests: a redis-server, a Postgres database, and
// instances of a store and a reconciler over them.
package reconciletest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

// Rig is a deployment: a redis-server, a database, and the instances that tests start over them.
type Rig struct {
	TB    testing.TB
	Redis *redistest.Server
	Pool  *pgxpool.Pool
	Ops   atomic.Int64 // numbers operations, so that their ids differ
}

// NewRig starts a redis-server with the given arguments, and opens a database with an empty ledger.
func NewRig(tb testing.TB, redisArgs ...string) *Rig {
	tb.Helper()
	return NewRigOver(tb, redistest.Start(tb, redisArgs...))
}

// NewRigOver is NewRig over a Redis that runs.
func NewRigOver(tb testing.TB, server *redistest.Server) *Rig {
	tb.Helper()
	return &Rig{TB: tb, Redis: server, Pool: ledgertest.OpenLedger(tb)}
}

// Client returns a client of Redis that never sends a command twice.
func (r *Rig) Client() *redis.Client { return r.ClientOf(r.Redis.Addr()) }

// ClientOf is Client for the Redis at addr.
func (r *Rig) ClientOf(addr string) *redis.Client {
	c := redis.NewClient(&redis.Options{
		Addr: addr, MaxRetries: -1, DialerRetries: 1, Protocol: 2, PoolSize: 32,
		DialTimeout: 500 * time.Millisecond, ReadTimeout: 500 * time.Millisecond, WriteTimeout: 500 * time.Millisecond,
		ContextTimeoutEnabled: true, DisableIdentity: true,
	})
	r.TB.Cleanup(func() { _ = c.Close() })
	return c
}

// Busy is how much longer something may take than on an idle machine, while other work keeps all
// processors busy.
const Busy = 30 * time.Second

// Await waits until done returns nil, and returns how long that took. It fails the test after most
// plus Busy; most is for an idle machine.
func (r *Rig) Await(what string, most time.Duration, done func() error) time.Duration {
	r.TB.Helper()
	started := time.Now()
	for {
		err := done()
		if err == nil {
			return time.Since(started)
		}
		if time.Since(started) > most+Busy {
			r.TB.Fatalf("%s: not within %v: %v", what, most+Busy, err)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// Forgets makes Redis forget a reservation, as after the retention.
func (r *Rig) Forgets(id string) {
	r.TB.Helper()
	r.Quiesce()
	if n, err := r.Client().HDel(context.Background(), "{holdfast:0}:reservations", id).Result(); n != 1 || err != nil {
		r.TB.Fatalf("%s is not forgotten: %d, %v", id, n, err)
	}
}

// State returns the ledger's record of a reservation.
func (r *Rig) State(id string) wire.Record {
	r.TB.Helper()
	_, found, err := postgres.New(r.Pool, 0).RecordsAt(context.Background(), []string{id})
	Must(r.TB, err)
	return found[id]
}

// pairs returns the rows of a query that selects two texts, the first as the key.
func (r *Rig) pairs(query string) map[string]string {
	r.TB.Helper()
	rows, _ := r.Pool.Query(context.Background(), query)
	pairs := map[string]string{}
	var key, value string
	_, err := pgx.ForEachRow(rows, []any{&key, &value}, func() error { pairs[key] = value; return nil })
	Must(r.TB, err)
	return pairs
}

// Number returns the number that a query selects.
func (r *Rig) Number(t *testing.T, query string) (n int64) {
	t.Helper()
	Must(t, r.Pool.QueryRow(t.Context(), query).Scan(&n))
	return n
}

// Must fails the test or benchmark if err is not nil.
func Must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
