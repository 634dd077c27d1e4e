// Package reconciletest runs deployments for tests: a redis-server, a Postgres database, and
// instances of a store and a reconciler over them.
package reconciletest

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

// Rig is a deployment: a redis-server, a database, and the instances that tests start over them.
type Rig struct {
	TB    testing.TB
	Redis *redistest.Server
	Pool  *pgxpool.Pool
	Logs  *Logs
	Ops   atomic.Int64 // numbers operations, so that their ids differ
}

// NewRig starts a redis-server with the given arguments, and opens a database with an empty ledger.
func NewRig(tb testing.TB, redisArgs ...string) *Rig {
	tb.Helper()
	return &Rig{TB: tb, Redis: redistest.Start(tb, redisArgs...), Pool: ledgertest.OpenLedger(tb), Logs: &Logs{tb}}
}

// Logs writes the log lines of instances to the test's log; benchmarks drop them.
type Logs struct{ TB testing.TB }

func (l *Logs) Write(p []byte) (int, error) {
	if _, measuring := l.TB.(*testing.B); measuring {
		return len(p), nil
	}
	l.TB.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// Instance is one process of a deployment: a store and a reconciler.
type Instance struct {
	Rig        *Rig
	Store      *cache.Store
	Ledger     *postgres.Ledger
	Reconciler *reconcile.Reconciler
	Client     *redis.Client
	Stop       func()
}

// Start starts an instance. change, if not nil, sets up its reconciler. It ends with the test, or
// with Stop.
func (r *Rig) Start(change func(*reconcile.Reconciler)) *Instance {
	r.TB.Helper()
	return r.StartOver(r.Redis.Addr(), change)
}

// StartOver is Start for an instance that reaches Redis at addr.
func (r *Rig) StartOver(addr string, change func(*reconcile.Reconciler)) *Instance {
	r.TB.Helper()
	client, ledger := r.ClientOf(addr), postgres.New(r.Pool, 0)
	logger := slog.New(slog.NewTextHandler(r.Logs, nil))
	store, err := cache.New(client, cache.Options{Ledger: ledger, DurableWait: 3 * time.Second, Logger: logger})
	if err != nil {
		r.TB.Fatal(err)
	}
	i := &Instance{Rig: r, Store: store, Ledger: ledger, Client: client}
	i.Reconciler = &reconcile.Reconciler{Client: client, Ledger: ledger, Logger: logger}
	if change != nil {
		change(i.Reconciler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Reconciler.Run(ctx) }()
	var stopped atomic.Bool
	i.Stop = func() {
		if stopped.Swap(true) {
			return
		}
		cancel()
		if err := <-ended; err != nil {
			r.TB.Error(err)
		}
		if err := store.Close(context.Background()); err != nil {
			r.TB.Error(err)
		}
	}
	r.TB.Cleanup(i.Stop)
	return i
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

// Started starts an instance and waits until it is open and has ten TEE in Berlin.
func (r *Rig) Started(change func(*reconcile.Reconciler)) *Instance {
	r.TB.Helper()
	i := r.Start(change)
	i.Open(5 * time.Second)
	i.Count("TEE", "berlin", 10)
	return i
}

// Shipped is Started, with three of the ten TEE fulfilled as reservation a.
func (r *Rig) Shipped(change func(*reconcile.Reconciler)) *Instance {
	r.TB.Helper()
	i := r.Started(change)
	i.Reserve("a", "TEE", 3)
	i.Confirm("a")
	if _, err := i.Store.Fulfill(context.Background(), cache.TransitionRequest{ID: "a"}); err != nil {
		r.TB.Fatal(err)
	}
	return i
}

// Open waits until reserve can be served.
func (i *Instance) Open(most time.Duration) time.Duration {
	i.Rig.TB.Helper()
	return i.Rig.Await("the gate is open", most, func() error { return i.Store.Ready(context.Background()) })
}

// Serves waits until a hold of PROBE is taken.
func (i *Instance) Serves(most time.Duration) time.Duration {
	i.Rig.TB.Helper()
	r := Order(fmt.Sprintf("probe-%d", i.Rig.Ops.Add(1)), "PROBE", 1)
	return i.Rig.Await("a hold is taken", most, func() error {
		_, err := i.Store.Reserve(context.Background(), r)
		return err
	})
}

// Count sets the units on hand of a level.
func (i *Instance) Count(sku location.SKU, at location.ID, units int64) {
	i.Rig.TB.Helper()
	_, err := i.Store.Adjust(context.Background(), cache.AdjustRequest{
		ID:      fmt.Sprintf("count-%d", i.Rig.Ops.Add(1)),
		Changes: []cache.Change{{SKU: sku, Location: at, OnHand: &units}},
	})
	if err != nil {
		i.Rig.TB.Fatal(err)
	}
}

// Order returns a request for units of one SKU, held for an hour.
func Order(id string, sku location.SKU, units int64) cache.ReserveRequest {
	return cache.ReserveRequest{ID: id, TTL: time.Hour, Lines: []cache.LineRequest{{Line: "1", SKU: sku, Quantity: units}}}
}

// Ret returns a request that returns units of reservation a to a location.
func Ret(id string, units int64, to location.ID) cache.ReturnRequest {
	return cache.ReturnRequest{ID: id, Reservation: "a", To: to, Lines: []cache.LineQuantity{{Line: "1", Quantity: units}}}
}

// Reserve reserves units of one SKU; it must succeed.
func (i *Instance) Reserve(id string, sku location.SKU, units int64) cache.Result {
	i.Rig.TB.Helper()
	result, err := i.Store.Reserve(context.Background(), Order(id, sku, units))
	if err != nil {
		i.Rig.TB.Fatal(err)
	}
	return result
}

// Confirm confirms a reservation; the answer must be durable.
func (i *Instance) Confirm(id string) cache.Result {
	i.Rig.TB.Helper()
	result, err := i.Store.Confirm(context.Background(), cache.TransitionRequest{ID: id})
	if err != nil || !result.Durable || result.State != cache.StateConfirmed {
		i.Rig.TB.Fatalf("confirm %s: %+v, %v", id, result, err)
	}
	return result
}

// Available returns the available units of a SKU that has one level.
func (i *Instance) Available(sku location.SKU) int64 {
	i.Rig.TB.Helper()
	levels, err := i.Store.Levels(context.Background(), sku)
	if err != nil || len(levels) != 1 {
		i.Rig.TB.Fatal(levels, err)
	}
	return levels[0].Available
}

// Awaited waits until the given number of calls wait for a version of a reservation.
func (i *Instance) Awaited(id string, version int64, calls int) {
	i.Rig.TB.Helper()
	i.Rig.Await(fmt.Sprintf("%d calls wait for %s", calls, id), 2*time.Second, func() error {
		if n := i.Ledger.Waiting(id, version); n != calls {
			return fmt.Errorf("%d calls do", n)
		}
		return nil
	})
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
	if err != nil {
		r.TB.Fatal(err)
	}
	return found[id]
}

// Number returns the number that a query selects.
func (r *Rig) Number(t *testing.T, query string) (n int64) {
	t.Helper()
	Must(t, r.Pool.QueryRow(t.Context(), query).Scan(&n))
	return n
}

// Quiesce waits until the ledger has applied every entry and no refusal is open.
func (r *Rig) Quiesce() {
	r.TB.Helper()
	c := r.Client()
	r.Await("everything is applied", 20*time.Second, func() error {
		ctx := context.Background()
		last, err := c.XRevRangeN(ctx, "{holdfast:0}:events", "+", "-", 1).Result()
		if err != nil {
			return err
		}
		at, there, err := postgres.New(r.Pool, 0).Position(ctx)
		if err != nil || !there || len(last) != 1 || at.EntryID() != last[0].ID {
			return fmt.Errorf("position %s, stream %v, %w", at.EntryID(), last, err)
		}
		if open, err := r.OpenRefusals(ctx); err != nil || open > 0 {
			return fmt.Errorf("%d open refusals, %w", open, err)
		}
		return nil
	})
}

// OpenRefusals counts the refusals that Redis has not undone yet.
func (r *Rig) OpenRefusals(ctx context.Context) (n int, err error) {
	err = r.Pool.QueryRow(ctx, `select count(*) from refusals where settled_at is null`).Scan(&n)
	return n, err
}

// Check checks that all invariants hold, and that Redis agrees with the ledger in every counter and
// every live reservation. No call may be under way.
func (r *Rig) Check() {
	r.TB.Helper()
	r.Quiesce()
	ctx := context.Background()
	for name, query := range invariants {
		rows, _ := r.Pool.Query(ctx, query)
		broken, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (text string, err error) {
			var sku, at string
			err = row.Scan(&sku, &at)
			return sku + "@" + at, err
		})
		if err != nil || len(broken) > 0 {
			r.TB.Errorf("%s: broken at %v, %v", name, broken, err)
		}
	}
	r.checkRedis(ctx)
}

// invariants are the invariants of the ledger alone: each query lists the levels that break one.
var invariants = map[string]string{
	"held and committed are the sums over reservations": `
select l.sku, l.location from levels l left join (
    select sku, at, sum(case when state = 'held' then quantity else 0 end) as held,
        sum(case when state = 'confirmed' then quantity - gone else 0 end) as committed
    from reservations r join reservation_lines on reservation_id = id
        cross join unnest(locations, quantities, fulfilled) as f (at, quantity, gone)
    group by 1, 2
) m on m.sku = l.sku and m.at = l.location
where (l.held, l.committed) is distinct from (coalesce(m.held, 0), coalesce(m.committed, 0))`,
	"movements, replayed, give the levels": `
select sku, location from levels l full join (
    select sku, location, sum(on_hand) as on_hand, sum(held) as held, sum(committed) as committed,
        sum(safety_stock) as safety_stock, sum(backorder_limit) as backorder_limit from movements group by 1, 2
) m using (sku, location)
where (coalesce(l.on_hand, 0), coalesce(l.held, 0), coalesce(l.committed, 0), coalesce(l.safety_stock, 0), coalesce(l.backorder_limit, 0)) is distinct from
    (coalesce(m.on_hand, 0), coalesce(m.held, 0), coalesce(m.committed, 0), coalesce(m.safety_stock, 0), coalesce(m.backorder_limit, 0))`,
	"no more is committed than there is": `
select sku, location from levels where committed > on_hand + backorder_limit`,
}

// checkRedis compares Redis with the ledger. Its own client has a long time-out, since it reads
// whole hashes.
func (r *Rig) checkRedis(ctx context.Context) {
	r.TB.Helper()
	c := redis.NewClient(&redis.Options{Addr: r.Redis.Addr(), MaxRetries: -1, Protocol: 2, ReadTimeout: time.Minute, DisableIdentity: true})
	defer func() { _ = c.Close() }()
	all, _ := r.Pool.Query(ctx, `
select sku, location, on_hand, held, committed, safety_stock, backorder_limit, 0::bigint from levels`)
	levels, err := pgx.CollectRows(all, pgx.RowToStructByPos[cache.Level])
	if err != nil {
		r.TB.Fatal(err)
	}
	stock, err := c.HGetAll(ctx, "{holdfast:0}:stock").Result()
	if err != nil {
		r.TB.Fatal(err)
	}
	for _, l := range levels {
		want := fmt.Sprint(l.OnHand - l.Held - l.Committed - l.SafetyStock + l.BackorderLimit)
		if got := stock[string(l.SKU)+"\x1f"+string(l.Location)]; got != want {
			r.TB.Errorf("available of %s at %s is %q in Redis, %s in the ledger (%+v)", l.SKU, l.Location, got, want, l)
		}
	}
	r.checkLimits(ctx, c)
	inRedis, err := c.HGetAll(ctx, "{holdfast:0}:reservations").Result()
	if err != nil {
		r.TB.Fatal(err)
	}
	rows, _ := r.Pool.Query(ctx, `select id from reservations where resolved_at is null`)
	live, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		r.TB.Fatal(err)
	}
	_, records, err := postgres.New(r.Pool, 0).RecordsAt(ctx, live)
	if err != nil {
		r.TB.Fatal(err)
	}
	for id, record := range records {
		if got := inRedis[id]; got != record.Encode() {
			r.TB.Errorf("%s is %q in Redis, %q in the ledger", id, got, record.Encode())
		}
	}
	for id, text := range inRedis {
		record, err := wire.DecodeRecord(text)
		if err != nil {
			r.TB.Error(err)
		}
		if _, there := records[id]; !there && !ledger.Resolved(record.State) {
			r.TB.Errorf("%s is %s in Redis, and not live in the ledger", id, record.State)
		}
	}
}

// checkLimits compares the counts of purchase limits.
func (r *Rig) checkLimits(ctx context.Context, c *redis.Client) {
	r.TB.Helper()
	inRedis, err := c.HGetAll(ctx, "{holdfast:0}:limits").Result()
	if err != nil {
		r.TB.Fatal(err)
	}
	rows, _ := r.Pool.Query(ctx, `select limit_id, customer, units::text from limit_counts where units <> 0`)
	var limit, customer, units string
	inLedger := map[string]string{}
	if _, err := pgx.ForEachRow(rows, []any{&limit, &customer, &units}, func() error {
		inLedger[limit+"\x1f"+customer] = units
		return nil
	}); err != nil {
		r.TB.Fatal(err)
	}
	if !maps.Equal(inRedis, inLedger) {
		r.TB.Errorf("limits count %q in Redis, %q in the ledger", inRedis, inLedger)
	}
}

// Must fails the test or benchmark if err is not nil.
func Must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
