package ledgertest

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

// OpenPool connects to a database, and closes the pool at the end of the test.
func OpenPool(tb testing.TB, url string) *pgxpool.Pool {
	tb.Helper()
	pool, err := pgxpool.New(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(pool.Close)
	return pool
}

// OpenLedger connects to a new database with the schema of the ledger.
func OpenLedger(tb testing.TB) *pgxpool.Pool {
	tb.Helper()
	url, err := migrated()
	if err != nil {
		tb.Fatal(err)
	}
	return OpenPool(tb, pgtest.CopyDatabase(tb, url))
}

// migrated is a database with the schema of the ledger, which OpenLedger copies.
var migrated = sync.OnceValues(func() (url string, err error) {
	url, pool, err := migrate()
	if err == nil {
		pool.Close()
	}
	return url, err
})

// kept is a ledger in Postgres that tests use in turn, each after Empty.
var kept = sync.OnceValues(func() (*pgxpool.Pool, error) {
	_, pool, err := migrate()
	return pool, err
})

func migrate() (url string, pool *pgxpool.Pool, err error) {
	if url, err = pgtest.KeptDatabase(); err != nil {
		return "", nil, err
	}
	if pool, err = pgxpool.New(context.Background(), url); err != nil {
		return "", nil, err
	}
	_, err = postgres.Migrate(context.Background(), pool)
	return url, pool, err
}

// openEmptied returns the kept ledger without rows, much faster than a new database would be. A test
// that uses it must not run in parallel, and must not change the schema.
func openEmptied(tb testing.TB) *Bench {
	tb.Helper()
	pool, err := kept()
	if err != nil {
		tb.Fatal(err)
	}
	Empty(tb, pool)
	return &Bench{TB: tb, Ledger: postgres.New(pool, 0), Pool: pool}
}

// Empty deletes all rows of a ledger.
func Empty(tb testing.TB, pool *pgxpool.Pool) {
	tb.Helper()
	if _, err := pool.Exec(tb.Context(), `
set local session_replication_role = replica; -- no trigger refuses, no foreign key orders
delete from audit_findings;
delete from audits;
delete from directories;
delete from level_counts;
delete from levels;
delete from line_destinations;
delete from limit_counts;
delete from movements;
delete from operations;
delete from positions;
delete from quarantine;
delete from refusals;
delete from reservation_lines;
delete from reservations;`); err != nil {
		tb.Fatal(err)
	}
}
