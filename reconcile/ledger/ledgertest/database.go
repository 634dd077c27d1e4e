package ledgertest

import (
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
	pool := OpenPool(tb, pgtest.Database(tb))
	if _, err := postgres.Migrate(tb.Context(), pool); err != nil {
		tb.Fatal(err)
	}
	return pool
}
