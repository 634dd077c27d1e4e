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
	// schemaName is where a run has its tables; schemaMark, in its comment, says that it is a run's.
	schemaName = "holdfast_bench"
	schemaMark = "made by holdfast bench, which removes it"
	// schemaLock is the advisory lock of a run: "hf bench" in ASCII.
	schemaLock = 0x68662062656e6368

	adminTimeout = 30 * time.Second       // of one statement that makes or removes the schema
	closeTimeout = 100 * time.Millisecond // a server that is gone says nothing
)

// ErrDeployed says that a deployment works in the database: a run would take its time, and its lock.
var ErrDeployed = errors.New("a `holdfast serve` or `holdfast reconcile run` works in this database: " +
	"stop it, or name another database")

// claimPostgres takes the schema until release. Refusals, the first that applies: ErrInUse, ErrDeployed.
func claimPostgres(ctx context.Context, url string) (conn *pgx.Conn, release func(context.Context) error, err error) {
	conn, err = pgx.Connect(ctx, url)
	if err != nil {
		return nil, nil, fmt.Errorf("postgres: %w", err)
	}
	release = func(ctx context.Context) error {
		err := dropSchema(ctx, conn)
		_, _ = conn.Exec(ctx, `select pg_advisory_unlock_all()`) // at once, and not when the server notices the end
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

// dropSchema removes the schema, but none that somebody else has made.
func dropSchema(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := unbroken(ctx)
	defer cancel()
	const query = `select coalesce(obj_description(oid, 'pg_namespace'), '') from pg_namespace where nspname = $1`
	var comment string
	switch err := conn.QueryRow(ctx, query, schemaName).Scan(&comment); {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("postgres: look for the schema %s: %w", schemaName, err)
	case comment != schemaMark:
		return fmt.Errorf("postgres: the schema %s is somebody else's: its comment is %q; name another database",
			schemaName, comment)
	}
	if _, err := conn.Exec(ctx, `drop schema `+schemaName+` cascade`); err != nil {
		return fmt.Errorf("postgres: remove the schema %s: %w", schemaName, err)
	}
	return nil
}

// unbroken goes on though the run is interrupted: a connection whose statement is given up is closed, and
// the schema is still to be removed on it.
func unbroken(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), adminTimeout)
}

// makeSchema makes the schema anew, with tables, and connects to it, with further settings of each
// connection in pairs.
func (r *rig) makeSchema(ctx context.Context, connections int, tables string, settings ...string) (*pgxpool.Pool, error) {
	if err := dropSchema(ctx, r.admin); err != nil {
		return nil, err
	}
	admin, cancel := unbroken(ctx)
	defer cancel()
	create := `create schema ` + schemaName + `; comment on schema ` + schemaName + ` is '` + schemaMark + `'`
	if _, err := r.admin.Exec(admin, create); err != nil {
		return nil, fmt.Errorf("postgres: make the schema %s: %w", schemaName, err)
	}
	config, err := pgxpool.ParseConfig(r.postgres)
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
		return nil, fmt.Errorf("postgres: make tables: %w", err)
	}
	return pool, nil
}
