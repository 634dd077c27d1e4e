package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/internal/pgtest"
)

func TestMigrate(t *testing.T) {
	db := openPool(t, pgtest.Database(t))
	if err := CheckSchema(t.Context(), db); !errors.Is(err, ErrSchemaOld) {
		t.Errorf("an empty database: %v; want ErrSchemaOld", err)
	}
	applied, err := Migrate(t.Context(), db)
	if err != nil || !slices.Equal(applied, namesOf(with(t))) {
		t.Fatalf("applied %v, %v", applied, err)
	}
	if err := CheckSchema(t.Context(), db); err != nil {
		t.Error(err)
	}
	applied, err = Migrate(t.Context(), db)
	if err != nil || len(applied) > 0 {
		t.Errorf("a second time: applied %v, %v", applied, err)
	}
}

// TestMigrate_AtOnce checks that one of several concurrent processes applies each migration, even
// if the database's default isolation level is stricter than read committed.
func TestMigrate_AtOnce(t *testing.T) {
	const processes = 6
	url := pgtest.Database(t)
	db := openPool(t, url)
	_, err := db.Exec(t.Context(), `do $$ begin
		execute format('alter database %I set default_transaction_isolation = serializable', current_database());
	end $$`)
	if err != nil {
		t.Fatal(err)
	}
	known := with(t, "create table second ()", "create table third ()")
	applied := make([][]string, processes)
	var group sync.WaitGroup
	for i := range processes {
		group.Go(func() {
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close(t.Context()) }()
			if applied[i], err = migrate(t.Context(), conn, known); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	all := slices.Sorted(slices.Values(slices.Concat(applied...)))
	if want := namesOf(known); !slices.Equal(all, want) {
		t.Errorf("applied %v, want each of %v once", applied, want)
	}
}

func TestMigrate_Refusals(t *testing.T) {
	more := with(t, "create table second ()")
	last := more[len(more)-1]
	edited := slices.Clone(with(t))
	edited[0].checksum = strings.Repeat("0", 64)
	for _, c := range []struct {
		name string
		done []migration
		want error
		says string
	}{
		{"newer", more, ErrSchemaNew, last.name},
		{"changed", edited, ErrSchemaChanged, "0001_ledger"},
		{"changed and newer", append(slices.Clone(edited), last), ErrSchemaChanged, "0001_ledger"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := openPool(t, pgtest.Database(t))
			if _, err := migrate(t.Context(), db, c.done); err != nil {
				t.Fatal(err)
			}
			applied, err := Migrate(t.Context(), db)
			if !errors.Is(err, c.want) || len(applied) > 0 {
				t.Errorf("Migrate: applied %v, %v; want %v", applied, err, c.want)
			}
			err = CheckSchema(t.Context(), db)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("CheckSchema: %v; want %v that names %s", err, c.want, c.says)
			}
		})
	}
}

// TestMigrate_Failure checks that a failed migration leaves nothing, and that those before it stay.
func TestMigrate_Failure(t *testing.T) {
	db := openPool(t, pgtest.Database(t))
	known := with(t, "create table half (); select 1 / 0; create table whole ()")
	last := len(known) - 1
	applied, err := migrate(t.Context(), db, known)
	if err == nil || !strings.Contains(err.Error(), known[last].name) || !slices.Equal(applied, namesOf(known[:last])) {
		t.Fatalf("applied %v, %v", applied, err)
	}
	if err := CheckSchema(t.Context(), db); err != nil {
		t.Errorf("after it: %v", err)
	}
	known[last] = step(last+1, "create table half ()")
	if applied, err := migrate(t.Context(), db, known); err != nil || len(applied) != 1 {
		t.Errorf("mended: applied %v, %v", applied, err)
	}
}

// TestMigrate_Busy checks that a migration gives up on a table in use: all its users would wait.
func TestMigrate_Busy(t *testing.T) {
	db := openPool(t, pgtest.Database(t))
	if _, err := Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), "select from levels"); err != nil {
		t.Fatal(err)
	}
	_, err = migrate(t.Context(), db, with(t, "alter table levels add column more bigint"))
	if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != "55P03" {
		t.Errorf("%v; want lock_not_available", err)
	}
}

func TestReadMigrations(t *testing.T) {
	file := &fstest.MapFile{Data: []byte("select 1")}
	for _, c := range []struct {
		name  string
		files fstest.MapFS
		ok    bool
	}{
		{"two", fstest.MapFS{"migrations/0002_b.sql": file, "migrations/0001_a.sql": file}, true},
		{"a gap", fstest.MapFS{"migrations/0001_a.sql": file, "migrations/0003_b.sql": file}, false},
		{"one number twice", fstest.MapFS{"migrations/0001_a.sql": file, "migrations/0001_b.sql": file}, false},
		{"no number", fstest.MapFS{"migrations/a.sql": file}, false},
	} {
		known, err := readMigrations(c.files)
		if (err == nil) != c.ok || (c.ok && (known[0].name != "0001_a" || known[1].version != 2)) {
			t.Errorf("%s: %v, %v", c.name, known, err)
		}
	}
}

// with returns the migrations of this binary, and a further one for each text.
func with(tb testing.TB, texts ...string) []migration {
	tb.Helper()
	known, err := readMigrations(migrationFiles)
	if err != nil {
		tb.Fatal(err)
	}
	for _, text := range texts {
		known = append(known, step(len(known)+1, text))
	}
	return known
}

func namesOf(list []migration) (names []string) {
	for _, m := range list {
		names = append(names, m.name)
	}
	return names
}

func step(version int, text string) migration {
	return migration{version: version, name: fmt.Sprintf("%04d_step", version), checksum: text, text: text}
}

// openPool connects to a database until the test ends.
func openPool(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
