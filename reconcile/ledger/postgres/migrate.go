package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The refusals of Migrate and CheckSchema.
var (
	ErrSchemaOld     = errors.New("the schema is older than this binary: run holdfast migrate")
	ErrSchemaNew     = errors.New("the schema is newer than this binary: this binary is too old for it")
	ErrSchemaChanged = errors.New("an applied migration differs from that of this binary")
	ErrEncoding      = errors.New("the database cannot store every identifier, because its encoding is not " + utf8)
)

const (
	// utf8 is the only encoding that holds every character of an identifier.
	utf8 = "UTF8"
	// doEncoding says how to create a database with it.
	doEncoding = "create another database with: create database holdfast encoding 'UTF8' template template0"
)

const (
	// migrateLock is the advisory lock of Migrate: "holdfast" in ASCII. Locks with one key never
	// conflict with those that have two.
	migrateLock = 0x686f6c6466617374
	// migrateLockTimeout is how long a statement waits for a table. While it waits, all other users
	// of that table queue behind it.
	migrateLockTimeout = 2 * time.Second
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one step of the schema. Once released, its text never changes.
type migration struct {
	version  int    // 1 and up, without a gap
	name     string // of its file, such as "0001_ledger"
	checksum string // SHA-256 of its text, in hexadecimal
	text     string
}

// Beginner is the part of a database that Migrate needs. *pgx.Conn and *pgxpool.Pool implement it.
type Beginner interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

// Querier is the part of a database that CheckSchema needs. *pgx.Conn, *pgxpool.Pool and pgx.Tx
// implement it.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

// Migrate applies the migrations that the ledger lacks, in the first schema of the connection's
// search_path, and returns their names. Each is applied whole or not at all. Migrate is safe to
// repeat, and safe for several processes at once: one applies a migration, the others wait for it.
// There are no down migrations.
//
// Errors, in order of precedence: ErrEncoding, ErrSchemaChanged, ErrSchemaNew. A migration that
// cannot lock a table within two seconds fails: repeat it. Six round trips, and up to nine for each
// migration.
//
// We do not use a library, because tern and goose would add 3 MB and 6 to 12 modules, one of them
// by way of database/sql, and still leave the checksums and CheckSchema to us.
func Migrate(ctx context.Context, db Beginner) (applied []string, err error) {
	known, err := readMigrations(migrationFiles)
	if err != nil {
		return nil, err
	}
	return migrate(ctx, db, known)
}

// CheckSchema checks that the schema is the one that this binary needs. It changes nothing.
//
// Errors, in order of precedence: ErrSchemaChanged, ErrSchemaNew, ErrSchemaOld. One round trip,
// two on a new connection.
func CheckSchema(ctx context.Context, db Querier) error {
	known, err := readMigrations(migrationFiles)
	if err != nil {
		return err
	}
	done, err := appliedMigrations(ctx, db)
	if err != nil {
		return err
	}
	if err := compare(known, done); err != nil {
		return err
	}
	if len(done) < len(known) {
		return fmt.Errorf("%w (it is at %d of %d migrations)", ErrSchemaOld, len(done), len(known))
	}
	return nil
}

func migrate(ctx context.Context, db Beginner, known []migration) (applied []string, err error) {
	for {
		name, err := migrateNext(ctx, db, known)
		if err != nil || name == "" {
			return applied, err
		}
		applied = append(applied, name)
	}
}

// migrateNext applies the first missing migration in its own transaction, and returns its name, ""
// if none is missing.
func migrateNext(ctx context.Context, db Beginner, known []migration) (name string, err error) {
	// With a stricter level, reads after the lock would see the state before it.
	options := pgx.TxOptions{IsoLevel: pgx.ReadCommitted}
	err = pgx.BeginTxFunc(ctx, db, options, func(tx pgx.Tx) error {
		if err := checkEncoding(ctx, tx); err != nil {
			return err
		}
		if err := lockMigrations(ctx, tx); err != nil {
			return err
		}
		done, err := appliedMigrations(ctx, tx)
		if err != nil {
			return err
		}
		if err := compare(known, done); err != nil || len(done) == len(known) {
			return err
		}
		next := known[len(done)]
		name = next.name
		return apply(ctx, tx, next)
	})
	if err != nil {
		return "", fmt.Errorf("migrate: %w", err)
	}
	return name, nil
}

// checkEncoding returns ErrEncoding if the database does not use UTF-8.
func checkEncoding(ctx context.Context, tx pgx.Tx) error {
	found, err := collect(ctx, tx, pgx.RowTo[string], `select current_setting('server_encoding')`)
	if err == nil && found[0] != utf8 {
		err = fmt.Errorf("%w but %s: %s", ErrEncoding, found[0], doEncoding)
	}
	return err
}

// lockMigrations waits for other processes that migrate, and creates the table of applied
// migrations if it is missing. The lock ends with the transaction.
func lockMigrations(ctx context.Context, tx pgx.Tx) error {
	const table = `
create table if not exists schema_migrations (
    version    integer     not null,
    name       text        not null,
    checksum   text        not null, -- SHA-256 of the migration's text
    applied_at timestamptz not null default now(),
    constraint schema_migrations_key primary key (version)
)`
	// The role may have a default time limit, which is not meant for migrations.
	statements := fmt.Sprintf(`set local statement_timeout = 0;
select pg_advisory_xact_lock(%d);
set local lock_timeout = %d;
set local client_min_messages = warning;
%s`, migrateLock, migrateLockTimeout.Milliseconds(), table)
	_, err := tx.Exec(ctx, statements)
	return err
}

func apply(ctx context.Context, tx pgx.Tx, m migration) error {
	const note = `insert into schema_migrations (version, name, checksum) values ($1, $2, $3)`
	if _, err := tx.Exec(ctx, m.text); err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	if _, err := tx.Exec(ctx, note, m.version, m.name, m.checksum); err != nil {
		return fmt.Errorf("note %s: %w", m.name, err)
	}
	return nil
}

// appliedMigrations reads the applied migrations, without their texts; none if the table is
// missing.
func appliedMigrations(ctx context.Context, db Querier) ([]migration, error) {
	const query = `select version, name, checksum from schema_migrations order by version`
	done, err := collect(ctx, db, func(row pgx.CollectableRow) (m migration, err error) {
		err = row.Scan(&m.version, &m.name, &m.checksum)
		return m, err
	}, query)
	if missing, ok := errors.AsType[*pgconn.PgError](err); ok && missing.Code == "42P01" { // undefined_table
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the applied migrations: %w", err)
	}
	return done, nil
}

// compare checks that the applied migrations are those that this binary knows.
func compare(known, done []migration) error {
	for i := range min(len(known), len(done)) {
		k, d := known[i], done[i]
		if k.version != d.version || k.name != d.name || k.checksum != d.checksum {
			return fmt.Errorf("%w: %s with checksum %.12s was applied as number %d, this binary has %s with %.12s",
				ErrSchemaChanged, d.name, d.checksum, d.version, k.name, k.checksum)
		}
	}
	if len(done) > len(known) {
		return fmt.Errorf("%w (it is at migration %s, this binary ends at %d)",
			ErrSchemaNew, done[len(done)-1].name, len(known))
	}
	return nil
}

// readMigrations reads the files in order, and checks that their numbers have no gap.
func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	known := make([]migration, len(names))
	for i, path := range names {
		name := strings.TrimSuffix(strings.TrimPrefix(path, "migrations/"), ".sql")
		if !strings.HasPrefix(name, fmt.Sprintf("%04d_", i+1)) {
			return nil, fmt.Errorf("migration %s should have number %04d", name, i+1)
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		known[i] = migration{version: i + 1, name: name, checksum: hex.EncodeToString(sum[:]), text: string(text)}
	}
	return known, nil
}
