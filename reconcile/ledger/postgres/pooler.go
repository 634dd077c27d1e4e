package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// errPooled refuses an address at which a session does not keep its connection.
var errPooled = errors.New("a pooler gives each transaction another connection of the server, so no lock and no setting lasts")

// doPooled says what to do about errPooled.
const doPooled = "set postgres.session_url to the address of the server itself, or use session pooling (pool_mode = session)"

const (
	poolerTries   = 10          // other clients of the pooler may hide the change of connection from one try
	poolerTimeout = time.Second // for the second connection: a full pooler in session mode lets it wait
)

// dial connects to the address for sessions. It returns errPooled if a session does not keep its
// connection there. Before that it sends no statement that would leave anything behind.
func (p *Ledger) dial(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, p.session)
	if err != nil {
		return nil, err
	}
	pooled, err := isPooled(ctx, conn)
	if err == nil && pooled {
		err = fmt.Errorf("%w: %s", errPooled, doPooled)
	}
	if err != nil {
		closeConn(conn)
		return nil, err
	}
	return conn, nil
}

// isPooled reports whether transactions of conn run on different connections of the server. A
// pooler hides the process id of the server's connection. If the id is hidden, a second connection
// begins a transaction. With a pooler in transaction mode, it takes the idle connection of the
// first, which then gets another one. One round trip without a pooler.
func isPooled(ctx context.Context, conn *pgx.Conn) (bool, error) {
	first, err := backendOf(ctx, conn, "")
	if err != nil || first == uint64(conn.PgConn().PID()) {
		return false, err
	}
	limited, cancel := context.WithTimeout(ctx, poolerTimeout)
	defer cancel()
	second, err := pgx.ConnectConfig(limited, conn.Config())
	if err != nil {
		return false, nil //nolint:nilerr // the pooler has no connection left: each session keeps its own
	}
	defer closeConn(second)
	for range poolerTries {
		other, err := backendOf(limited, second, "begin;")
		if _, refused := errors.AsType[*pgconn.PgError](err); refused || err == nil && other == first {
			return true, nil // a pooler in statement mode refuses begin
		}
		if err != nil {
			return false, nil //nolint:nilerr // as above
		}
		again, err := backendOf(ctx, conn, "")
		if err != nil || again != first {
			return err == nil, err
		}
		if _, err := backendOf(limited, second, "rollback;"); err != nil {
			return false, nil //nolint:nilerr // as above
		}
	}
	return false, nil
}

// backendOf returns the process id of the server's connection that runs a statement. It prepares
// nothing.
func backendOf(ctx context.Context, conn *pgx.Conn, before string) (uint64, error) {
	results, err := conn.PgConn().Exec(ctx, before+"select pg_backend_pid()").ReadAll()
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(string(results[len(results)-1].Rows[0][0]), 10, 64)
}
