package postgres_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/setup"
)

// The cases of TestUnwritable.
var unwritable = []struct {
	name, before, after string // a statement that takes away what a session needs, and one that gives it back
	reason              string
}{
	{"read-only", `alter system set default_transaction_read_only = on`, `alter system reset default_transaction_read_only`, "the database is read-only"},
	{"privilege", `revoke update on levels from app`, `grant update on levels to app`, "lacks a privilege"},
	{"table", `alter table levels rename to gone`, `alter table gone rename to levels`, "a table of the ledger is missing"},
	{"column", `alter table levels rename held to gone`, `alter table levels rename gone to held`, "a column of the ledger is missing"},
	{"function", `alter function expect rename to gone`, `alter function gone rename to expect`, "a function of the ledger is missing"},
}

// TestUnwritable takes away what a session needs to write, while Postgres answers. Apply says why,
// and a call that waits for the ledger learns it at once, until the ledger can be written again.
func TestUnwritable(t *testing.T) {
	server := pgtest.Start(t)
	migrated := openAt(t, server.URL(), postgres.Options{})
	if _, err := migrated.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, server.URL(), `create role app login; grant all on all tables in schema public to app`)
	url := strings.Replace(server.URL(), "test@", "app@", 1)
	for i, c := range unwritable {
		t.Run(c.name, func(t *testing.T) {
			ledgertest.Empty(t, ledgertest.OpenPool(t, server.URL()))
			l := openAt(t, url, postgres.Options{})
			b := &ledgertest.Bench{TB: t, Ledger: l}
			b.Session = ledgertest.LockAgain(t, l)
			defer b.Session.Close()
			b.Begin(nil, uint64(i+1))
			b.Apply(b.Entry(ledgertest.Recount("first", 0, 5)))
			from := b.At
			entry := b.Entry(ledgertest.Recount("second", 5, 6))
			pgtest.Exec(t, server.URL(), c.before)
			pgtest.Exec(t, server.URL(), `select pg_reload_conf()`)
			if c.name == "read-only" { // the server's process reads its settings again when it likes
				for err := error(nil); !errors.Is(err, ledger.ErrUnwritable); err = b.Session.Note(t.Context(), from) {
					if err != nil {
						t.Fatal(err)
					}
				}
			}
			_, err := b.Session.Apply(t.Context(), from, b.At, []ledger.Entry{entry})
			if !errors.Is(err, ledger.ErrUnwritable) || !strings.Contains(err.Error(), c.reason) || l.Failure() == nil {
				t.Errorf("%v; failure %v", err, l.Failure())
			}
			waiting := l.Await(t.Context(), ledgertest.Awaited(entry.Events[0], entry.Nonce, b.At.Epoch))
			if !errors.Is(waiting, cache.ErrNotDurable) || !strings.Contains(waiting.Error(), c.reason) {
				t.Errorf("a call that waits: %v", waiting)
			}
			b.Session.Close()
			pgtest.Exec(t, server.URL(), c.after)
			pgtest.Exec(t, server.URL(), `select pg_reload_conf()`)
			b.Session = lockWritable(t, l)
			if _, err := b.Session.Apply(t.Context(), from, b.At, []ledger.Entry{entry}); err != nil || l.Failure() != nil {
				t.Errorf("%v; failure %v", err, l.Failure())
			}
		})
	}
}

// lockWritable takes the lock once the server has read its settings again.
func lockWritable(t *testing.T, l ledger.Ledger) ledger.Session {
	t.Helper()
	for {
		s, err := l.Lock(t.Context())
		if err == nil {
			return s
		}
		if !errors.Is(err, ledger.ErrUnwritable) && !errors.Is(err, ledger.ErrLocked) || t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}

// TestExplain explains errors that a test cannot cause with a shared disk.
func TestExplain(t *testing.T) {
	for code, want := range map[string]string{
		"53100": "the disk of the database is full", "57P01": "shutting down", "58030": "cannot read or write its files",
		"XX001": "damaged data", "28P01": "refuses the user", "40001": "", "57014": "", "23514": "", "": "",
	} {
		err := postgres.Explain(&pgconn.PgError{Code: code, Message: "as Postgres says it"})
		if got := errors.Is(err, ledger.ErrUnwritable); got != (want != "") || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "as Postgres says it") {
			t.Errorf("%s: %v", code, err)
		}
	}
	if err := postgres.Explain(nil); err != nil {
		t.Error(err)
	}
}

// TestEncoding refuses databases that cannot store every identifier.
func TestEncoding(t *testing.T) {
	server := pgtest.Start(t)
	for _, encoding := range []string{"LATIN1", "SQL_ASCII"} {
		name := strings.ToLower(encoding)
		pgtest.Exec(t, server.URL(), `create database `+name+` encoding '`+encoding+`' locale 'C' template template0`)
		l := openAt(t, strings.Replace(server.URL(), "/postgres?", "/"+name+"?", 1), postgres.Options{})
		_, err := l.Migrate(t.Context())
		if !errors.Is(err, postgres.ErrEncoding) || !strings.Contains(err.Error(), "create database") {
			t.Errorf("migrate %s: %v", encoding, err)
		}
		findings, err := l.Examine(t.Context(), "holdfast", 1)
		if err != nil || !strings.Contains(setup.Unsafe(findings).Error(), "postgres encoding: "+encoding) {
			t.Errorf("doctor %s: %v, %v", encoding, err, findings)
		}
	}
}

// TestPages lets many listings wait for a table. A call that waits for the ledger is answered
// meanwhile: it never waits for them.
func TestPages(t *testing.T) {
	pool := ledgertest.OpenLedger(t)
	l := openAt(t, pool.Config().ConnString(), postgres.Options{PageConnections: 2})
	b := &ledgertest.Bench{TB: t, Ledger: l}
	b.Lock()
	b.Begin(nil, 1)
	entry := b.Entry(ledgertest.Recount("op", 0, 5))
	b.Apply(entry)
	tx, err := pool.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), `lock table levels`)
	}
	if err != nil {
		t.Fatal(err)
	}
	var listings sync.WaitGroup
	defer listings.Wait()
	defer func() { _ = tx.Rollback(t.Context()) }()
	for range 50 {
		listings.Go(func() {
			if _, err := l.LevelPage(t.Context(), cache.LevelFilter{Limit: 1}); err != nil && !errors.Is(err, cache.ErrNotDurable) {
				t.Error(err)
			}
		})
	}
	for waiting := 0; waiting < 2; {
		const query = `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
		if err := pool.QueryRow(t.Context(), query).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Await(t.Context(), ledgertest.Awaited(entry.Events[0], entry.Nonce, 1)); err != nil || l.Failure() != nil {
		t.Errorf("%v; failure %v", err, l.Failure())
	}
}

// TestRead_Failed makes reads fail. The ledger stays healthy: a sale that waits is still answered.
func TestRead_Failed(t *testing.T) {
	pool := ledgertest.OpenLedger(t)
	l := openAt(t, pool.Config().ConnString(), postgres.Options{})
	if _, err := pool.Exec(t.Context(), `alter table levels rename to gone; alter table operations rename fingerprint to gone`); err != nil {
		t.Fatal(err)
	}
	_, levels := l.Levels(t.Context(), "TEE")
	_, page := l.LevelPage(t.Context(), cache.LevelFilter{Limit: 1})
	_, operation := l.Operation(t.Context(), "op")
	for _, err := range []error{levels, page, operation} {
		if !errors.Is(err, cache.ErrNotDurable) || l.Failure() != nil {
			t.Errorf("%v; failure %v", err, l.Failure())
		}
	}
}
