package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

// edits are the values that somebody may write into a column of a type by hand.
var edits = map[string][]string{
	"text": {"null", "''", `E'9\x1f9\x1e'`, "repeat('ü', 300)"},
	"word": { // text with a meaning of its own
		"null", "''", "'x'", "'held'", "'confirmed'", "'fulfilled'", "'released'", "'return'", "'expire'", "'counter_drift'", "'limit_drift'",
		"'level_missing'", "'open'", "'repaired'", "'oversold'", "'negative'", "'in_use'",
	},
	"texts": { // JSON in text
		"null", "''", "'null'", "'[]'", "'{}'", `'{"available":1}'`, `'[{"id":"l","each":-1}]'`, `'{"record":"1","levels":[{}]}'`,
		`'{"part":"level","there":[true]}'`, `'{"units":null}'`, "'{'",
	},
	"int8":        {"null", "0", "-1", "9223372036854775807", "-9223372036854775808"},
	"int4":        {"null", "0", "-1", "2147483647", "-2147483648"},
	"bool":        {"null", "true", "false"},
	"timestamptz": {"null", "'infinity'", "'-infinity'", "'4713-01-01 BC'", "'294276-01-01'"},
	"_text":       {"null", "'{}'", "'{null}'", "'{a,b,c}'", "'{{a},{b}}'"},
	"_int8":       {"null", "'{}'", "'{null}'", "'{1,2,3}'", "'{{-1},{9223372036854775807}}'"},
	"json":        {"null", "'null'", "'[]'", `'{"locations":[null]}'`, `'{"channels":[{}],"zones":1}'`, `'"\u0000"'`},
	"jsonb":       {"null", "'null'", "'[]'", "'1'"},
	"bytea":       {"null", `'\x'`, `'\xff00'`},
}

// words and texts are the columns of text with words of their own, and with JSON.
var (
	words = []string{"kind", "state", "verb", "reason", "transition"}
	texts = []string{"detail", "in_redis", "in_ledger", "seen", "limits"}
)

// TestEdited writes odd values into each column of each table, without the constraints that refuse
// them. Reads and decisions may fail or find what they find. None of them may panic.
func TestEdited(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), ledgertest.OpenLedger(t).Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if !t.Failed() { // a call that panics does not give its connection back
			pool.Close()
		}
	}()
	l := postgres.New(pool, 0)
	fill(t, pool, l)
	unconstrain(t, pool)
	for _, c := range columns(t, pool) {
		switch {
		case c.kind != "text":
		case slices.Contains(words, c.column):
			c.kind = "word"
		case slices.Contains(texts, c.column):
			c.kind = "texts"
		}
		values, known := edits[c.kind]
		if !known {
			t.Fatalf("%s.%s: no values for the type %s", c.table, c.column, c.kind)
		}
		if testing.Short() {
			values = values[:3]
		}
		for _, value := range values {
			if !edit(t, pool, c, value) {
				continue
			}
			if what, err := readAll(t.Context(), pool, l); err != nil {
				t.Fatalf("%s.%s = %s: %s panics: %v", c.table, c.column, value, what, err)
			}
			restore(t, pool, c.table)
		}
	}
}

// column is a column of a table.
type column struct{ table, column, kind string }

func columns(t *testing.T, pool *pgxpool.Pool) []column {
	t.Helper()
	const query = `
select table_name, quote_ident(column_name), udt_name from information_schema.columns
where table_schema = 'public' and table_name not in ('schema_migrations', 'movements') and table_name not like 'saved_%'
order by table_name, ordinal_position`
	rows, _ := pool.Query(t.Context(), query)
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c column, err error) {
		err = row.Scan(&c.table, &c.column, &c.kind)
		return c, err
	})
	if err != nil || len(list) < 80 {
		t.Fatal(len(list), err)
	}
	return list
}

