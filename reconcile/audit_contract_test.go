package reconcile

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/holdfast/holdfast/cache"
)

// there is a text that Redis has.
func there(text string) cache.Text { return cache.Text{There: true, Text: text} }

// teeAt is the level of the cases as a mark tells it.
func teeAt(available, onHand, committed int64) cache.MarkedLevel {
	return cache.MarkedLevel{
		Name: "TEE\x1fberlin", Available: there(fmt.Sprint(available)), Counts: there(fmt.Sprintf("%d\x1f%d\x1f0\x1f0", onHand, committed)),
	}
}

// recordOf is what Redis has of an event's reservation.
func recordOf(e cache.Event) cache.MarkedReservation {
	return cache.MarkedReservation{ID: e.ID, Record: there(e.Record.Encode()), Watched: there("1")}
}

func marking(m cache.Mark) cache.Event {
	m.Audit = "a-1"
	return cache.Event{Verb: cache.VerbAudit, ID: "a-1", Mark: &m}
}

// begun has an audit begin.
func (b *bench) begun() {
	b.tb.Helper()
	if err := b.ledger.beginAudit(context.Background(), Audit{ID: "a-1"}); err != nil {
		b.tb.Fatal(err)
	}
}

// TestLedger_Audit has marks in the middle of a batch be compared with the ledger as it is at their place:
// before them and behind them is another.
func TestLedger_Audit(t *testing.T) {
	held, sold := born("a", reserved(2), "n1"), born("a", confirmed(2, 2), "n1")
	tooMuch := born("b", reserved(9), "n1")
	soldTooMuch := born("b", confirmed(2, 9), "n1")
	undone := born("b", event(cache.VerbCompensate, cache.StateConfirmed, rec(cache.StateExpired, 3, 9, 0)), "n1")
	unknown := born("c", reserved(1), "n1")
	unknown.Record.Lines[0].SKU = "GONE"
	limitless := cache.MarkedLimit{Name: "drop\x1fc-1", Units: there("3")}
	for _, c := range []struct {
		name   string
		events []cache.Event
		want   []string
	}{
		{"between the steps of a reservation", []cache.Event{
			recount("count", 0, 5), marking(cache.Mark{Levels: []cache.MarkedLevel{teeAt(5, 5, 0)}}),
			held, marking(cache.Mark{Levels: []cache.MarkedLevel{teeAt(3, 5, 0)}, Reservations: []cache.MarkedReservation{recordOf(held)}}),
			sold, marking(cache.Mark{Levels: []cache.MarkedLevel{teeAt(3, 5, 2)}, Reservations: []cache.MarkedReservation{recordOf(sold)}}),
		}, nil},
		{"one step too early", []cache.Event{
			recount("count", 0, 5), held,
			marking(cache.Mark{Levels: []cache.MarkedLevel{teeAt(3, 5, 2)}, Reservations: []cache.MarkedReservation{recordOf(sold)}}), sold,
		}, []string{
			"counter_drift TEE berlin: 3 on hand 5 committed 2 safety 0 backorder 0 > 3 on hand 5 committed 0 safety 0 backorder 0, open",
			"reservation_state a: confirmed v2 2 TEE berlin > held v1 2 TEE berlin, open",
		}},
		{"a record that is missing", []cache.Event{
			recount("count", 0, 5), held, marking(cache.Mark{Reservations: []cache.MarkedReservation{{ID: "a"}, {ID: "never"}}}),
		}, []string{"reservation_missing a: nothing > held v1 2 TEE berlin, open"}},
		{"a record that came to rest and is forgotten", []cache.Event{
			recount("count", 0, 5), held, born("a", event(cache.VerbRelease, cache.StateHeld, rec(cache.StateReleased, 2, 2, 0)), "n1"),
			marking(cache.Mark{Reservations: []cache.MarkedReservation{{ID: "a"}}}),
		}, nil},
		{"a range of levels", []cache.Event{
			recount("count", 0, 5), marking(cache.Mark{How: cache.HowRange, Levels: []cache.MarkedLevel{
				{Name: "A\x1fa"}, teeAt(6, 5, 0), {Name: "U\x1fu", Available: there("1"), Counts: there("1\x1f0\x1f0\x1f0")},
			}}),
		}, []string{
			"counter_drift TEE berlin: 6 on hand 5 committed 0 safety 0 backorder 0 > 5 on hand 5 committed 0 safety 0 backorder 0, open",
			"level_unknown U u: 1 on hand 1 committed 0 safety 0 backorder 0 > nothing, open",
		}},
		{"a refused step", []cache.Event{
			recount("count", 0, 5), tooMuch, soldTooMuch, // more than there is: refused
			marking(cache.Mark{How: cache.HowAgain, Levels: []cache.MarkedLevel{teeAt(-4, 5, 9)}, Reservations: []cache.MarkedReservation{recordOf(soldTooMuch)}}),
		}, []string{"open_refusal b: confirmed v2 9 TEE berlin > held v1 9 TEE berlin, open"}},
		{"a refused step, and its reservation is not looked at", []cache.Event{
			recount("count", 0, 5), tooMuch, soldTooMuch, marking(cache.Mark{Levels: []cache.MarkedLevel{teeAt(-4, 5, 9)}}),
		}, nil},
		{"a refused step that is undone", []cache.Event{
			recount("count", 0, 5), tooMuch, soldTooMuch, undone,
			marking(cache.Mark{Levels: []cache.MarkedLevel{teeAt(5, 5, 0)}, Reservations: []cache.MarkedReservation{recordOf(undone)}}),
		}, nil},
		{"a refused operation", []cache.Event{
			recount("count", 0, 5), recount("count", 5, 7), marking(cache.Mark{Levels: []cache.MarkedLevel{teeAt(7, 7, 0)}}),
		}, nil},
		{"a removed level", []cache.Event{
			recount("count", 0, 5), removal("op", 5), marking(cache.Mark{Levels: []cache.MarkedLevel{{Name: "TEE\x1fberlin"}}}),
			recount("again", 0, 7), marking(cache.Mark{Levels: []cache.MarkedLevel{teeAt(7, 7, 0)}}),
		}, nil},
		{"a refused removal", []cache.Event{
			recount("count", 0, 5), held, sold, removal("op", 5), marking(cache.Mark{Levels: []cache.MarkedLevel{{Name: "TEE\x1fberlin"}}}),
		}, nil},
		{"a refused hold of a level that the ledger does not have", []cache.Event{
			unknown, marking(cache.Mark{How: cache.HowAgain, Reservations: []cache.MarkedReservation{recordOf(unknown)},
				Deadlines: []cache.MarkedDeadline{{Member: "c\x1fnever", Score: there("1"), Lost: there("c\x1fnever")}}}),
		}, []string{"open_refusal c: held v1 1 GONE berlin > nothing, open", "deadline_orphaned never: deadline 1 > nothing, open"}},
		{"what the ledger does not have", []cache.Event{
			marking(cache.Mark{Levels: []cache.MarkedLevel{teeAt(1, 1, 0), {Name: "odd", Available: there("x\x00\xff")}},
				Reservations: []cache.MarkedReservation{recordOf(held)}, Limits: []cache.MarkedLimit{limitless, {Name: "\xff", Units: there("1")}}}),
		}, []string{
			"level_unknown TEE berlin: 1 on hand 1 committed 0 safety 0 backorder 0 > nothing, open",
			`level_unknown "odd": "x\x00\xff", nothing > nothing, open`,
			"reservation_extra a: held v1 2 TEE berlin > nothing, open",
			"limit_drift drop c-1: 3 > 0, open", `limit_drift "\xff": 1 > 0, open`,
		}},
		{"looked at again", []cache.Event{
			recount("count", 0, 5), held, marking(cache.Mark{Levels: []cache.MarkedLevel{teeAt(9, 5, 0)}}),
			marking(cache.Mark{How: cache.HowAgain, Levels: []cache.MarkedLevel{teeAt(3, 5, 0)}}),
		}, []string{"counter_drift TEE berlin: 9 on hand 5 committed 0 safety 0 backorder 0 > 3 on hand 5 committed 0 safety 0 backorder 0, gone"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachLedger(t, func(t *testing.T, b *bench) {
				b.begun()
				b.apply(b.entry(c.events...))
				expectFindings(t, b.ledger, "a-1", c.want...)
			})
		})
	}
}

