package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// poolSize is the most connections that a ledger opens, besides the reconciler's. Calls share them.
const poolSize = 8

// Open returns the ledger of shard 0 over the database at url, a libpq connection string. It does
// not wait for the database to answer: one that is down now may be up later. The error never
// contains the password.
func Open(url string) (*Ledger, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("postgres.url: %w", err)
	}
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_custom_plan" // a plan made for small tables outlives them
	config.MaxConns = max(config.MaxConns, poolSize)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("postgres.url: %w", err)
	}
	return New(pool, 0), nil
}

// Close closes the connections that Open opens.
func (p *Ledger) Close() { p.pool.Close() }

// Migrate applies the migrations that the schema lacks; see the function of that name.
func (p *Ledger) Migrate(ctx context.Context) (applied []string, err error) {
	return Migrate(ctx, p.pool)
}

// CheckSchema checks that the schema is the one that this binary needs; see the function of that
// name.
func (p *Ledger) CheckSchema(ctx context.Context) error { return CheckSchema(ctx, p.pool) }

// RequestRebuild asks the process that holds the lock of the shard for a rebuild. It begins within
// two seconds. ok is false if the ledger is empty, and there is nothing to rebuild from.
func (p *Ledger) RequestRebuild(ctx context.Context) (ok bool, err error) {
	tag, err := p.pool.Exec(ctx, `update positions set rebuild = true where shard = $1`, p.shard)
	return err == nil && tag.RowsAffected() == 1, err
}

// Epoch returns the ledger's current epoch, 0 if it is empty.
func (p *Ledger) Epoch(ctx context.Context) (uint64, error) {
	at, _, err := readPosition(ctx, p.pool, p.shard, "")
	return at.Epoch, err
}