// fill puts rows into every table.
func fill(t *testing.T, pool *pgxpool.Pool, l *postgres.Ledger) {
	t.Helper()
	b := &ledgertest.Bench{TB: t, Ledger: l, Pool: pool}
	b.Lock()
	b.Begin(nil, 1)
	limited := ledgertest.Born("r", ledgertest.Reserved(2), "n3")
	limited.Record.Customer = "ann"
	limited.Record.Lines[0].Limits = []wire.RecordLimit{{ID: "two", Most: 2, Each: 1}}
	b.Begun()
	b.Apply(b.Entry(ledgertest.Recount("op", 0, 5)), b.Entry(limited),
		b.Entry(ledgertest.Born("big", ledgertest.Confirmed(2, 9), "n9")), // refused
		b.Entry(ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(1, 1, 0)}})))
	if _, _, err := l.ApplyDirectory(t.Context(), ledgertest.Warehouses("berlin"), 0, cache.By{Actor: "tester"}); err != nil {
		t.Fatal(err)
	}
	exec(t, pool, `insert into quarantine (shard, entry, event, reason, body) values (0, '1-9', 0, 'tested', 'body')`)
	b.Session.Close()
}

// unconstrain drops what refuses an edited row, and saves the rows.
func unconstrain(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	exec(t, pool, `
do $$
declare c record;
begin
    for c in select conrelid::regclass as tab, conname from pg_constraint
        where connamespace = 'public'::regnamespace and contype in ('c', 'f') and conrelid <> 0 loop
        execute format('alter table %s drop constraint %I', c.tab, c.conname);
    end loop;
    for c in select table_name as tab, column_name as col from information_schema.columns i
        where table_schema = 'public' and is_nullable = 'NO' and table_name <> 'schema_migrations'
            and not exists (select from information_schema.key_column_usage k where k.table_name = i.table_name and k.column_name = i.column_name) loop
        execute format('alter table %I alter column %I drop not null', c.tab, c.col);
    end loop;
    for c in select table_name as tab from information_schema.tables
        where table_schema = 'public' and table_type = 'BASE TABLE' loop
        execute format('create table %I as table %I', 'saved_' || c.tab, c.tab);
    end loop;
end
$$;
drop trigger directories_append_only on directories`)
}

// edit writes a value into the first row of a table. It returns false if a key refuses the value.
func edit(t *testing.T, pool *pgxpool.Pool, c column, value string) bool {
	t.Helper()
	_, err := pool.Exec(t.Context(), fmt.Sprintf(`update %s set %s = %s where ctid = (select min(ctid) from %[1]s)`, c.table, c.column, value))
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == "23502" {
		return false
	}
	if err != nil {
		t.Fatal(c, value, err)
	}
	return true
}

func restore(t *testing.T, pool *pgxpool.Pool, table string) {
	t.Helper()
	exec(t, pool, `delete from `+table+`; insert into `+table+` select * from saved_`+table)
}

func exec(t *testing.T, pool *pgxpool.Pool, statements string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), statements); err != nil {
		t.Fatalf("%v\n%s", err, statements)
	}
}

// readAll calls every read of a ledger, and decides one event of each kind. It returns the first call
// that panics.
func readAll(ctx context.Context, pool *pgxpool.Pool, l *postgres.Ledger) (what string, panicked error) {
	all := ledger.Scope{}
	confirmed := ledgertest.Born("r", ledgertest.Confirmed(2, 2), "n3")
	calls := map[string]func() error{
		"Levels":      func() error { _, err := l.Levels(ctx, "TEE"); return err },
		"LevelPage":   func() error { _, err := l.LevelPage(ctx, cache.LevelFilter{Limit: 2}); return err },
		"Reservation": func() error { _, err := l.Reservation(ctx, "r"); return err },
		"Operation":   func() error { _, err := l.Operation(ctx, "op"); return err },
		"Search":      func() error { _, _, err := l.Search(ctx, cache.ReservationFilter{Limit: 2}, 1); return err },
		"Directory":   func() error { _, _, err := l.Directory(ctx, 0); return err },
		"Position":    func() error { _, _, err := l.Position(ctx); return err },
		"Limits":      func() error { _, err := l.Limits(ctx, wire.LimitKey{}, 2); return err },
		"Since":       func() error { _, err := l.Since(ctx, 0, []wire.LevelName{ledgertest.At}); return err },
		"LevelsAt":    func() error { _, _, err := l.LevelsAt(ctx, ledgertest.At, all, 2); return err },
		"LiveAt":      func() error { _, _, err := l.LiveAt(ctx, ledger.LiveKey{}, all, 2); return err },
		"Audit":       func() error { _, err := l.Audit(ctx, "a-1"); return err },
		"Examine":     func() error { _, err := l.Examine(ctx, "holdfast", 1); return err },
		"Short": func() error {
			_, err := l.Short(ctx, []cache.LevelShort{{LevelName: ledgertest.At, Units: 1}}, 2)
			return err
		},
		"AuditFindings": func() error {
			list, err := l.AuditFindings(ctx, "a-1", ledger.FindingFilter{}, 9)
			for i := range list {
				_ = list[i].Do() + list[i].About()
				countedBy(&list[i])
			}
			return err
		},
		"look": func() error {
			return postgres.Look(ctx, l, []wire.Awaited{ledgertest.Awaited(confirmed, "n3", 1), {Step: wire.Step{Operation: true, ID: "op"}}})
		},
		"session": func() error { return postgres.SessionReads(ctx, pool) },
		"decide":  func() error { return decideAll(ctx, pool) },
	}
	for name, call := range calls {
		func() {
			defer func() {
				if r := recover(); r != nil {
					what, panicked = name, fmt.Errorf("%v", r)
				}
			}()
			_ = call() // an error is an answer
		}()
		if panicked != nil {
			break
		}
	}
	return what, panicked
}

