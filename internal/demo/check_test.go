package demo

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

var (
	teeBerlin = Level{"TEE-M", "berlin"}
	teeLyon   = Level{"TEE-M", "lyon"}
	capBerlin = Level{"CAP", "berlin"}
	began     = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
)

// second returns the time n seconds after the start of the sale.
func second(n int) time.Time { return began.Add(time.Duration(n) * time.Second) }

// balanced returns records and a final state that agree: of 10 units, 5 are sold (2 of them
// fulfilled), 2 were released and 1 has expired.
func balanced() (*Records, *FinalState) {
	b := &Records{Start: Stock{teeBerlin: 6, teeLyon: 3, capBerlin: 1}}
	order := func(id string, state cache.State, span Span, taken ...Taken) {
		b.Orders = append(b.Orders, Order{ID: id, Taken: taken, Granted: 1, State: state, Spans: []Span{span}})
	}
	order("a", cache.StateConfirmed, Span{From: second(1)}, Taken{capBerlin, 1}, Taken{teeBerlin, 2})
	order("b", cache.StateFulfilled, Span{From: second(1)}, Taken{teeLyon, 2})
	order("c", cache.StateReleased, Span{second(1), second(2)}, Taken{teeBerlin, 2})
	order("d", cache.StateExpired, Span{second(3), second(4)}, Taken{teeLyon, 1})

	f := &FinalState{Reservations: map[string]cache.Reservation{}, Levels: []cache.Level{
		{SKU: "CAP", Location: "berlin", OnHand: 1, Committed: 1},
		{SKU: "TEE-M", Location: "berlin", OnHand: 6, Committed: 2, Available: 4},
		{SKU: "TEE-M", Location: "lyon", OnHand: 1, Available: 1},
	}}
	states := map[string]cache.State{
		"a": cache.StateConfirmed, "b": cache.StateFulfilled, "c": cache.StateReleased, "d": cache.StateExpired,
	}
	for _, o := range b.Orders {
		r := cache.Reservation{ID: o.ID, State: states[o.ID]}
		for _, t := range o.Taken {
			r.Lines = append(r.Lines, cache.Line{
				SKU: t.SKU, Quantity: t.Units, From: []cache.Allocation{{Location: t.Location, Quantity: t.Units}},
			})
		}
		f.Reservations[o.ID] = r
	}
	return b, f
}

func TestCheckBalanced(t *testing.T) {
	b, f := balanced()
	if off := Check(b, f); len(off) > 0 {
		t.Fatalf("findings on a correct sale: %v", off)
	}
	want := Totals{Units: 10, Sold: 5, Fulfilled: 2, Released: 2, Expired: 1, Left: 5, MostOut: 7}
	if got := b.totals(f, func(location.SKU) bool { return true }); got != want {
		t.Errorf("totals %+v, want %+v", got, want)
	}
}

