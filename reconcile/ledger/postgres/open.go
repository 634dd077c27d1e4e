package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5/pgxpool"
)

// poolSize is the most connections that a ledger opens, besides the reconciler's. Calls share them.
const poolSize = 8

// Open returns the ledger of shard 0 over the database at address, a libpq connection string. It does
// not wait for the database to answer: one that is down now may be up later. The error quotes
// nothing of address.
func Open(address string) (*Ledger, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, urlError(address)
	}
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_custom_plan" // a plan made for small tables outlives them
	config.MaxConns = max(config.MaxConns, poolSize)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("postgres.url: %w", err)
	}
	return New(pool, 0), nil
}

const encode = "; percent-encode special characters, in a password for example @ as %40, / as %2F, ? as %3F and # as %23"

// urlError returns what is wrong with a URL that the driver refuses. It names the option without which
// the driver accepts the URL, if there is one. The driver's own error would quote the URL.
func urlError(refused string) error {
	u, err := url.Parse(refused)
	if err != nil {
		return errors.New("postgres.url: is not a URL" + encode)
	}
	for option := range u.Query() {
		fewer := u.Query()
		fewer.Del(option)
		without := *u
		without.RawQuery = fewer.Encode()
		if _, err := pgxpool.ParseConfig(without.String()); err == nil {
			return fmt.Errorf("postgres.url: the value of its option %q cannot be used: correct it", option)
		}
	}
	return errors.New("postgres.url: cannot be used: check its options, such as sslmode and sslrootcert" + encode)
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
