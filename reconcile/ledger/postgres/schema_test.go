package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

func TestSchema_MovementsAreAppendOnly(t *testing.T) {
	db := openFilled(t)
	for _, statement := range []string{
		"update movements set on_hand = 1",
		"delete from movements",
		"delete from movements where false",
		"truncate movements",
		"insert into movements select * from movements on conflict on constraint movements_key do update set at = now()",
	} {
		_, err := db.Exec(t.Context(), statement)
		checkRefused(t, err, "movements_append_only")
	}
	if _, err := db.Exec(t.Context(), "delete from reservations"); err != nil {
		t.Errorf("a movement keeps its reservation: %v", err)
	}
	var left int
	if err := db.QueryRow(t.Context(), "select count(*) from movements").Scan(&left); err != nil || left != 1 {
		t.Errorf("%d movements left, %v", left, err)
	}
}

// TestSchema_OrdersByBytes checks that every ordered identifier is compared by bytes, as Go does.
func TestSchema_OrdersByBytes(t *testing.T) {
	rows, _ := ledgertest.OpenLedger(t).Query(t.Context(), `
		select distinct c.relname || '.' || a.attname from pg_index i join pg_class c on c.oid = i.indrelid
		join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
		where c.relnamespace = 'public'::regnamespace and a.attcollation not in (0, '"C"'::regcollation)
		and a.attrelid <> 'reservations'::regclass
		union select c.relname || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
		where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
		and (a.attname ~ '^(id|sku|location|locations|line|order|customer|channel|pickup|birth)$' or a.attname ~ '_id$')
		and a.attname not in ('run_id', 'replication_id') and a.attcollation <> '"C"'::regcollation`)
	wrong, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(wrong) > 0 {
		t.Errorf("in the order of the database: %v, %v", wrong, err)
	}
}

// TestSchema_SearchesByIndex checks that each search reads one index in its order, so that a page
// costs the same with any number of reservations.
func TestSchema_SearchesByIndex(t *testing.T) {
	db := ledgertest.OpenLedger(t)
	conn, err := db.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	// The tables are empty, so this tests which plans are possible, not which are cheap.
	if _, err := conn.Exec(t.Context(), "set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off"); err != nil {
		t.Fatal(err)
	}
	const page = " and (created_at, %[1]s) < (now(), 'r') order by created_at desc, %[1]s desc limit 50"
	reservations, lines := fmt.Sprintf(page, "id"), fmt.Sprintf(page, "reservation_id")
	for index, query := range map[string]string{
		"reservations_live":          "select id from reservations where resolved_at is null and state = 'held'" + reservations,
		"reservations_at_rest":       "select id from reservations where resolved_at is not null and archived_at is null and state = 'expired'" + reservations,
		"reservations_by_order":      `select id from reservations where "order" = 'o' and "order" <> ''` + reservations,
		"reservations_by_customer":   "select id from reservations where customer = 'c' and customer <> ''" + reservations,
		"reservation_lines_by_line":  "select distinct created_at, reservation_id from reservation_lines where line = '1'" + lines,
		"reservation_lines_by_sku":   "select distinct created_at, reservation_id from reservation_lines where sku = 'TEE'" + lines,
		"reservations_by_resolution": "select id from reservations where resolved_at > now() and archived_at is null order by resolved_at, id",
		"operations_by_time":         "select id from operations where applied_at > now() order by applied_at, id",
		"movements_on_hand":          "select on_hand from movements where sku = 'T' and location = 'b' and at > now() and on_hand <> 0 and verb not in ('count', 'remove')",
		"refusals_operation":         "select reason from refusals where operation_id = 'o' and operation_id is not null",
	} {
		rows, _ := conn.Query(t.Context(), "explain "+query)
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		text := strings.Join(plan, "\n")
		if err != nil || !strings.Contains(text, "using "+index+" ") || strings.Contains(text, "Sort") {
			t.Errorf("%s: %v\n%s", query, err, text)
		}
	}
}

// TestSchema_KeepsARecord checks that the ledger returns exactly the record that Redis has.
func TestSchema_KeepsARecord(t *testing.T) {
	db := ledgertest.OpenLedger(t)
	seen := map[string]bool{}
	identifier := rapid.StringMatching(`[ -z|~äß漢😀]{1,20}`)
	rapid.Check(t, func(t *rapid.T) {
		id := identifier.Filter(func(id string) bool { return !seen[id] }).Draw(t, "id")
		seen[id] = true
		var head struct {
			Created, Expires     time.Time
			Order, Customer      string
			Metadata, Transition string
		}
		head.Created = time.UnixMilli(rapid.Int64Range(0, 1<<45).Draw(t, "created")).UTC()
		head.Expires = time.UnixMilli(rapid.Int64Range(0, 1<<45).Draw(t, "expires")).UTC()
		head.Order, head.Customer = identifier.Draw(t, "order"), rapid.OneOf(rapid.Just(""), identifier).Draw(t, "customer")
		head.Metadata, head.Transition = `{"b": "\u0000", "a": "ä"}`, "release/2/"+identifier.Draw(t, "transition")
		places := rapid.SliceOfN(identifier, 0, 4).Draw(t, "locations")
		quantities, fulfilled := make([]int64, len(places)), make([]int64, len(places))
		requested := int64(1)
		for i := range places {
			quantities[i] = rapid.Int64Range(1, 1<<20).Draw(t, "quantity")
			fulfilled[i] = rapid.Int64Range(0, quantities[i]).Draw(t, "fulfilled")
			requested += quantities[i]
		}
		ctx := t.Context()
		_, err := db.Exec(ctx, `insert into reservations (id, birth, state, version, created_at, expires_at, fingerprint,
			"order", customer, metadata, transition) values ($1, 'n', 'held', 3, $2, $3, 'f', $4, $5, $6, $7)`,
			id, head.Created, head.Expires, head.Order, head.Customer, head.Metadata, head.Transition)
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.Exec(ctx, `insert into reservation_lines (reservation_id, position, line, sku, requested, locations,
			quantities, fulfilled, created_at) values ($1, 1, '1', 's', $2, $3, $4, $5, $6)`,
			id, requested, places, quantities, fulfilled, head.Created)
		if err != nil {
			t.Fatal(err)
		}
		got := head
		var gotID string
		var gotPlaces []string
		var gotQuantities, gotFulfilled []int64
		err = db.QueryRow(ctx, `select id, r.created_at, expires_at, "order", customer, metadata::text, transition,
			locations, quantities, fulfilled from reservations r join reservation_lines on reservation_id = id where id = $1`, id).
			Scan(&gotID, &got.Created, &got.Expires, &got.Order, &got.Customer, &got.Metadata, &got.Transition,
				&gotPlaces, &gotQuantities, &gotFulfilled)
		got.Created, got.Expires = got.Created.UTC(), got.Expires.UTC()
		if err != nil || gotID != id || got != head || !slices.Equal(gotPlaces, places) ||
			!slices.Equal(gotQuantities, quantities) || !slices.Equal(gotFulfilled, fulfilled) {
			t.Fatalf("kept %+v %v %v %v, %v\nfor %+v %v %v %v", got, gotPlaces, gotQuantities, gotFulfilled, err,
				head, places, quantities, fulfilled)
		}
	})
}