// broken are the ways to spoil a balanced sale, and the checks that must notice.
var broken = []struct {
	name   string
	spoil  func(b *Records, f *FinalState)
	want   []string // checks, in order
	detail string   // part of the first finding
	totals Totals   // only Oversold, Lost, Held and Drift are compared
}{
	{"one unit oversold, and the store shows it", func(b *Records, f *FinalState) {
		b.Start[capBerlin], f.Levels[0] = 0, cache.Level{SKU: "CAP", Location: "berlin", Committed: 1, Available: -1}
	}, []string{checkOversold}, "CAP at berlin: 1 units sold of 0 in stock", Totals{Oversold: 1}},
	{"one unit oversold, and the store hides it", func(b *Records, f *FinalState) {
		b.Start[capBerlin], f.Levels[0] = 0, cache.Level{SKU: "CAP", Location: "berlin"}
	}, []string{checkOversold, checkUnits, checkLevels, checkLevels}, "CAP at berlin: 1 units sold of 0 in stock",
		Totals{Oversold: 1, Lost: -1, Drift: 2}},
	{"a unit held twice at one moment, sold once", func(b *Records, f *FinalState) {
		b.Orders[3].Taken[0].Units, f.Reservations["d"].Lines[0].From[0].Quantity = 2, 2
	}, []string{checkOversold}, "TEE-M at lyon: 4 units held or sold at once, of 3 in stock", Totals{Oversold: 1}},
	{"one lost from on hand", func(_ *Records, f *FinalState) {
		f.Levels[1].OnHand, f.Levels[1].Available = 5, 3
	}, []string{checkUnits, checkLevels, checkLevels}, "TEE-M: 9 units at start, 4 sold, 4 left: 1 lost", Totals{Lost: 1, Drift: 2}},
	{"one too many", func(_ *Records, f *FinalState) {
		f.Levels[1].OnHand, f.Levels[1].Available = 7, 5
	}, []string{checkUnits, checkLevels, checkLevels}, "1 too many", Totals{Lost: -1, Drift: 2}},
	{"one held forever", func(_ *Records, f *FinalState) {
		f.Levels[2].Held, f.Levels[2].Available = 1, 0
	}, []string{checkHeld, checkUnits, checkLevels, checkLevels}, "TEE-M at lyon: 1 units are still held", Totals{Held: 1, Lost: 1, Drift: 2}},
	{"a confirm missing: the units were given back", func(_ *Records, f *FinalState) {
		f.Levels[1].Committed, f.Levels[1].Available = 0, 6
		f.Levels[0].Committed, f.Levels[0].Available = 0, 1
		r := f.Reservations["a"]
		r.State = cache.StateExpired
		f.Reservations["a"] = r
	}, []string{checkUnits, checkUnits, checkLevels, checkLevels, checkLevels, checkLevels, checkReservation},
		"TEE-M: 9 units at start, 4 sold, 7 left: 2 too many", Totals{Lost: -3, Drift: 6}},
	{"a confirm missing, the counters right", func(_ *Records, f *FinalState) {
		r := f.Reservations["a"]
		r.State = cache.StateHeld
		f.Reservations["a"] = r
	}, []string{checkReservation}, "a: confirmed, but the reservation is held", Totals{}},
	{"a sale missing", func(_ *Records, f *FinalState) { delete(f.Reservations, "b") },
		[]string{checkReservation}, "b: fulfilled, but the reservation is missing", Totals{}},
	{"a sale from another location", func(_ *Records, f *FinalState) {
		f.Reservations["b"].Lines[0].From[0].Location = "turin"
	}, []string{checkReservation}, "b: has [2 TEE-M at turin], but its buyer was told [2 TEE-M at lyon]", Totals{}},
	{"units of a release not for sale again", func(_ *Records, f *FinalState) {
		f.Levels[1].Committed, f.Levels[1].Available = 4, 2
	}, []string{checkUnits, checkLevels, checkLevels}, "2 lost", Totals{Lost: 2, Drift: 4}},
	{"a release that its buyer was not told of", func(b *Records, _ *FinalState) { b.Orders[2].State = cache.StateExpired },
		[]string{checkReservation}, "c: expired, but the reservation is released", Totals{}},
	{"a retry that took its units twice", func(b *Records, _ *FinalState) { b.Orders[0].Granted = 2 },
		[]string{checkTakenTwice}, "a took its units 2 times", Totals{}},
	{"a level missing", func(_ *Records, f *FinalState) { f.Levels = f.Levels[:2] },
		[]string{checkUnits, checkLevels}, "1 lost", Totals{Lost: 1, Drift: 2}},
	{"an unknown level", func(_ *Records, f *FinalState) {
		f.Levels = append(f.Levels, cache.Level{SKU: "MUG", Location: "lyon"})
	}, []string{checkLevels}, "MUG at lyon: the demo did not create this level", Totals{}},
	{"two errors that cancel out", func(_ *Records, f *FinalState) {
		f.Levels[1].OnHand, f.Levels[1].Available = 5, 3
		f.Levels[2].OnHand, f.Levels[2].Available = 2, 2
	}, []string{checkLevels, checkLevels, checkLevels, checkLevels}, "TEE-M at berlin: on hand is 5, the buyers' records say 6", Totals{Drift: 4}},
	{"an unexpected answer", func(b *Records, _ *FinalState) { b.Unexpected = []string{"e: confirm: not found"} },
		[]string{checkAnswers}, "e: confirm: not found", Totals{}},
}

// TestCheckFindsErrors spoils a balanced sale in one way at a time. Exactly the checks for that
// error must report it, and the totals must show it.
func TestCheckFindsErrors(t *testing.T) {
	for _, test := range broken {
		t.Run(test.name, func(t *testing.T) {
			b, f := balanced()
			test.spoil(b, f)
			off := Check(b, f)
			var checks []string
			for _, finding := range off {
				checks = append(checks, finding.Check)
			}
			if !slices.Equal(checks, test.want) || len(off) > 0 && !strings.Contains(off[0].Detail, test.detail) {
				t.Errorf("found %q, want %q, the first with %q", off, test.want, test.detail)
			}
			all := b.totals(f, func(location.SKU) bool { return true })
			got := Totals{Oversold: all.Oversold, Lost: all.Lost, Held: all.Held, Drift: all.Drift}
			if got != test.totals {
				t.Errorf("totals %+v, want %+v", got, test.totals)
			}
		})
	}
}

func TestPeak(t *testing.T) {
	order := func(units int64, spans ...Span) Order {
		return Order{Taken: []Taken{{teeBerlin, units}, {capBerlin, 100}}, Spans: spans}
	}
	for _, test := range []struct {
		name   string
		orders []Order
		want   int64
	}{
		{"none", nil, 0},
		{"one after the other", []Order{order(2, Span{second(0), second(1)}), order(3, Span{second(1), second(2)})}, 3},
		{"overlapping", []Order{order(2, Span{second(0), second(2)}), order(3, Span{second(1), second(3)})}, 5},
		{"forever", []Order{order(2, Span{From: second(0)}), order(3, Span{From: second(9)})}, 5},
		{"expired and taken again", []Order{
			order(2, Span{second(0), second(1)}, Span{From: second(5)}), order(3, Span{second(2), second(4)}),
		}, 3},
		{"without a span", []Order{order(2)}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (&Records{Orders: test.orders}).peak(func(l Level) bool { return l == teeBerlin }); got != test.want {
				t.Errorf("%d units, want %d", got, test.want)
			}
		})
	}
}