// TestLedger_Repaired has a repair change nothing of the ledger but the finding, and leave a movement.
func TestLedger_Repaired(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		b.begun()
		b.apply(b.entry(recount("count", 0, 5), marking(cache.Mark{Levels: []cache.MarkedLevel{teeAt(7, 5, 0)}})))
		before := b.state()
		list, err := b.ledger.AuditFindings(t.Context(), "a-1", FindingFilter{Kinds: []FindingKind{KindCounterDrift}, Open: true}, 9)
		if err != nil || len(list) != 1 || list[0].Units != 2 || list[0].Position != "1-2" {
			t.Fatalf("%+v, %v", list, err)
		}
		repair := cache.Event{Verb: cache.VerbRepair, ID: "a-1", Actor: "anna", Repaired: &cache.Repaired{Audit: "a-1", Items: []cache.RepairedItem{
			{Word: "add", Finding: list[0].ID, Name: "TEE\x1fberlin", Added: cache.LevelCounts{Available: -2}}, {Word: "record", Finding: "f", Name: "gone"},
		}}}
		b.apply(b.entry(repair))
		if after := b.state(); after != before {
			t.Errorf("%s\nwas\n%s", after, before)
		}
		if _, err := b.ledger.Audit(t.Context(), ""); !errors.Is(err, cache.ErrNotFound) {
			t.Error("none has ended:", err)
		}
		a, err := b.ledger.Audit(t.Context(), "a-1")
		if err != nil || a.ID != "a-1" || a.Repaired != 1 || a.Drift != 0 || a.State != AuditRunning || a.Levels != 1 {
			t.Errorf("%+v, %v", a, err)
		}
		if err := b.ledger.endAudit(t.Context(), "a-1", ""); err != nil {
			t.Fatal(err)
		}
		if a, err := b.ledger.Audit(t.Context(), ""); err != nil || a.ID != "a-1" || a.State != AuditDone || a.FinishedAt.IsZero() {
			t.Errorf("%+v, %v", a, err)
		}
		if _, err := b.ledger.Audit(t.Context(), "a-2"); !errors.Is(err, cache.ErrNotFound) {
			t.Error(err)
		}
	})
}

