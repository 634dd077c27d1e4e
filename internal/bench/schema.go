package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// schemaName is the schema of a run. Its comment is schemaMark, which tells it from others.
	schemaName = "holdfast_bench"
	schemaMark = "created by holdfast bench, which removes it"
	// schemaLock is the advisory lock of a run: "hf bench" in ASCII.
	schemaLock = 0x68662062656e6368

	adminTimeout = 30 * time.Second       // of one statement that creates or drops the schema
	closeTimeout = 100 * time.Millisecond // a dead server does not answer
)

// ErrDeployed reports that a reconciler uses the database. A run would compete with it.
var ErrDeployed = errors.New("a `holdfast serve` or `holdfast reconcile run` is using this database: " +
	"stop it, or use another database")

// claimPostgres claims the schema until release, which also drops it. It returns ErrInUse or else
// ErrDeployed if the database is not free.
func claimPostgres(ctx context.Context, url string) (conn *pgx.Conn, release func(context.Context) error, err error) {
	conn, err = pgx.Connect(ctx, url)
	if err != nil {
		return nil, nil, fmt.Errorf("postgres: %w", err)
	}
	release = func(ctx context.Context) error {
		err := dropSchema(ctx, conn)
		_, _ = conn.Exec(ctx, `select pg_advisory_unlock_all()`) // now, not when the server notices that the connection has ended
		ctx, cancel := context.WithTimeout(ctx, closeTimeout)
		defer cancel()
		_ = conn.Close(ctx)
		return err
	}
	const query = `
select pg_try_advisory_lock($1), exists (
    select from pg_stat_activity where datname = current_database() and application_name = 'holdfast reconciler')`
	var free, deployed bool
	err = conn.QueryRow(ctx, query, int64(schemaLock)).Scan(&free, &deployed)
	switch {
	case err == nil && !free:
		err = ErrInUse
	case err == nil && deployed:
		err = ErrDeployed
	}
	if err == nil {
		_, err = conn.Exec(ctx, `set idle_session_timeout = 0; set client_min_messages = warning`)
	}
	if err != nil {
		_ = conn.Close(ctx)
		return nil, nil, fmt.Errorf("postgres: %w", err)
	}
	return conn, release, nil
}

// dropSchema drops the schema of a run. It refuses to drop one that something else has created.
func dropSchema(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := adminContext(ctx)
	defer cancel()
	const query = `select coalesce(obj_description(oid, 'pg_namespace'), '') from pg_namespace where nspname = $1`
	var comment string
	switch err := conn.QueryRow(ctx, query, schemaName).Scan(&comment); {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("postgres: find the schema %s: %w", schemaName, err)
	case comment != schemaMark:
		return fmt.Errorf("postgres: holdfast bench did not create the schema %s, whose comment is %q: use another database",
			schemaName, comment)
	}
	if _, err := conn.Exec(ctx, `drop schema `+schemaName+` cascade`); err != nil {
		return fmt.Errorf("postgres: drop the schema %s: %w", schemaName, err)
	}
	return nil
}

// adminContext survives an interrupt: pgx closes a connection whose statement is cancelled, but the
// schema has yet to be dropped on it.
func adminContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), adminTimeout)
}

// createSchema creates an empty schema with tables and connects to it. The settings of each
// connection are pairs of a name and a value.
func (e *env) createSchema(ctx context.Context, connections int, tables string, settings ...string) (*pgxpool.Pool, error) {
	if err := dropSchema(ctx, e.admin); err != nil {
		return nil, err
	}
	admin, cancel := adminContext(ctx)
	defer cancel()
	create := `create schema ` + schemaName + `; comment on schema ` + schemaName + ` is '` + schemaMark + `'`
	if _, err := e.admin.Exec(admin, create); err != nil {
		return nil, fmt.Errorf("postgres: create the schema %s: %w", schemaName, err)
	}
	config, err := pgxpool.ParseConfig(e.postgres)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	config.MaxConns = int32(connections) //nolint:gosec // bounded by Check
	config.ConnConfig.RuntimeParams["search_path"] = schemaName
	for i := 0; i < len(settings); i += 2 {
		config.ConnConfig.RuntimeParams[settings[i]] = settings[i+1]
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if _, err := pool.Exec(ctx, tables); err != nil {
		pool.Close()
		return nil, fmt.Errorf("postgres: create tables: %w", err)
	}
	return pool, nil
}
