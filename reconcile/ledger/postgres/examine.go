package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast/holdfast/reconcile/setup"
)

// clockSkewMax is how far the clocks of Redis and Postgres may differ before doctor warns.
const clockSkewMax = 2 * time.Second

// Examine checks the settings, the schema and the permissions that the ledger's promises rest on,
// and that the ledger belongs to this prefix and number of shards. It changes nothing.
func (p *Ledger) Examine(ctx context.Context, prefix string, shards int) ([]setup.Finding, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	findings, err := examineServer(ctx, conn)
	if err != nil {
		return nil, err
	}
	schema := CheckSchema(ctx, conn)
	findings = append(findings, setup.NewFinding("postgres schema", seenSchema(schema), schema == nil, setup.Fail, doSchema(schema)))
	if schema == nil {
		more, err := p.examineLedger(ctx, conn, prefix, shards)
		if findings = append(findings, more...); err != nil {
			return findings, err
		}
	}
	session, err := p.examineSession(ctx, conn)
	if pgconn.Timeout(err) { // that is no fault of the set-up
		return findings, err
	}
	return append(findings, session), err
}

// examineSession checks that a session keeps its connection, and that it reaches the ledger of the
// other connections.
func (p *Ledger) examineSession(ctx context.Context, other querier) (setup.Finding, error) {
	const query = `
select concat_ws(' ', pg_postmaster_start_time(), current_database(), to_regclass('positions')::oid)`
	const name = "postgres session"
	conn, err := p.dial(ctx)
	if errors.Is(err, errPooled) {
		return setup.Finding{Name: name, Status: setup.Fail, Seen: errPooled.Error(), Do: doPooled}, nil
	}
	if err != nil {
		return setup.Finding{Name: name, Status: setup.Fail, Seen: "no connection", Do: "correct postgres.session_url"}, err
	}
	defer closeConn(conn)
	var ledgers [2][]string
	for i, db := range []querier{conn, other} {
		if ledgers[i], err = collect(ctx, db, pgx.RowTo[string], query); err != nil {
			return setup.Finding{}, err
		}
	}
	if ledgers[0][0] != ledgers[1][0] {
		return setup.Finding{
			Name: name, Status: setup.Fail, Seen: "postgres.session_url and postgres.url lead to different ledgers",
			Do: "set both to the same server, database and user",
		}, nil
	}
	return setup.Finding{Name: name, Status: setup.OK, Seen: "keeps its connection"}, nil
}

// examineServer checks the server's settings, as a session of this user has them.
func examineServer(ctx context.Context, db querier) ([]setup.Finding, error) {
	const query = `
select current_setting('server_version'), current_setting('server_version_num')::integer >= 140000, pg_is_in_recovery(),
    current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes'),
    current_setting('default_transaction_read_only'), current_setting('server_encoding')`
	rows, _ := db.Query(ctx, query) // its error is that of the rows
	return pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) ([]setup.Finding, error) {
		var version, commit, fsync, pages, readOnly, encoding string
		var newEnough, standby bool
		if err := row.Scan(&version, &newEnough, &standby, &commit, &fsync, &pages, &readOnly, &encoding); err != nil {
			return nil, err
		}
		role := "primary"
		if standby {
			role = "standby"
		}
		return []setup.Finding{
			setup.NewFinding("postgres version", version, newEnough, setup.Fail, "use PostgreSQL 14 or newer, which can end the session of a process that hangs"),
			setup.NewFinding("postgres encoding", encoding, encoding == utf8, setup.Fail, doEncoding),
			setup.NewFinding("postgres role", role, !standby, setup.Fail, "set postgres.url to the primary: a standby is read-only"),
			setup.NewFinding("postgres synchronous_commit", commit, commit != "off", setup.Fail,
				"set synchronous_commit to on (or remote_write, remote_apply) for this user: with off, an acknowledged sale can be lost"),
			setup.NewFinding("postgres fsync", fsync, fsync == "on", setup.Fail, "set fsync to on: without it, a power loss can destroy the ledger"),
			setup.NewFinding("postgres full_page_writes", pages, pages == "on", setup.Warn, "set full_page_writes to on, unless the file system writes whole pages"),
			setup.NewFinding("postgres read-only", readOnly, readOnly == "off", setup.Fail, "set default_transaction_read_only to off for this user"),
		}, nil
	})
}

func seenSchema(err error) string {
	if err == nil {
		return "as this binary needs it"
	}
	return err.Error()
}

func doSchema(err error) string {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	denied := ok && refused.Code == "42501" // insufficient_privilege
	switch {
	case errors.Is(err, ErrSchemaOld):
		return "run holdfast migrate"
	case errors.Is(err, ErrSchemaNew):
		return "run the newer holdfast that made it"
	case denied:
		return "grant this user usage on the schema, and select on schema_migrations"
	default:
		return "run the holdfast that made it, or restore the database"
	}
}

// examineLedger checks the permissions of this user, and which prefix the ledger belongs to.
func (p *Ledger) examineLedger(ctx context.Context, db querier, prefix string, shards int) ([]setup.Finding, error) {
	const query = `
select coalesce(string_agg(p || ' on ' || t, ', '), '') from unnest(array['levels', 'reservations', 'reservation_lines',
    'line_destinations', 'limit_counts', 'level_counts', 'operations', 'movements', 'positions', 'refusals', 'quarantine', 'directories', 'audits', 'audit_findings']) as t
    cross join unnest(array['select', 'insert', 'update', 'delete']) as p
where not has_table_privilege(t, p) and case p
    when 'update' then t not in ('movements', 'directories', 'line_destinations') when 'delete' then t in ('levels', 'audit_findings') else true end`
	rows, _ := db.Query(ctx, query) // its error is that of the rows
	lacking, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	seen := "all that is needed"
	if lacking != "" {
		seen = "lacks " + lacking
	}
	findings := []setup.Finding{setup.NewFinding("postgres permissions", seen, lacking == "", setup.Fail,
		"grant this user what it lacks, or make it the owner of the tables")}
	at, there, err := readPosition(ctx, db, p.shard, "")
	if err != nil || !there {
		return append(findings, setup.Finding{Name: "ledger", Status: setup.OK, Seen: "empty"}), err
	}
	return append(findings, setup.NewFinding("ledger", fmt.Sprintf("prefix %q, %d shards, epoch %d", at.Prefix, at.Shards, at.Epoch),
		at.Prefix == prefix && at.Shards == shards, setup.Fail,
		fmt.Sprintf("set redis.prefix to %q and redis.shards to %d, or postgres.url to the ledger of this prefix", at.Prefix, at.Shards))), nil
}

// ExamineClocks compares the clocks of Redis, read by redisNow, and of Postgres.
func (p *Ledger) ExamineClocks(ctx context.Context, redisNow func() (time.Time, error)) (setup.Finding, error) {
	var there time.Time
	if err := p.pool.QueryRow(ctx, `select clock_timestamp()`).Scan(&there); err != nil {
		return setup.Finding{}, err
	}
	here, err := redisNow()
	if err != nil {
		return setup.Finding{}, err
	}
	apart := here.Sub(there).Abs().Round(time.Millisecond)
	return setup.NewFinding("clocks of redis and postgres", apart.String()+" apart", apart <= clockSkewMax, setup.Warn,
		"keep both machines' clocks in step (NTP): deadlines are Redis's time"), nil
}
