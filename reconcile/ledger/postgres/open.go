package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// poolSize is the most connections that a ledger opens, besides those of sessions, pages and keys.
	// Calls share them.
	poolSize = 8
	// PageConnectionsDefault is the default of Options.PageConnections.
	PageConnectionsDefault = 4
)

// Options configures Open. The zero value works.
type Options struct {
	// SessionURL is the address for the locks that a process keeps. Set it if those lead through a
	// pooler in transaction mode. "" means the address of the other connections.
	SessionURL string
	// PageConnections is the most connections for lists and searches, which may be slow. 0 means
	// PageConnectionsDefault.
	PageConnections int
}

// Open returns the ledger of shard 0 over the database at address, a libpq connection string. It does
// not wait for the database to answer: one that is down now may be up later. The error quotes
// nothing of address.
func Open(address string, o Options) (*Ledger, error) {
	config, err := parse("postgres.url", address)
	if err != nil {
		return nil, err
	}
	session := config
	if o.SessionURL != "" {
		if session, err = parse("postgres.session_url", o.SessionURL); err != nil {
			return nil, err
		}
	}
	// Statements without a name are planned for their arguments each time, so no plan outlives a
	// small table. And a pooler may run each on another connection.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	config.MaxConns = max(config.MaxConns, poolSize)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("postgres.url: %w", err)
	}
	config = config.Copy()
	config.MaxConns = int32(cmp.Or(o.PageConnections, PageConnectionsDefault)) //nolint:gosec // few
	config.MinConns, config.MinIdleConns = 0, 0
	pages, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("postgres.url: %w", err)
	}
	config = config.Copy()
	config.MaxConns = 1
	forKeys, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		pool.Close()
		pages.Close()
		return nil, fmt.Errorf("postgres.url: %w", err)
	}
	p := New(pool, 0)
	p.pages, p.keys, p.session = pages, forKeys, session.ConnConfig.Copy()
	p.session.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	return p, nil
}

// parse reads a connection string. setting names it in the error, which quotes nothing of it.
func parse(setting, address string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, urlError(address))
	}
	config.ConnConfig.RuntimeParams["client_encoding"] = "UTF8" // whatever is set for the user or the database
	return config, nil
}

const encode = "; percent-encode special characters, in a password for example @ as %40, / as %2F, ? as %3F and # as %23"

// urlError returns what is wrong with a URL that the driver refuses. It names the option without which
// the driver accepts the URL, if there is one. The driver's own error would quote the URL.
func urlError(refused string) error {
	u, err := url.Parse(refused)
	if err != nil {
		return errors.New("is not a URL" + encode)
	}
	for option := range u.Query() {
		fewer := u.Query()
		fewer.Del(option)
		without := *u
		without.RawQuery = fewer.Encode()
		if _, err := pgxpool.ParseConfig(without.String()); err == nil {
			return fmt.Errorf("the value of its option %q cannot be used: correct it", option)
		}
	}
	return errors.New("cannot be used: check its options, such as sslmode and sslrootcert" + encode)
}

// Close closes the connections that Open opens.
func (p *Ledger) Close() {
	p.pool.Close()
	if p.pages != p.pool {
		p.pages.Close()
		p.keys.Close()
	}
}

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
