package postgres_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// row is a row to insert: column -> value in SQL.
type row map[string]string

// rows has a valid row for each table, in an order that foreign keys allow.
var rows = []struct {
	table string
	row   row
}{
	{"levels", row{"sku": "'TEE-M'", "location": "'berlin'", "on_hand": "7", "held": "2"}},
	{"reservations", row{
		"id": "'r-1'", "birth": "'n1'", "state": "'held'", "version": "1", "created_at": "now()", "expires_at": "now()",
		"fingerprint": "'f'",
	}},
	{"reservation_lines", row{
		"reservation_id": "'r-1'", "position": "1", "line": "'1'", "sku": "'TEE-M'", "requested": "5",
		"locations": "'{berlin,lyon}'", "quantities": "'{2,3}'", "fulfilled": "'{2,1}'", "returned": "3", "created_at": "now()",
	}},
	{"api_keys", row{"id": "'k-1'", "name": "'a'", "roles": "'{sell}'", "channels": "'{}'", "hash": "sha256('a')"}},
	{"line_destinations", row{"reservation_id": "'r-1'", "lines": `'{"1": {"pickup": "berlin"}}'`}},
	{"limit_counts", row{"limit_id": "'drop'", "customer": "'c-9'", "units": "2"}},
	{"level_counts", row{"sku": "'TEE'", "location": "'berlin'", "operation_id": "'count'", "made_at": "now()"}},
	{"directories", row{"version": "1", "body": "'{}'"}},
	{"operations", row{
		"id": "'o-1'", "fingerprint": "'f'", "birth": "'n0'", "applied_at": "now()", "shard": "0",
	}},
	{"movements", row{
		"shard": "0", "epoch": "1", "sequence": "2", "event": "0", "sku": "'TEE-M'", "location": "'berlin'", "held": "2",
		"verb": "'reserve'", "reservation_id": "'r-1'", "at": "now()",
	}},
	{"positions", row{
		"shard": "0", "epoch": "1", "sequence": "2", "nonce": "'n2'", "run_id": "'a'", "replication_id": "'b'",
		"shards": "1", "prefix": "'holdfast'", "seen_at": "now()",
	}},
	{"refusals", row{
		"shard": "0", "epoch": "1", "sequence": "3", "event": "0", "verb": "'confirm'",
		"reservation_id": "'r-1'", "birth": "'n1'", "version": "2", "reason": "'oversold'", "created_at": "now()",
	}},
	{"quarantine", row{"shard": "0", "entry": "'1-4'", "event": "-1", "reason": "'unknown version'", "body": `'\xff00'`}},
	{"audits", row{"id": "'a-1'", "shard": "0"}},
	{"audit_findings", row{"audit_id": "'a-1'", "id": "'f1'", "kind": "'counter_drift'", "sku": "'TEE-M'", "location": "'berlin'"}},
}

func insert(t *testing.T, db *pgxpool.Pool, table string, r row) error {
	t.Helper()
	names := slices.Sorted(maps.Keys(r))
	values := make([]string, len(names))
	for i, name := range names {
		values[i], names[i] = r[name], pgx.Identifier{name}.Sanitize()
	}
	_, err := db.Exec(t.Context(),
		fmt.Sprintf("insert into %s (%s) values (%s)", table, strings.Join(names, ", "), strings.Join(values, ", ")))
	return err
}

// openFilled makes a ledger with a row in each table.
func openFilled(t *testing.T) *pgxpool.Pool {
	t.Helper()
	db := ledgertest.OpenLedger(t)
	for _, r := range rows {
		if err := insert(t, db, r.table, r.row); err != nil {
			t.Fatalf("%s: %v", r.table, err)
		}
	}
	return db
}

// long is an identifier that is too long.
var long = "'" + strings.Repeat("x", 129) + "'"

