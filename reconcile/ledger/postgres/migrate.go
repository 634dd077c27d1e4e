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

// What can be wrong with a schema. The errors of Migrate and CheckSchema wrap them.
var (
	ErrSchemaOld     = errors.New("the schema is older than this binary: run holdfast migrate")
	ErrSchemaNew     = errors.New("the schema is newer than this binary: this binary is too old for it")
	ErrSchemaChanged = errors.New("an applied migration is not the one of this binary")
)

const (
	// migrateLock is the advisory lock that migrating takes: "holdfast" in ASCII. Such locks of one
	// number never meet those of two.
	migrateLock = 0x686f6c6466617374
	// migrateLockTimeout is how long a statement waits for a table: while it waits, everybody else
	// waits behind it.
	migrateLockTimeout = 2 * time.Second
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one step of the schema. Once released, its text never changes.
type migration struct {
	version  int    // 1 and up, without a gap
	name     string // as its file, "0001_ledger"
	checksum string // SHA-256 of its text, in hexadecimal
	text     string
}

// Beginner is what Migrate needs of a database: *pgx.Conn and *pgxpool.Pool have it.
type Beginner interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

// Querier is what CheckSchema needs of a database: *pgx.Conn, *pgxpool.Pool and pgx.Tx have it.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

// Migrate brings the schema of the ledger to what this binary needs, in the schema that the
// connection's search_path names first, and returns the names of the migrations it applied. Each is
// applied whole or not at all. It is safe to repeat, and for several processes at once: one applies
// a migration, the others wait and find it there. It is only ever up: there is no way back.
//
// Refusals, the first that applies: ErrSchemaChanged, ErrSchemaNew. A migration that does not get at
// a table within two seconds fails: repeat it. Five round trips, and up to eight for each migration.
//
// It is our own since the libraries at hand (tern, goose) would add 3 MB and 6 to 12 modules, one of
// them by way of database/sql, and still leave the checksums and CheckSchema to us.
func Migrate(ctx context.Context, db Beginner) (applied []string, err error) {
	known, err := readMigrations(migrationFiles)
	if err != nil {
		return nil, err
	}
	return migrate(ctx, db, known)
}

// CheckSchema says whether the schema is the one that this binary needs.
//
// Refusals, the first that applies: ErrSchemaChanged, ErrSchemaNew, ErrSchemaOld. One round trip, two
// on a connection that has not asked before.
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

// migrateNext applies the first migration that is missing, in a transaction of its own, and returns
// its name; "" where none is.
func migrateNext(ctx context.Context, db Beginner, known []migration) (name string, err error) {
	// With a stricter level, what is read after the lock would be as of before it.
	options := pgx.TxOptions{IsoLevel: pgx.ReadCommitted}
	err = pgx.BeginTxFunc(ctx, db, options, func(tx pgx.Tx) error {
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

// lockMigrations waits for other processes that migrate, and makes the table of what is applied. The
// lock ends with the transaction.
func lockMigrations(ctx context.Context, tx pgx.Tx) error {
	const table = `
create table if not exists schema_migrations (
    version    integer     not null,
    name       text        not null,
    checksum   text        not null, -- SHA-256 of the migration's text
    applied_at timestamptz not null default now(),
    constraint schema_migrations_key primary key (version)
)`
	// A limit that the role has by default is not meant for this.
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

// appliedMigrations reads what was applied, without the texts; nothing where the table is missing.
func appliedMigrations(ctx context.Context, db Querier) ([]migration, error) {
	const query = `select version, name, checksum from schema_migrations order by version`
	rows, _ := db.Query(ctx, query) // its error is that of the rows
	done, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m migration, err error) {
		err = row.Scan(&m.version, &m.name, &m.checksum)
		return m, err
	})
	if missing, ok := errors.AsType[*pgconn.PgError](err); ok && missing.Code == "42P01" { // undefined_table
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the applied migrations: %w", err)
	}
	return done, nil
}

// compare checks that what was applied is what this binary knows, as far as that goes.
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

// readMigrations reads the files in order. They are numbered without a gap.
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
