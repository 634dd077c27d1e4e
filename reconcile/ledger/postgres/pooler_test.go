package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/setup"
)

// The addresses of TestPooler.
var poolers = []struct {
	name      string
	mode      string
	size      int
	direct    bool   // sessions go to the server itself
	options   string // of the URL
	isRefused bool
}{
	{name: "transaction", mode: "transaction", size: 5, isRefused: true},
	{name: "transaction, one connection", mode: "transaction", size: 1, isRefused: true},
	{name: "transaction, exec", mode: "transaction", size: 5, options: "&default_query_exec_mode=exec", isRefused: true},
	{name: "statement", mode: "statement", size: 5, isRefused: true},
	{name: "session", mode: "session", size: 20},
	{name: "session, exec", mode: "session", size: 20, options: "&default_query_exec_mode=exec"},
	{name: "transaction, direct sessions", mode: "transaction", size: 2, direct: true},
	{name: "transaction, direct sessions, exec", mode: "transaction", size: 2, direct: true, options: "&default_query_exec_mode=exec"},
}

// TestPooler opens a ledger through a pooler. If sessions keep their connections, everything works.
// If not, doctor and the lock say so, and no setting stays behind on the server's connections.
func TestPooler(t *testing.T) {
	for _, c := range poolers {
		t.Run(c.name, func(t *testing.T) {
			direct := ledgertest.OpenLedger(t).Config().ConnString()
			through := pgtest.StartPooler(t, direct, c.mode, c.size) + c.options
			var o postgres.Options
			if c.direct {
				o.SessionURL = direct + c.options
			}
			l := openAt(t, through, o)
			findings, err := l.Examine(t.Context(), "holdfast", 1)
			if err != nil {
				t.Fatal(err)
			}
			if refused := setup.Unsafe(findings) != nil; refused != c.isRefused {
				t.Errorf("doctor refuses: %v: %v", refused, setup.Unsafe(findings))
			}
			s, err := l.Lock(t.Context())
			switch {
			case c.isRefused && (err == nil || !strings.Contains(err.Error(), "postgres.session_url")):
				t.Errorf("lock: %v", err)
			case !c.isRefused && err != nil:
				t.Fatal(err)
			case !c.isRefused:
				useAll(t, l, s)
			}
			if c.mode != "session" {
				expectDefaults(t, through)
			}
		})
	}
}

func openAt(t *testing.T, url string, o postgres.Options) *postgres.Ledger {
	t.Helper()
	l, err := postgres.Open(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// useAll applies an event through a session, and reads it in every way.
func useAll(t *testing.T, l *postgres.Ledger, s ledger.Session) {
	t.Helper()
	b := &ledgertest.Bench{TB: t, Ledger: l, Session: s}
	t.Cleanup(s.Close)
	b.Begin(nil, 1)
	b.Apply(b.Entry(ledgertest.Recount("op", 0, 5)), b.Entry(ledgertest.Born("r", ledgertest.Reserved(2), "n1")))
	confirmed := b.Entry(ledgertest.Born("r", ledgertest.Confirmed(2, 2), "n1"))
	b.Apply(confirmed)
	ctx := t.Context()
	err := l.Await(ctx, ledgertest.Awaited(confirmed.Events[0], confirmed.Nonce, 1))
	_, err1 := l.Reservation(ctx, "r")
	page, err2 := l.LevelPage(ctx, cache.LevelFilter{Limit: 2})
	found, _, err3 := l.Search(ctx, cache.ReservationFilter{Limit: 2, SKU: "TEE"}, ledgertest.SeenAt)
	_, live, err4 := l.LiveAt(ctx, ledger.LiveKey{}, ledger.Scope{}, 2)
	err5 := l.BeginAudit(ctx, ledger.Audit{ID: "a-1"})
	err6 := l.ExamineItself(ctx, "a-1", ledger.Scope{})
	_, err7 := l.Prune(ctx, postgres.PruneOptions{})
	if err := errors.Join(err, err1, err2, err3, err4, err5, err6, err7, s.Note(ctx, b.At)); err != nil {
		t.Fatal(err)
	}
	if len(page.Levels) != 1 || len(found) != 1 || len(live) != 1 {
		t.Errorf("levels %v, found %v, live %v", page, found, live)
	}
}

// expectDefaults checks the settings of the server's connections behind a pooler.
func expectDefaults(t *testing.T, through string) {
	t.Helper()
	config, err := pgx.ParseConfig(through)
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var settings string
	for range 5 {
		const query = `
select coalesce(string_agg(name || ' = ' || setting, ', '), '') from pg_settings
where source = 'session' and name not in ('application_name', 'client_encoding', 'DateStyle', 'TimeZone') -- PgBouncer sets these
    and name not like 'standard_conforming%'`
		if err := conn.QueryRow(t.Context(), query).Scan(&settings); err != nil {
			t.Fatal(err)
		}
		if settings != "" {
			t.Fatalf("the connection has %s", settings)
		}
	}
}
