package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// update sells with one conditional update for each line, without id or record.
type update struct{ pool *pgxpool.Pool }

const stockTable = `create table stock (sku text primary key, qty bigint not null check (qty >= 0))`

func openUpdate(ctx context.Context, e *env, _ *workload) (seller, error) {
	pool, err := e.createSchema(ctx, e.options.Connections, stockTable)
	return &update{pool}, err
}

func (u *update) stock(ctx context.Context, skus []string, units int64) error {
	const query = `
insert into stock (sku, qty) select sku, $2 from unnest($1::text[]) as s (sku)`
	if _, err := u.pool.Exec(ctx, query, skus, units); err != nil {
		return err
	}
	_, err := u.pool.Exec(ctx, `vacuum analyze stock`)
	return err
}

const takeUnits = `update stock set qty = qty - $2 where sku = $1 and qty >= $2`

func (u *update) reserve(ctx context.Context, _ int, o *order) (outcome, error) {
	if len(o.lines) == 1 {
		tag, err := u.pool.Exec(ctx, takeUnits, o.lines[0].sku, o.lines[0].quantity)
		if err == nil && tag.RowsAffected() == 0 {
			return refused, nil
		}
		return accepted, err
	}
	return transactionOutcome(pgx.BeginFunc(ctx, u.pool, func(tx pgx.Tx) error {
		for _, l := range o.lines { // sorted by SKU: no deadlock
			tag, err := tx.Exec(ctx, takeUnits, l.sku, l.quantity)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				return errInsufficient
			}
		}
		return nil
	}))
}

// These errors roll a transaction back, but are not failures.
var (
	errInsufficient = errors.New("not enough")
	errReplay       = errors.New("the id exists")
)

func transactionOutcome(err error) (outcome, error) {
	switch {
	case errors.Is(err, errInsufficient):
		return refused, nil
	case errors.Is(err, errReplay):
		return replayed, nil
	}
	return accepted, err
}

func (u *update) left(ctx context.Context, skus []string) (total int64, err error) {
	err = u.pool.QueryRow(ctx, `select sum(qty)::bigint from stock where sku = any ($1)`, skus).Scan(&total)
	if err != nil {
		return 0, fmt.Errorf("postgres: %w", err)
	}
	return total, nil
}

func (u *update) trim(context.Context) error { return nil }

func (u *update) close(context.Context) error {
	u.pool.Close()
	return nil
}
