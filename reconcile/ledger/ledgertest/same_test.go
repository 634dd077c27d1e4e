package ledgertest_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/memory"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

// TestLedger_SameState applies random entries to both ledgers, one by one and in one batch, and
// compares the states. One by one, the session of Postgres uses what it remembers of the entries
// before.
func TestLedger_SameState(t *testing.T) {
	pool := ledgertest.OpenLedger(t)
	rapid.Check(t, func(rt *rapid.T) {
		script := rapid.SliceOfN(drawEvents(), 1, 8).Draw(rt, "entries")
		want := stateOf(t, memory.New(), nil, script, true)
		for _, oneByOne := range []bool{false, true} {
			ledgertest.Empty(t, pool)
			if got := stateOf(t, postgres.New(pool, 0), pool, script, oneByOne); got != want {
				rt.Fatalf("memory, one by one:\n%s\npostgres, one by one %v:\n%s", want, oneByOne, got)
			}
			checkMovements(t, rt, pool)
		}
	})
}

// stateOf applies entries and describes the ledger, before and after a rebuild.
func stateOf(t *testing.T, l ledger.Ledger, pool *pgxpool.Pool, script [][]wire.Event, oneByOne bool) string {
	b := &ledgertest.Bench{TB: t, Ledger: l, Pool: pool, Session: ledgertest.LockAgain(t, l)}
	defer b.Session.Close()
	b.Begin(nil, 1)
	var entries []ledger.Entry
	for _, events := range script {
		entries = append(entries, b.Entry(slices.Clone(events)...))
	}
	if oneByOne {
		end := b.At
		for _, e := range entries {
			b.At.Sequence, b.At.Nonce = e.ID.Sequence, e.Nonce
			b.Apply(e)
		}
		b.At = end
	} else {
		b.Apply(entries...)
	}
	state := b.State()
	from := b.At
	b.Begin(&from, 2)
	since, err := l.Since(t.Context(), ledgertest.SeenAt+2, []wire.LevelName{{SKU: ledgertest.At.SKU, Location: ledgertest.At.Location}, {SKU: ledgertest.At.SKU, Location: "lyon"}})
	return state + "rebuilt\n" + b.State() + fmt.Sprintln(since, err)
}

// checkMovements checks that movements, replayed from nothing, give the levels.
func checkMovements(t *testing.T, rt *rapid.T, pool *pgxpool.Pool) {
	rows, _ := pool.Query(t.Context(), `
select sku from levels l full join (
    select sku, location, sum(on_hand) as on_hand, sum(held) as held, sum(committed) as committed from movements group by 1, 2
) m using (sku, location)
where (coalesce(l.on_hand, 0), coalesce(l.held, 0), coalesce(l.committed, 0)) is distinct from (coalesce(m.on_hand, 0), coalesce(m.held, 0), coalesce(m.committed, 0))`)
	wrong, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(wrong) > 0 {
		rt.Fatalf("levels that differ from the sum of their movements: %v %v", wrong, err)
	}
	rows, _ = pool.Query(t.Context(), `
select l.sku from levels l where committed_backorder <> (
    select coalesce(sum(quantity - gone), 0) from reservations r join reservation_lines n on n.reservation_id = r.id
        cross join unnest(n.locations, n.quantities, n.fulfilled) as u (location, quantity, gone)
    where r.state = 'confirmed' and n.backorder and n.sku = l.sku and u.location = l.location)`)
	wrong, err = pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(wrong) > 0 {
		rt.Fatalf("levels whose committed_backorder differs from the lines: %v %v", wrong, err)
	}
}