// refused lists columns that make a valid row invalid, and the constraint that refuses it.
var refused = []struct {
	table, column, value string
	constraint           string
}{
	{"levels", "sku", "'TEE-M'", "levels_key"},
	{"levels", "sku", "''", "levels_identifiers"},
	{"levels", "location", long, "levels_identifiers"},
	{"levels", "on_hand", "-1", "levels_on_hand"},
	{"levels", "held", "-1", "levels_held"},
	{"levels", "committed", "-1", "levels_committed"},
	{"levels", "safety_stock", "-1", "levels_safety_stock"},
	{"levels", "backorder_limit", "-1", "levels_backorder_limit"},
	{"levels", "committed_backorder", "-1", "levels_committed_backorder"},
	{"levels", "committed_backorder", "1", "levels_committed_backorder"},
	{"reservations", "id", "'r-1'", "reservations_key"},
	{"reservations", "id", long, "reservations_identifiers"},
	{"reservations", "birth", "''", "reservations_identifiers"},
	{"reservations", "order", long, "reservations_identifiers"},
	{"reservations", "state", "'lost'", "reservations_state"},
	{"reservations", "state", "'released'", "reservations_resolved"},
	{"reservations", "resolved_at", "now()", "reservations_resolved"},
	{"reservations", "archived_at", "now()", "reservations_archived"},
	{"reservations", "version", "0", "reservations_version"},
	{"reservations", "split", "'half'", "reservations_split"},
	{"reservations", "ship_to", "'[]'", "reservations_ship_to"},
	{"reservations", "metadata", "'1'", "reservations_metadata"},
	{"api_keys", "name", "'b'", "api_keys_key"},
	{"api_keys", "hash", "'\\x00'", "api_keys_hash"},
	{"api_keys", "roles", "'{}'", "api_keys_roles"},
	{"line_destinations", "reservation_id", "'r-1'", "line_destinations_key"},
	{"line_destinations", "reservation_id", "''", "line_destinations_identifiers"},
	{"line_destinations", "lines", "'[]'", "line_destinations_lines"},
	{"reservation_lines", "position", "1", "reservation_lines_key"},
	{"reservation_lines", "position", "0", "reservation_lines_position"},
	{"reservation_lines", "line", "''", "reservation_lines_identifiers"},
	{"reservation_lines", "kit", "'GIFT'", "reservation_lines_kit"},
	{"limit_counts", "units", "3", "limit_counts_key"},
	{"limit_counts", "limit_id", "''", "limit_counts_identifiers"},
	{"limit_counts", "customer", long, "limit_counts_identifiers"},
	{"limit_counts", "units", "-1", "limit_counts_units"},
	{"level_counts", "operation_id", "'again'", "level_counts_key"},
	{"level_counts", "sku", "''", "level_counts_identifiers"},
	{"level_counts", "location", long, "level_counts_identifiers"},
	{"level_counts", "operation_id", "''", "level_counts_identifiers"},
	{"directories", "actor", "'c'", "directories_key"},
	{"directories", "version", "0", "directories_version"},
	{"directories", "body", "'[]'", "directories_body"},
	{"reservation_lines", "requested", "0", "reservation_lines_requested"},
	{"reservation_lines", "requested", "4", "reservation_lines_units"},
	{"reservation_lines", "locations", "'{}'", "reservation_lines_units"},
	{"reservation_lines", "returned", "-1", "reservation_lines_returned"},
	{"reservation_lines", "returned", "4", "reservation_lines_units"},
	{"reservation_lines", "locations", "'{berlin}'", "reservation_lines_units"},
	{"reservation_lines", "locations", "'{berlin,null}'", "reservation_lines_units"},
	{"reservation_lines", "quantities", "'{2,3,1}'", "reservation_lines_units"},
	{"reservation_lines", "quantities", "'{2,0}'", "reservation_lines_units"},
	{"reservation_lines", "quantities", "'{2,9000000000000000000}'", "reservation_lines_units"},
	{"reservation_lines", "fulfilled", "'{2}'", "reservation_lines_units"},
	{"reservation_lines", "fulfilled", "'{2,4}'", "reservation_lines_units"},
	{"reservation_lines", "fulfilled", "'{2,null}'", "reservation_lines_units"},
	{"operations", "id", "'o-1'", "operations_key"},
	{"operations", "id", "''", "operations_identifiers"},
	{"movements", "sku", "'TEE-M'", "movements_key"},
	{"movements", "verb", "''", "movements_identifiers"},
	{"movements", "reservation_id", "null", "movements_cause"},
	{"positions", "shard", "0", "positions_key"},
	{"positions", "shard", "1", "positions_shard"},
	{"positions", "epoch", "0", "positions_entry"},
	{"positions", "nonce", "''", "positions_entry"},
	{"refusals", "version", "3", "refusals_key"},
	{"refusals", "sequence", "4", "refusals_transition"},
	{"refusals", "operation_id", "'o-1'", "refusals_cause"},
	{"refusals", "reservation_id", "null", "refusals_cause"},
	{"refusals", "birth", "''", "refusals_identifiers"},
	{"refusals", "version", "0", "refusals_version"},
	{"refusals", "reason", "''", "refusals_identifiers"},
	{"quarantine", "entry", "'1-4'", "quarantine_key"},
	{"quarantine", "event", "-2", "quarantine_event"},
	{"quarantine", "reason", "''", "quarantine_reason"},
	{"audits", "actor", "'c'", "audits_key"},
	{"audits", "id", "''", "audits_identifiers"},
	{"audits", "state", "'lost'", "audits_state"},
	{"audits", "state", "'done'", "audits_finished"},
	{"audits", "levels", "-1", "audits_compared"},
	{"audit_findings", "kind", "'level_missing'", "audit_findings_key"},
	{"audit_findings", "id", "''", "audit_findings_id"},
	{"audit_findings", "audit_id", "'a-9'", "audit_findings_audit"},
	{"audit_findings", "kind", "'drift'", "audit_findings_kind"},
	{"audit_findings", "state", "'lost'", "audit_findings_state"},
	{"audit_findings", "state", "'repaired'", "audit_findings_repair"},
	{"audit_findings", "units", "-1", "audit_findings_units"},
}

