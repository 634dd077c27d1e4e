package demo

import (
	"fmt"
	"slices"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// Finding is one error that a check has found.
type Finding struct {
	Check  string `json:"check"` // one of Checks
	Detail string `json:"detail"`
}

// The names of the checks, with what each makes sure of.
const (
	checkOversold    = "oversold"     // no more units are sold, or out at one moment, than were in stock
	checkTakenTwice  = "taken twice"  // a repeated request takes its units once
	checkHeld        = "still held"   // no unit is held after all holds have ended
	checkUnits       = "conservation" // units at start = sold + left
	checkLevels      = "levels"       // on hand, held, committed and available match the buyers' records
	checkReservation = "reservations" // each has the state that its buyer was last told
	checkAnswers     = "answers"      // no buyer got an unexpected answer
)

// Checks lists all checks in the order in which they run.
var Checks = []string{
	checkOversold, checkTakenTwice, checkHeld, checkUnits, checkLevels, checkReservation, checkAnswers,
}

// Check compares the buyers' records with the store's final state and lists every difference.
func Check(r *Records, f *FinalState) []Finding {
	var l findings
	l.oversold(r)
	l.takenTwice(r)
	l.held(f)
	l.conserved(r, f)
	l.levels(r, f)
	l.reservations(r, f)
	for _, answer := range r.Unexpected {
		l.add(checkAnswers, "%s", answer)
	}
	return l
}

type findings []Finding

func (l *findings) add(check, format string, args ...any) {
	*l = append(*l, Finding{check, fmt.Sprintf(format, args...)})
}

func (l *findings) oversold(r *Records) {
	sales := r.sums(sold...)
	for _, level := range r.Start.sorted(sales) {
		if sales[level] > r.Start[level] {
			l.add(checkOversold, "%s: %d units sold of %d in stock", level, sales[level], r.Start[level])
			continue
		}
		most := r.peak(func(other Level) bool { return other == level })
		if most > r.Start[level] {
			l.add(checkOversold, "%s: %d units held or sold at once, of %d in stock", level, most, r.Start[level])
		}
	}
}

func (l *findings) takenTwice(r *Records) {
	for i := range r.Orders {
		if o := &r.Orders[i]; o.Granted > 1 {
			l.add(checkTakenTwice, "%s took its units %d times", o.ID, o.Granted)
		}
	}
}

func (l *findings) held(f *FinalState) {
	for _, level := range f.Levels {
		if level.Held != 0 {
			l.add(checkHeld, "%s: %d units are still held", Level{level.SKU, level.Location}, level.Held)
		}
	}
}

// conserved checks for each SKU that the units at the start equal those sold plus those left.
func (l *findings) conserved(r *Records, f *FinalState) {
	for _, sku := range allSKUs {
		t := r.totals(f, func(other location.SKU) bool { return other == sku })
		if t.Lost == 0 {
			continue
		}
		what := fmt.Sprintf("%d lost", t.Lost)
		if t.Lost < 0 {
			what = fmt.Sprintf("%d too many", -t.Lost)
		}
		l.add(checkUnits, "%s: %d units at start, %d sold, %d left: %s", sku, t.Units, t.Sold, t.Left, what)
	}
}

// levels compares the numbers of each level with the records.
func (l *findings) levels(r *Records, f *FinalState) {
	want := r.expected()
	for _, got := range f.Levels {
		level := Level{got.SKU, got.Location}
		expected, known := want[level]
		if !known {
			l.add(checkLevels, "%s: the demo did not create this level", level)
			continue
		}
		delete(want, level)
		for _, n := range numbers(got, expected) {
			if n.got != n.want {
				l.add(checkLevels, "%s: %s is %d, the buyers' records say %d", level, n.name, n.got, n.want)
			}
		}
	}
	for _, level := range r.Start.sorted() {
		if _, missing := want[level]; missing {
			l.add(checkLevels, "%s: the level is missing", level)
		}
	}
}

// number is one number of a level in the store, and what it must be.
type number struct {
	name      string
	got, want int64
}

func numbers(got, want cache.Level) []number {
	return []number{
		{"on hand", got.OnHand, want.OnHand}, {"held", got.Held, want.Held},
		{"committed", got.Committed, want.Committed}, {"available", got.Available, want.Available},
	}
}

// reservations compares each reservation with its buyer's records.
func (l *findings) reservations(r *Records, f *FinalState) {
	for i := range r.Orders {
		o := &r.Orders[i]
		got, known := f.Reservations[o.ID]
		if !known {
			l.add(checkReservation, "%s: %s, but the reservation is missing", o.ID, o.State)
			continue
		}
		if got.State != o.State {
			l.add(checkReservation, "%s: %s, but the reservation is %s", o.ID, o.State, got.State)
		}
		if units := taken(&got); !slices.Equal(units, o.Taken) {
			l.add(checkReservation, "%s: has %v, but its buyer was told %v", o.ID, units, o.Taken)
		}
	}
}