// countedBy reads the counts that a repair of a finding reads.
func countedBy(f *ledger.Finding) (units int64) {
	switch f.Kind {
	case ledger.KindCounterDrift:
		if units = *f.Ledger.Committed; f.Redis.Available != nil {
			units += *f.Redis.BackorderLimit
		}
	case ledger.KindLevelMissing:
		units = *f.Ledger.OnHand
	case ledger.KindLimitDrift:
		if units = *f.Ledger.Units; f.Redis.Units != nil {
			units += *f.Redis.Units
		}
	}
	return units
}

// decideAll decides an event of each verb on the rows as they are, and writes nothing.
func decideAll(ctx context.Context, pool *pgxpool.Pool) error {
	step := func(verb cache.Verb, before cache.State, after wire.Record) wire.Event {
		return ledgertest.Born("r", ledgertest.Event(verb, before, after), "n3")
	}
	held, sold := cache.StateHeld, cache.StateConfirmed
	operation := ledgertest.Recount("op2", 0, 5)
	returned := step(cache.VerbReturn, sold, ledgertest.RecordOf(sold, 2, 2, 1))
	returned.Operation, returned.Levels = "op3", operation.Levels
	removal := wire.Event{Verb: cache.VerbRemove, ID: "op4", Levels: operation.Levels}
	events := []wire.Event{
		ledgertest.Born("r", ledgertest.Reserved(1), "n3"), step(cache.VerbConfirm, held, ledgertest.RecordOf(sold, 2, 2, 0)),
		step(cache.VerbRelease, held, ledgertest.RecordOf(cache.StateReleased, 2, 0, 0)),
		step(cache.VerbFulfill, sold, ledgertest.RecordOf(cache.StateFulfilled, 2, 2, 2)),
		step(wire.VerbCompensate, "", ledgertest.RecordOf(held, 9, 2, 0)), returned, operation, removal,
		ledgertest.CheckpointEvent(wire.Checkpoint{
			Levels:       []wire.CheckpointLevel{ledgertest.TeeAt(3, 5, 0)},
			Reservations: []wire.CheckpointReservation{ledgertest.CheckpointOf(ledgertest.Born("r", ledgertest.Reserved(2), "n3")), {ID: "big"}},
			Limits:       []wire.CheckpointLimit{{Name: wire.LimitKey{Limit: "two", Identity: "ann"}.Name(), Units: ledgertest.There("2")}},
		}),
	}
	for i := range events {
		entry := ledger.Entry{ID: ledger.EntryID{Epoch: 1, Sequence: 99}, Nonce: "n99", Events: events[i : i+1], Raw: []string{""}}
		if err := postgres.Decide(ctx, pool, []ledger.Entry{entry}); err != nil {
			return err
		}
	}
	return nil
}
