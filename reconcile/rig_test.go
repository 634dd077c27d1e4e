package reconcile

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
	"github.com/holdfast/holdfast/location"
)

// rig is a deployment: a redis-server, a database, and instances over them.
type rig struct {
	tb    testing.TB
	redis *redistest.Server
	pool  *pgxpool.Pool
	logs  *logs
	ops   atomic.Int64
}

// logs keeps what instances log for a test that fails.
type logs struct{ tb testing.TB }

func (l *logs) Write(p []byte) (int, error) {
	if _, measuring := l.tb.(*testing.B); measuring {
		return len(p), nil
	}
	l.tb.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func newRig(tb testing.TB, redisArgs ...string) *rig {
	tb.Helper()
	return &rig{tb: tb, redis: redistest.Start(tb, redisArgs...), pool: openLedger(tb), logs: &logs{tb}}
}

// instance is one process of a deployment: a store and a reconciler.
type instance struct {
	rig        *rig
	store      *cache.Store
	ledger     *Postgres
	reconciler *Reconciler
	client     *redis.Client
	stop       func()
}

// client never sends a command twice.
func (r *rig) client() *redis.Client { return r.clientOf(r.redis.Addr()) }

func (r *rig) clientOf(addr string) *redis.Client {
	c := redis.NewClient(&redis.Options{
		Addr: addr, MaxRetries: -1, DialerRetries: 1, Protocol: 2, PoolSize: 32,
		DialTimeout: 500 * time.Millisecond, ReadTimeout: 500 * time.Millisecond, WriteTimeout: 500 * time.Millisecond,
		ContextTimeoutEnabled: true, DisableIdentity: true,
	})
	r.tb.Cleanup(func() { _ = c.Close() })
	return c
}

// start starts an instance whose reconciler change has set up; it ends with the test, or with stop.
func (r *rig) start(change func(*Reconciler)) *instance {
	r.tb.Helper()
	return r.startOver(r.redis.Addr(), change)
}

// startOver starts an instance that reaches Redis at addr.
func (r *rig) startOver(addr string, change func(*Reconciler)) *instance {
	r.tb.Helper()
	client, ledger := r.clientOf(addr), NewPostgres(r.pool, 0)
	logger := slog.New(slog.NewTextHandler(r.logs, nil))
	store, err := cache.New(client, cache.Options{Ledger: ledger, DurableWait: 3 * time.Second, Logger: logger})
	if err != nil {
		r.tb.Fatal(err)
	}
	i := &instance{rig: r, store: store, ledger: ledger, client: client}
	i.reconciler = &Reconciler{Client: client, Ledger: ledger, Logger: logger}
	if change != nil {
		change(i.reconciler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.reconciler.Run(ctx) }()
	var stopped atomic.Bool
	i.stop = func() {
		if stopped.Swap(true) {
			return
		}
		cancel()
		if err := <-ended; err != nil {
			r.tb.Error(err)
		}
		if err := store.Close(context.Background()); err != nil {
			r.tb.Error(err)
		}
	}
	r.tb.Cleanup(i.stop)
	return i
}

// await waits until done, or fails the test.
func (r *rig) await(what string, most time.Duration, done func() error) time.Duration {
	r.tb.Helper()
	started := time.Now()
	for {
		err := done()
		if err == nil {
			return time.Since(started)
		}
		if time.Since(started) > most {
			r.tb.Fatalf("%s: not within %v: %v", what, most, err)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// open waits until reserve can be served.
func (i *instance) open(most time.Duration) time.Duration {
	i.rig.tb.Helper()
	return i.rig.await("the gate is open", most, func() error { return i.store.Ready(context.Background()) })
}

// serves waits until a hold is taken, of a level of its own.
func (i *instance) serves(most time.Duration) time.Duration {
	i.rig.tb.Helper()
	r := order(fmt.Sprintf("probe-%d", i.rig.ops.Add(1)), "PROBE", 1)
	return i.rig.await("a hold is taken", most, func() error {
		_, err := i.store.Reserve(context.Background(), r)
		return err
	})
}

// count sets on hand of a level.
func (i *instance) count(sku location.SKU, at location.ID, units int64) {
	i.rig.tb.Helper()
	_, err := i.store.Adjust(context.Background(), cache.AdjustRequest{
		ID:      fmt.Sprintf("count-%d", i.rig.ops.Add(1)),
		Changes: []cache.Change{{SKU: sku, Location: at, OnHand: &units}},
	})
	if err != nil {
		i.rig.tb.Fatal(err)
	}
}

func order(id string, sku location.SKU, units int64) cache.ReserveRequest {
	return cache.ReserveRequest{ID: id, TTL: time.Hour, Lines: []cache.LineRequest{{Line: "1", SKU: sku, Quantity: units}}}
}

// reserve must hold.
func (i *instance) reserve(id string, sku location.SKU, units int64) cache.Result {
	i.rig.tb.Helper()
	result, err := i.store.Reserve(context.Background(), order(id, sku, units))
	if err != nil {
		i.rig.tb.Fatal(err)
	}
	return result
}

// confirm must be durable.
func (i *instance) confirm(id string) cache.Result {
	i.rig.tb.Helper()
	result, err := i.store.Confirm(context.Background(), cache.TransitionRequest{ID: id})
	if err != nil || !result.Durable || result.State != cache.StateConfirmed {
		i.rig.tb.Fatalf("confirm %s: %+v, %v", id, result, err)
	}
	return result
}

// quiesce waits until the ledger has applied everything, and nothing is left to be undone.
func (r *rig) quiesce() {
	r.tb.Helper()
	c := r.client()
	r.await("everything is applied", 20*time.Second, func() error {
		ctx := context.Background()
		last, err := c.XRevRangeN(ctx, "{holdfast:0}:events", "+", "-", 1).Result()
		if err != nil {
			return err
		}
		at, there, err := NewPostgres(r.pool, 0).applied(ctx)
		if err != nil || !there || len(last) != 1 || at.EntryID() != last[0].ID {
			return fmt.Errorf("position %s, stream %v, %w", at.EntryID(), last, err)
		}
		if open, err := r.openRefusals(ctx); err != nil || open > 0 {
			return fmt.Errorf("%d open refusals, %w", open, err)
		}
		return nil
	})
}

// openRefusals counts the refusals that are still to be undone in Redis.
func (r *rig) openRefusals(ctx context.Context) (n int, err error) {
	err = r.pool.QueryRow(ctx, `select count(*) from refusals where settled_at is null`).Scan(&n)
	return n, err
}

// invariants that the ledger must hold by itself: each query lists what breaks one.
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

// check has all invariants hold, and Redis agree with the ledger in every counter and every live
// reservation. Nothing may be under way.
func (r *rig) check() {
	r.tb.Helper()
	r.quiesce()
	ctx := context.Background()
	for name, query := range invariants {
		rows, _ := r.pool.Query(ctx, query)
		broken, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (text string, err error) {
			var sku, at string
			err = row.Scan(&sku, &at)
			return sku + "@" + at, err
		})
		if err != nil || len(broken) > 0 {
			r.tb.Errorf("%s: broken at %v, %v", name, broken, err)
		}
	}
	r.checkRedis(ctx)
}

// checkRedis compares Redis with the ledger. After a long load a whole hash is more than a call may take.
func (r *rig) checkRedis(ctx context.Context) {
	r.tb.Helper()
	c := redis.NewClient(&redis.Options{Addr: r.redis.Addr(), MaxRetries: -1, Protocol: 2, ReadTimeout: time.Minute, DisableIdentity: true})
	defer func() { _ = c.Close() }()
	all, _ := r.pool.Query(ctx, `
select sku, location, on_hand, held, committed, safety_stock, backorder_limit, 0::bigint from levels`)
	levels, err := pgx.CollectRows(all, pgx.RowToStructByPos[cache.Level])
	if err != nil {
		r.tb.Fatal(err)
	}
	stock, err := c.HGetAll(ctx, "{holdfast:0}:stock").Result()
	if err != nil {
		r.tb.Fatal(err)
	}
	for _, l := range levels {
		want := fmt.Sprint(l.OnHand - l.Held - l.Committed - l.SafetyStock + l.BackorderLimit)
		if got := stock[string(l.SKU)+"\x1f"+string(l.Location)]; got != want {
			r.tb.Errorf("available of %s at %s is %q in Redis, %s in the ledger (%+v)", l.SKU, l.Location, got, want, l)
		}
	}
	r.checkLimits(ctx, c)
	inRedis, err := c.HGetAll(ctx, "{holdfast:0}:reservations").Result()
	if err != nil {
		r.tb.Fatal(err)
	}
	rows, _ := r.pool.Query(ctx, `select id from reservations where resolved_at is null`)
	live, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		r.tb.Fatal(err)
	}
	records, err := NewPostgres(r.pool, 0).recordsOf(ctx, live)
	if err != nil {
		r.tb.Fatal(err)
	}
	for id, record := range records {
		if got := inRedis[id]; got != record.Encode() {
			r.tb.Errorf("%s is %q in Redis, %q in the ledger", id, got, record.Encode())
		}
	}
	for id, text := range inRedis {
		record, err := cache.DecodeRecord(text)
		if err != nil {
			r.tb.Error(err)
		}
		if _, there := records[id]; !there && !resolved(record.State) {
			r.tb.Errorf("%s is %s in Redis, and not live in the ledger", id, record.State)
		}
	}
}

// checkLimits compares what purchase limits count.
func (r *rig) checkLimits(ctx context.Context, c *redis.Client) {
	r.tb.Helper()
	inRedis, err := c.HGetAll(ctx, "{holdfast:0}:limits").Result()
	if err != nil {
		r.tb.Fatal(err)
	}
	rows, _ := r.pool.Query(ctx, `select limit_id, customer, units::text from limit_counts where units <> 0`)
	var limit, customer, units string
	inLedger := map[string]string{}
	if _, err := pgx.ForEachRow(rows, []any{&limit, &customer, &units}, func() error {
		inLedger[limit+"\x1f"+customer] = units
		return nil
	}); err != nil {
		r.tb.Fatal(err)
	}
	if !maps.Equal(inRedis, inLedger) {
		r.tb.Errorf("limits count %q in Redis, %q in the ledger", inRedis, inLedger)
	}
}
