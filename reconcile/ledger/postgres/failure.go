package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast/holdfast/reconcile/ledger"
)

// unwritableReasons says by SQLSTATE, or by its class, why the ledger cannot be written although
// Postgres answers. Repeating the call does not help until a person has acted.
var unwritableReasons = map[string]string{
	"25006": "the database is read-only: set default_transaction_read_only to off, or use the primary",
	"28":    "Postgres refuses the user: correct the user and password of postgres.url",
	"3D000": "the database is missing: create it, or correct postgres.url",
	"3F000": "the schema of the ledger is missing: restore it, or correct the search_path of the user",
	"42501": "the user lacks a privilege on a table of the ledger: grant it, or make the user their owner",
	"42P01": "a table of the ledger is missing: restore it, or correct the search_path of the user",
	"42703": "a column of the ledger is missing: restore the tables",
	"42704": "a type of the ledger is missing: restore the tables",
	"42883": "a function of the ledger is missing: restore the tables",
	"53100": "the disk of the database is full: free or add space",
	"53200": "Postgres is out of memory",
	"53300": "Postgres takes no more connections: raise max_connections, or close connections",
	"57P01": "Postgres is shutting down",
	"57P02": "Postgres is recovering from a crash",
	"57P03": "Postgres is starting or shutting down",
	"57P04": "the database was dropped",
	"58":    "Postgres cannot read or write its files",
	"XX":    "Postgres reports damaged data",
}

// explain adds ledger.ErrUnwritable and a reason to an error that says that the ledger cannot be
// written.
func explain(err error) error {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || errors.Is(err, ledger.ErrUnwritable) {
		return err
	}
	reason := unwritableReasons[refused.Code]
	if reason == "" && len(refused.Code) == 5 {
		reason = unwritableReasons[refused.Code[:2]]
	}
	if reason == "" {
		return err
	}
	return fmt.Errorf("%w: %s: %w", ledger.ErrUnwritable, reason, err)
}

// isDataError reports whether a rule of the database refused a value. Any other error has nothing
// to do with the events, and the caller tries again.
func isDataError(err error) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(refused.Code, "22") || strings.HasPrefix(refused.Code, "23"))
}

// isDown reports whether Postgres takes no connections. A read that is slow or that Postgres
// refuses is no such sign, and neither is a limit on connections: others still use theirs.
func isDown(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); !ok {
		return false
	}
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return !ok || refused.Code != "53300"
}
