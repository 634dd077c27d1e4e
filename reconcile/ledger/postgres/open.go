package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// poolSize is how many connections a ledger opens at most, beside the reconciler's: calls share few.
const poolSize = 8

// Open makes the ledger of shard 0 over the database that url names, as libpq takes it. It does not
// wait for the database to answer: one that is down now may be up later. The error never carries the
// password.
func Open(url string) (*Ledger, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("postgres.url: %w", err)
	}
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_custom_plan" // tables grow faster than plans
	config.MaxConns = max(config.MaxConns, poolSize)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("postgres.url: %w", err)
	}
	return New(pool, 0), nil
}

// Close closes what Open has opened.
func (p *Ledger) Close() { p.pool.Close() }

// Migrate brings the schema to what this binary needs; see the function of that name.
func (p *Ledger) Migrate(ctx context.Context) (applied []string, err error) {
	return Migrate(ctx, p.pool)
}

// CheckSchema says whether the schema is the one that this binary needs; see the function of that name.
func (p *Ledger) CheckSchema(ctx context.Context) error { return CheckSchema(ctx, p.pool) }

// RequestRebuild asks whoever holds the lock of the shard for a rebuild, which it begins within a second
// or two; ok is false where the ledger has begun nothing yet, and there is nothing to rebuild from.
func (p *Ledger) RequestRebuild(ctx context.Context) (ok bool, err error) {
	tag, err := p.pool.Exec(ctx, `update positions set rebuild = true where shard = $1`, p.shard)
	return err == nil && tag.RowsAffected() == 1, err
}

// Epoch is the epoch that the ledger has begun last; 0 where it has begun nothing yet.
func (p *Ledger) Epoch(ctx context.Context) (uint64, error) {
	at, _, err := readPosition(ctx, p.pool, p.shard, "")
	return at.Epoch, err
}