// TestLedger_AuditPages has each listing of what there is to compare be in pages.
func TestLedger_AuditPages(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		e := recount("count", 0, 50)
		for _, l := range []levelKey{{"MUG", "berlin"}, {"MUG", "lyon"}, {"1", "2"}} {
			e.Levels = append(e.Levels, cache.LevelEvent{SKU: l.sku, Location: l.at, OnHandAfter: 7})
		}
		entries := []entry{b.entry(e)}
		for n := range 3 {
			held := born(fmt.Sprint("r", n), reserved(1), "n1")
			held.Record.Customer = fmt.Sprint("c", n)
			held.Record.Lines[0].Limits = []cache.RecordLimit{{ID: "drop", Most: 9, Each: 1}}
			entries = append(entries, b.entry(held))
		}
		b.apply(entries...)
		var got []string
		for after := (levelKey{}); ; {
			_, list, err := b.ledger.levelsAt(t.Context(), after, scope{}, 1)
			if err != nil || len(list) > 1 {
				t.Fatal(list, err)
			}
			if len(list) == 0 {
				break
			}
			after = list[0].levelKey
			got = append(got, fmt.Sprint(after.sku, "@", after.at))
		}
		for after := (liveKey{}); ; {
			_, list, err := b.ledger.liveAt(t.Context(), after, scope{at: "berlin"}, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			after = list[len(list)-1].key()
			got = append(got, after.id)
		}
		for after := (cache.LimitKey{}); ; {
			list, err := b.ledger.limitsAfter(t.Context(), after, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			after = list[len(list)-1]
			got = append(got, after.Customer)
		}
		if want := "[1@2 MUG@berlin MUG@lyon TEE@berlin r1 r2 c1 c2]"; fmt.Sprint(got) != want {
			t.Errorf("%v, want %s", got, want)
		}
		levels, err := b.ledger.unknownLevels(t.Context(), []levelKey{{"MUG", "lyon"}, {"MUG", "moon"}})
		if err != nil || len(levels) != 1 || levels[0].at != "moon" {
			t.Error(levels, err)
		}
		ids, err := b.ledger.live(t.Context(), []string{"r1", "never", "r2"})
		if err != nil || len(ids) != 2 {
			t.Error(ids, err)
		}
		limits, err := b.ledger.unknownLimits(t.Context(), []cache.LimitKey{{Limit: "drop", Customer: "c1"}, {Limit: "drop", Customer: "x"}})
		if err != nil || len(limits) != 1 || limits[0].Customer != "x" {
			t.Error(limits, err)
		}
		if units, err := b.ledger.unitsOnHand(t.Context(), scope{sku: "MUG"}); err != nil || units != 14 {
			t.Error(units, err)
		}
	})
}