// drawEvents draws the events of one entry. They share few reservations and levels, so that they
// conflict.
func drawEvents() *rapid.Generator[[]wire.Event] {
	states := []cache.State{cache.StateHeld, cache.StateConfirmed, cache.StateFulfilled, cache.StateReleased, cache.StateExpired}
	verbs := []cache.Verb{cache.VerbReserve, cache.VerbConfirm, cache.VerbRelease, cache.VerbFulfill, cache.VerbExpire, cache.VerbDescribe, wire.VerbCompensate}
	event := rapid.Custom(func(t *rapid.T) wire.Event {
		id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
		if rapid.IntRange(0, 4).Draw(t, "kind") == 0 {
			if rapid.IntRange(0, 4).Draw(t, "revert") == 0 {
				return wire.Event{Verb: wire.VerbRevert, ID: id, CreationNonce: "n1"}
			}
			if rapid.IntRange(0, 3).Draw(t, "remove") == 0 {
				return removal(id, rapid.Int64Range(0, 3).Draw(t, "on hand"))
			}
			if rapid.IntRange(0, 3).Draw(t, "transfer") == 0 {
				return transferred(id, "lyon", rapid.Int64Range(1, 5).Draw(t, "units"))
			}
			e := ledgertest.Recount(id, rapid.Int64Range(0, 3).Draw(t, "from"), rapid.Int64Range(0, 9).Draw(t, "to"))
			if e.Levels[0].Counted = rapid.Bool().Draw(t, "counted"); e.Levels[0].Counted {
				e.Levels[0].CountedAt = rapid.SampledFrom([]int64{0, ledgertest.SeenAt - 3}).Draw(t, "counted at")
			}
			return e
		}
		if rapid.IntRange(0, 6).Draw(t, "return") == 0 {
			return drawReturn(t, id)
		}
		if rapid.IntRange(0, 6).Draw(t, "unfulfill") == 0 {
			return drawUnfulfill(t, id)
		}
		verb := rapid.SampledFrom(verbs).Draw(t, "verb")
		version, units := rapid.Int64Range(1, 4).Draw(t, "version"), rapid.Int64Range(1, 4).Draw(t, "units")
		state := rapid.SampledFrom(states).Draw(t, "state")
		before := rapid.SampledFrom(states).Draw(t, "before")
		fulfilled := int64(0)
		switch verb {
		case cache.VerbReserve:
			version, state, before = 1, cache.StateHeld, ""
		case cache.VerbConfirm:
			state = cache.StateConfirmed
			before = rapid.SampledFrom([]cache.State{cache.StateHeld, cache.StateExpired}).Draw(t, "from")
		case cache.VerbExpire:
			state, before = cache.StateExpired, cache.StateHeld
		case cache.VerbFulfill:
			state, before, fulfilled = cache.StateFulfilled, cache.StateConfirmed, units
		case cache.VerbDescribe:
			state = before
		}
		birth := rapid.SampledFrom([]string{"n1", "n2"}).Draw(t, "birth")
		e := ledgertest.Event(verb, before, maybeLimited(id, birth, ledgertest.RecordOf(state, version, units, fulfilled)))
		switch verb {
		case cache.VerbReserve:
			e.Extra = rapid.SampledFrom([]string{"", `{"pickup":"berlin"}`, `{"split":"lines","metadata":{"cart":"1"}}`}).Draw(t, "extra")
		case cache.VerbDescribe:
			drawDescription(t, &e)
		case cache.VerbRelease, cache.VerbFulfill:
			if operation := rapid.SampledFrom([]string{"", "a", "op"}).Draw(t, "operation"); operation != "" {
				e = operated(operation, e)
			}
		}
		return ledgertest.Born(id, e, birth)
	})
	return rapid.SliceOfN(event, 1, 12)
}

// maybeLimited adds purchase limits, of a customer and of all together, to the records of some
// reservations, and makes the lines of some ones that may be backordered: of all records of a
// reservation or of none, because no step changes that.
func maybeLimited(id, birth string, r wire.Record) wire.Record {
	customers := map[string]string{"a n1": "c-1", "b n1": "c-2", "b n2": "c-1", "c n2": "c-1"}
	r.Lines[0].Backorder = id == "b" || id == "c" && birth == "n2"
	if customer := customers[id+" "+birth]; customer != "" {
		r.Customer = customer
		r.Lines[0].Limits = []wire.RecordLimit{{ID: "drop", Most: 9, Each: 1}, {ID: "drop", Most: 20, Each: 1, Named: true}}
	}
	return r
}

// drawDescription draws what a describe changes. The events after it don't know of that, so their records
// change it again.
func drawDescription(t *rapid.T, e *wire.Event) {
	e.Record.Customer = rapid.SampledFrom([]string{"", "c-1", "c-3"}).Draw(t, "customer")
	e.Record.Order = rapid.SampledFrom([]string{"", "5512"}).Draw(t, "order")
	e.Extra = rapid.SampledFrom([]string{"", `{"metadata":{}}`, `{"metadata":{"gift":"2","\u001f":"\u0000"}}`}).Draw(t, "extra")
	for _, identity := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"card", "c-1"}), 0, 2, rapid.ID).Draw(t, "identities") {
		e.Record.Lines[0].Limits = append(e.Record.Lines[0].Limits, wire.RecordLimit{
			ID: "drop", Most: 9, Each: 1, Named: true, Identity: identity, FreesOnReturn: rapid.Bool().Draw(t, "frees"),
		})
	}
}

// drawReturn draws a return of a fulfilled reservation.
func drawReturn(t *rapid.T, id string) wire.Event {
	units := rapid.Int64Range(1, 4).Draw(t, "units")
	e := returned(rapid.SampledFrom([]string{"ret", "a"}).Draw(t, "operation"), rapid.Int64Range(3, 5).Draw(t, "version"), 0, 0, "lyon")
	e.Record.Lines[0].Requested = units
	e.Record.Lines[0].From[0].Quantity, e.Record.Lines[0].From[0].Fulfilled = units, units
	e.Record.Lines[0].Returned = rapid.Int64Range(1, units).Draw(t, "back")
	e.Record = maybeLimited(id, "n1", e.Record)
	return ledgertest.Born(id, e, "n1")
}
