package reconciletest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

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
	for name, query := range invariants {
		if broken := r.pairs(query); len(broken) > 0 {
			r.TB.Errorf("%s: broken at %v", name, broken)
		}
	}
	r.checkRedis()
}

// invariants are the invariants of the ledger alone: each query lists the levels that break one.
var invariants = map[string]string{
	"held and committed are the sums over reservations": `
select l.sku || '@' || l.location, to_json(l)::text from levels l left join (
    select sku, at, sum(case when state = 'held' then quantity else 0 end) as held,
        sum(case when state = 'confirmed' then quantity - gone else 0 end) as committed,
        sum(case when state = 'confirmed' and backorder then quantity - gone else 0 end) as committed_backorder
    from reservations r join reservation_lines on reservation_id = id
        cross join unnest(locations, quantities, fulfilled) as f (at, quantity, gone)
    group by 1, 2
) m on m.sku = l.sku and m.at = l.location
where (l.held, l.committed, l.committed_backorder) is distinct from
    (coalesce(m.held, 0), coalesce(m.committed, 0), coalesce(m.committed_backorder, 0))`,
	"movements, replayed, give the levels": `
select sku || '@' || location, coalesce(to_json(l)::text, 'no level') from levels l full join (
    select sku, location, sum(on_hand) as on_hand, sum(held) as held, sum(committed) as committed,
        sum(safety_stock) as safety_stock, sum(backorder_limit) as backorder_limit from movements group by 1, 2
) m using (sku, location)
where (coalesce(l.on_hand, 0), coalesce(l.held, 0), coalesce(l.committed, 0), coalesce(l.safety_stock, 0), coalesce(l.backorder_limit, 0)) is distinct from
    (coalesce(m.on_hand, 0), coalesce(m.held, 0), coalesce(m.committed, 0), coalesce(m.safety_stock, 0), coalesce(m.backorder_limit, 0))`,
	"plain lines have no more committed than there is": `
select sku || '@' || location, to_json(l)::text from levels l where committed - committed_backorder > on_hand + backorder_limit`,
}

// recordsMax is the most records that checkRedis reads in one call, which has a time limit.
const recordsMax = 1000

// checkRedis compares Redis with the ledger. Its own client has a long time-out, since it reads
// whole hashes.
func (r *Rig) checkRedis() {
	r.TB.Helper()
	c := redis.NewClient(&redis.Options{Addr: r.Redis.Addr(), MaxRetries: -1, Protocol: 2, ReadTimeout: time.Minute, DisableIdentity: true})
	defer func() { _ = c.Close() }()
	hash := func(key string) map[string]string {
		all, err := c.HGetAll(context.Background(), key).Result()
		Must(r.TB, err)
		delete(all, "{seal}") // see internal/shard/damage.go
		return all
	}
	stock := hash(KeyStock)
	for level, want := range r.pairs(`
select sku || chr(31) || location, (on_hand - held - committed - safety_stock + backorder_limit)::text from levels`) {
		if stock[level] != want {
			r.TB.Errorf("available of %q is %q in Redis, %s in the ledger", level, stock[level], want)
		}
	}
	counts := r.pairs(`select limit_id || chr(31) || customer, units::text from limit_counts where units <> 0`)
	if limits := hash(KeyLimits); !maps.Equal(limits, counts) {
		r.TB.Errorf("limits count %q in Redis, %q in the ledger", limits, counts)
	}
	live := slices.Collect(maps.Keys(r.pairs(`select id, state from reservations where resolved_at is null`)))
	records := map[string]wire.Record{}
	for ids := range slices.Chunk(live, recordsMax) {
		_, found, err := postgres.New(r.Pool, 0).RecordsAt(context.Background(), ids)
		Must(r.TB, err)
		maps.Copy(records, found)
	}
	reservations := hash(KeyReservations)
	for id, record := range records {
		if got := reservations[id]; got != record.Encode() {
			r.TB.Errorf("%s is %q in Redis, %q in the ledger", id, got, record.Encode())
		}
	}
	for id, text := range reservations {
		record, err := wire.DecodeRecord(text)
		if err != nil {
			r.TB.Error(err)
		}
		if _, there := records[id]; !there && !ledger.Resolved(record.State) {
			r.TB.Errorf("%s is %s in Redis, and not live in the ledger", id, record.State)
		}
	}
}
