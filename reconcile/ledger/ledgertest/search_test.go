package ledgertest_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestLedger_Search finds reservations by each filter, page by page, the newest first.
func TestLedger_Search(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		e := ledgertest.Recount("count", 0, 100)
		e.Levels = append(e.Levels, wire.LevelEvent{SKU: "MUG", Location: "lyon", OnHandAfter: 100})
		entries := []ledger.Entry{b.Entry(e)}
		for n := range 6 {
			held := ledgertest.Born(fmt.Sprintf("r%d", n), ledgertest.Reserved(1), "n")
			held.Record.Created, held.Record.Expires = ledgertest.SeenAt+int64(n/2), ledgertest.SeenAt+int64(1000*n)
			held.Record.Order, held.Record.Customer = fmt.Sprint("order", n%2), fmt.Sprint("c", n%3)
			if n >= 4 {
				held.Record.Lines = []wire.RecordLine{{Line: "2", SKU: "MUG", Requested: 1, From: []wire.RecordAllocation{{Location: "lyon", Quantity: 1}}}}
			}
			entries = append(entries, b.Entry(held))
		}
		step := func(id string, verb cache.Verb, state cache.State, n int) {
			e := ledgertest.Born(id, ledgertest.Event(verb, cache.StateHeld, ledgertest.RecordOf(state, 2, 1, 0)), "n")
			e.Record.Created, e.Record.Order, e.Record.Customer = ledgertest.SeenAt+int64(n/2), fmt.Sprint("order", n%2), fmt.Sprint("c", n%3)
			entries = append(entries, b.Entry(e))
		}
		step("r1", cache.VerbConfirm, cache.StateConfirmed, 1)
		step("r2", cache.VerbRelease, cache.StateReleased, 2)
		step("r3", cache.VerbExpire, cache.StateExpired, 3)
		b.Apply(entries...)
		for _, c := range []struct {
			filter cache.ReservationFilter
			want   string
		}{
			{cache.ReservationFilter{}, "r5 r4 r3 r2 r1 r0"},
			{cache.ReservationFilter{State: "held"}, "r5 r4"},
			{cache.ReservationFilter{State: "expired"}, "r3 r0"}, // the deadline of r0 has passed, and no sweep has expired it
			{cache.ReservationFilter{State: "confirmed"}, "r1"},
			{cache.ReservationFilter{State: "released"}, "r2"},
			{cache.ReservationFilter{State: "fulfilled"}, ""},
			{cache.ReservationFilter{IDPrefix: "r"}, "r5 r4 r3 r2 r1 r0"},
			{cache.ReservationFilter{IDPrefix: "r3"}, "r3"},
			{cache.ReservationFilter{IDPrefix: "%"}, ""},
			{cache.ReservationFilter{IDPrefix: "r", State: "confirmed"}, "r1"},
			{cache.ReservationFilter{Order: "order1"}, "r5 r3 r1"},
			{cache.ReservationFilter{Customer: "c0"}, "r3 r0"},
			{cache.ReservationFilter{Line: "2"}, "r5 r4"},
			{cache.ReservationFilter{SKU: "MUG"}, "r5 r4"},
			{cache.ReservationFilter{SKU: "TEE", Line: "2"}, ""},
			{cache.ReservationFilter{Location: "berlin", Order: "order0"}, "r2 r0"},
			{cache.ReservationFilter{Location: "nowhere"}, ""},
		} {
			for _, limit := range []int{1, 2, 50} {
				f := c.filter
				f.Limit = limit
				if got := found(t, b.Ledger, f); got != c.want {
					t.Errorf("%+v by %d finds %q, want %q", c.filter, limit, got, c.want)
				}
			}
		}
	})
}

// found lists the reservations on all pages of a search at SeenAt.
func found(t *testing.T, l ledger.Ledger, f cache.ReservationFilter) string {
	t.Helper()
	var ids []string
	for {
		rows, next, err := l.Search(t.Context(), f, ledgertest.SeenAt)
		if err != nil || len(rows) > f.Limit {
			t.Fatal(len(rows), err)
		}
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		if f.Cursor = next; f.Cursor == "" {
			return strings.Join(ids, " ")
		}
	}
}

// TestSearch_Cursor uses cursors that the server did not issue. The ledger stays healthy, and
// durable calls go on.
func TestSearch_Cursor(t *testing.T) {
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("a", "TEE", 1)
	for _, text := range []string{"99\x1f\x00", "99\x1f\xff", "9223372036854775807\x1fa"} {
		cursor := base64.RawURLEncoding.EncodeToString([]byte(text))
		for what, list := range map[string]func() error{
			"levels": func() error { _, err := i.Store.LevelPage(t.Context(), cache.LevelFilter{Cursor: cursor}); return err },
			"reservations": func() error {
				_, err := i.Store.Search(t.Context(), cache.ReservationFilter{Cursor: cursor})
				return err
			},
		} {
			if err := list(); i.Ledger.Failure() != nil {
				t.Fatalf("%s after %q: the ledger counts as down: %v", what, text, err)
			}
		}
	}
	i.Confirm("a")
}

// TestPostgres_InvalidQuery sends a query that Postgres refuses. The ledger stays healthy, and the
// error is not one to retry.
func TestPostgres_InvalidQuery(t *testing.T) {
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	_, err := i.Ledger.Levels(t.Context(), "no\x00text")
	if err == nil || errors.Is(err, cache.ErrNotDurable) || i.Ledger.Failure() != nil {
		t.Errorf("%v, failure %v", err, i.Ledger.Failure())
	}
	i.Reserve("a", "TEE", 1)
	i.Confirm("a")
}

// TestPostgres_SlowSearch times out searches, listings and a read of levels. The ledger stays healthy.
func TestPostgres_SlowSearch(t *testing.T) {
	pool := ledgertest.OpenLedger(t)
	ledger := postgres.New(pool, 0)
	tx, err := pool.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), `lock table reservations, levels`)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	_, _, searching := ledger.Search(t.Context(), cache.ReservationFilter{Limit: 1}, ledgertest.SeenAt)
	_, listing := ledger.LevelPage(t.Context(), cache.LevelFilter{Limit: 1})
	if !errors.Is(searching, cache.ErrNotDurable) || !errors.Is(listing, cache.ErrNotDurable) || ledger.Failure() != nil {
		t.Errorf("%v, %v; failure: %v", searching, listing, ledger.Failure())
	}
	if _, asking := ledger.Levels(t.Context(), "TEE"); !errors.Is(asking, cache.ErrNotDurable) || ledger.Failure() != nil {
		t.Errorf("%v; failure: %v", asking, ledger.Failure())
	}
}
