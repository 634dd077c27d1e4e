package ledgertest_test

import (
	"fmt"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestLedger_Short names the newest sales that add up to the missing units. It names no holds, and
// no more sales than the limit.
func TestLedger_Short(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		b.Apply(b.Entry(ledgertest.Recount("count", 0, 100)))
		for n := range 5 {
			id := fmt.Sprint("r", n)
			held := ledgertest.Born(id, ledgertest.Reserved(3), id)
			held.Record.Created += int64(n)
			held.Record.Customer, held.Record.Order = "c-"+id, "o-"+id
			events := []wire.Event{held}
			if n != 3 { // r3 stays a hold
				sold := ledgertest.Born(id, ledgertest.Confirmed(2, 3), id)
				sold.Record.Created, sold.Record.Customer, sold.Record.Order = held.Record.Created, "c-"+id, "o-"+id
				events = append(events, sold)
			}
			b.Apply(b.Entry(events...))
		}
		for _, reserve := range []bool{true, false} { // both of its lines draw on the level
			e := ledgertest.Born("two", ledgertest.Confirmed(2, 3), "two")
			if reserve {
				e = ledgertest.Born("two", ledgertest.Reserved(3), "two")
			}
			line := e.Record.Lines[0]
			line.Line = "2"
			e.Record.Lines, e.Record.Created = append(e.Record.Lines, line), e.Record.Created+9
			b.Apply(b.Entry(e))
		}
		berlin := wire.LevelName{SKU: "TEE", Location: "berlin"}
		for _, c := range []struct {
			level cache.LevelShort
			limit int
			want  string
		}{
			{cache.LevelShort{LevelName: berlin, Units: 1}, 20, "[{two   6}]"},
			{cache.LevelShort{LevelName: berlin, Units: 1}, 1, "[{two   6}]"},
			{cache.LevelShort{LevelName: berlin, Units: 7}, 20, "[{two   6} {r4 o-r4 c-r4 3}]"},
			{cache.LevelShort{LevelName: berlin, Units: 9}, 20, "[{two   6} {r4 o-r4 c-r4 3}]"},
			{cache.LevelShort{LevelName: berlin, Units: 10}, 20, "[{two   6} {r4 o-r4 c-r4 3} {r2 o-r2 c-r2 3}]"},
			{cache.LevelShort{LevelName: berlin, Units: 100}, 4, "[{two   6} {r4 o-r4 c-r4 3} {r2 o-r2 c-r2 3} {r1 o-r1 c-r1 3}]"},
			{cache.LevelShort{LevelName: wire.LevelName{SKU: "TEE", Location: "moon"}, Units: 1}, 20, "[]"},
		} {
			asked := []cache.LevelShort{{LevelName: wire.LevelName{SKU: "MUG", Location: "berlin"}, Units: 1}, c.level}
			got, err := b.Ledger.Short(t.Context(), asked, c.limit)
			if err != nil || len(got) != 2 || len(got[0]) != 0 || fmt.Sprint(got[1]) != c.want {
				t.Errorf("%+v: %v, %v, want %s", c.level, got, err, c.want)
			}
		}
	})
}

// TestShort counts less than is sold. The reply names the sales that the stock does not cover, also
// when the count is repeated. Shipped units are no longer part of them. The movements show the
// sales as of the count.
func TestShort(t *testing.T) {
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	for n, units := range []int64{4, 3, 2} {
		id := fmt.Sprint("s", n)
		i.Reserve(id, "TEE", units)
		i.Confirm(id)
	}
	short := func(what, id string, units int64, want string) cache.AdjustResult {
		t.Helper()
		result, err := i.Store.Adjust(t.Context(), cache.AdjustRequest{ID: id, Changes: []cache.Change{{SKU: "TEE", Location: "berlin", OnHand: &units}}})
		if err != nil || fmt.Sprint(result.Levels[0].Short) != want {
			t.Errorf("%s: %+v, %v, want %s", what, result, err, want)
		}
		return result
	}
	short("as many as are sold", "c-1", 9, "[]")
	short("five too few", "c-2", 4, "[{s2   2} {s1   3}]")
	if again := short("the same count again", "c-2", 4, "[{s2   2} {s1   3}]"); !again.Replay {
		t.Errorf("%+v", again)
	}
	_, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "s2", Version: 2, Lines: []cache.LineQuantity{{Line: "1", Quantity: 1}}})
	reconciletest.Must(t, err)
	short("after one of them was shipped", "c-3", 4, "[{s2   1} {s1   3}]")
	_, err = i.Store.Release(t.Context(), cache.TransitionRequest{ID: "s1"})
	reconciletest.Must(t, err)
	if result := short("after another one was released", "c-4", 4, "[{s2   1}]"); result.Levels[0].Shortfall() != 1 {
		t.Errorf("%+v", result)
	}

	const asOfTheCount = `
select m.reservation_id, sum(m.committed) as units
from movements m join (select * from movements where operation_id = 'c-2') c using (shard, sku, location)
where m.reservation_id is not null and (m.epoch, m.sequence, m.event) < (c.epoch, c.sequence, c.event)
group by 1 having sum(m.committed) > 0 order by 1`
	rows, _ := r.Pool.Query(t.Context(), asOfTheCount)
	var got []string
	for rows.Next() {
		var id string
		var units int64
		reconciletest.Must(t, rows.Scan(&id, &units))
		got = append(got, fmt.Sprint(id, " ", units))
	}
	if rows.Err() != nil || fmt.Sprint(got) != "[s0 4 s1 3 s2 2]" {
		t.Errorf("%v, %v", got, rows.Err())
	}
}
