package bench

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// forUpdate sells in a transaction that inserts the order, locks the rows of stock, checks and
// updates them.
type forUpdate struct{ update }

const orderTables = stockTable + `;
create table orders (
    id         text primary key,
    state      text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create table order_lines (
    order_id text not null references orders (id),
    sku      text not null,
    quantity bigint not null,
    primary key (order_id, sku)
)`

func openForUpdate(ctx context.Context, e *env, _ *workload) (seller, error) {
	pool, err := e.createSchema(ctx, e.options.Connections, orderTables)
	return &forUpdate{update{pool}}, err
}

const (
	insertOrder = `insert into orders (id, state, expires_at) values ($1, 'held', $2) on conflict do nothing`
	lockStock   = `select sku, qty from stock where sku = any ($1) order by sku for update`
	takeLines   = `
update stock s set qty = qty - l.quantity
from unnest($1::text[], $2::bigint[]) as l (sku, quantity) where s.sku = l.sku`
	insertLines = `
insert into order_lines (order_id, sku, quantity)
select $1, l.sku, l.quantity from unnest($2::text[], $3::bigint[]) as l (sku, quantity)`
)

func (f *forUpdate) reserve(ctx context.Context, _ int, o *order) (outcome, error) {
	return transactionOutcome(pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		// Insert first, so that the rows of stock are not locked meanwhile.
		tag, err := tx.Exec(ctx, insertOrder, o.id, time.Now().Add(holdTTL))
		if err == nil && tag.RowsAffected() == 0 {
			err = errReplay
		}
		if err != nil {
			return err
		}
		return f.take(ctx, tx, o)
	}))
}

func (f *forUpdate) take(ctx context.Context, tx pgx.Tx, o *order) error {
	skus, quantities := make([]string, len(o.lines)), make([]int64, len(o.lines))
	for i, l := range o.lines {
		skus[i], quantities[i] = l.sku, l.quantity
	}
	rows, _ := tx.Query(ctx, lockStock, skus) // rows also hold its error
	var sku string
	var units int64
	found, short := 0, false
	_, err := pgx.ForEachRow(rows, []any{&sku, &units}, func() error {
		found++
		short = short || units < quantities[slices.Index(skus, sku)]
		return nil
	})
	if err == nil && (short || found < len(skus)) {
		err = errInsufficient
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insertLines, o.id, skus, quantities); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, takeLines, skus, quantities)
	return err
}

// holdMany inserts orders as reserve would have left them.
func (f *forUpdate) holdMany(ctx context.Context, from *orders, n int) error {
	var o order
	var ids, skus []string
	var quantities []int64
	for i := range n {
		from.fill(&o, int64(i))
		for _, l := range o.lines {
			ids, skus, quantities = append(ids, o.id), append(skus, l.sku), append(quantities, l.quantity)
		}
	}
	const query = `
with lines as (select * from unnest($1::text[], $2::text[], $3::bigint[]) as l (id, sku, quantity)),
heads as (insert into orders (id, state, expires_at) select distinct id, 'held', $4::timestamptz from lines),
kept as (insert into order_lines (order_id, sku, quantity) select id, sku, quantity from lines)
update stock s set qty = qty - l.quantity
from (select sku, sum(quantity) as quantity from lines group by sku) l where s.sku = l.sku`
	_, err := f.pool.Exec(ctx, query, ids, skus, quantities, time.Now().Add(holdTTL))
	return err
}