// TestSchema_Refuses checks that each constraint of the ledger refuses a row.
func TestSchema_Refuses(t *testing.T) {
	db := openFilled(t)
	tried := map[string]bool{}
	for _, c := range refused {
		tried[c.constraint] = true
		t.Run(c.constraint+"/"+c.column, func(t *testing.T) {
			r := fresh(c.table)
			if strings.HasSuffix(c.constraint, "_key") || c.constraint == "refusals_transition" {
				r = original(c.table)
			}
			r[c.column] = c.value
			checkRefused(t, insert(t, db, c.table, r), c.constraint)
		})
	}
	tried["refusals_operation"] = true
	r := fresh("refusals")
	r["operation_id"], r["reservation_id"], r["version"] = "'o-1'", "null", "1"
	if err := insert(t, db, "refusals", r); err != nil {
		t.Fatal(err)
	}
	r["sequence"] = "10"
	checkRefused(t, insert(t, db, "refusals", r), "refusals_operation")
	for _, name := range constraints(t, db) {
		if !tried[name] {
			t.Errorf("no case for constraint %s", name)
		}
	}
}

func original(table string) row {
	for _, r := range rows {
		if r.table == table {
			return maps.Clone(r.row)
		}
	}
	return nil
}

// fresh returns the valid row of a table with an unused key.
func fresh(table string) row {
	r := original(table)
	key := map[string][2]string{
		"levels": {"sku", "'CAP'"}, "reservations": {"id", "'r-9'"}, "reservation_lines": {"position", "9"},
		"operations": {"id", "'o-9'"}, "movements": {"sequence", "9"}, "positions": {"shard", "0"},
		"refusals": {"sequence", "9"}, "quarantine": {"entry", "'1-9'"}, "limit_counts": {"customer", "'c-1'"}, "level_counts": {"sku", "'MUG'"}, "directories": {"version", "9"},
		"api_keys":          {"id", "'k-9'"},
		"line_destinations": {"reservation_id", "'r-9'"},
		"audits":            {"id", "'a-2'"}, "audit_findings": {"id", "'f9'"},
	}[table]
	r[key[0]] = key[1]
	if table == "refusals" {
		r["version"] = "9"
	}
	return r
}

func checkRefused(t *testing.T, err error, constraint string) {
	t.Helper()
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pgErr.ConstraintName != constraint || !strings.HasPrefix(pgErr.Code, "23") {
		t.Errorf("%v; want constraint %s to refuse it", err, constraint)
	}
}

// constraints lists the constraints of the ledger's tables.
func constraints(t *testing.T, db *pgxpool.Pool) []string {
	t.Helper()
	rows, _ := db.Query(t.Context(), `select conname::text from pg_constraint
		where connamespace = 'public'::regnamespace and contype <> 't' and conrelid <> 'schema_migrations'::regclass`)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) < 20 {
		t.Fatalf("%d constraints, %v", len(names), err)
	}
	return names
}
