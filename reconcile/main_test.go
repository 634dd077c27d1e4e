package reconcile

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// openPool connects to a database; it is closed with the test.
func openPool(tb testing.TB, url string) *pgxpool.Pool {
	tb.Helper()
	pool, err := pgxpool.New(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(pool.Close)
	return pool
}

// openLedger makes a database with the schema of the ledger.
func openLedger(tb testing.TB) *pgxpool.Pool {
	tb.Helper()
	pool := openPool(tb, pgtest.Database(tb))
	if _, err := Migrate(tb.Context(), pool); err != nil {
		tb.Fatal(err)
	}
	return pool
}
