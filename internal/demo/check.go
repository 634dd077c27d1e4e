package demo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// Finding is one thing that is off.
type Finding struct {
	Check  string `json:"check"` // one of Checks
	Detail string `json:"detail"`
}

// The checks, by name.
const (
	checkOversold    = "oversold"     // no more units are sold, or out at one moment, than there were
	checkTakenTwice  = "taken twice"  // a repeated request takes its units once
	checkHeld        = "still held"   // no unit is held when all holds have ended
	checkUnits       = "conservation" // units at start = sold + left
	checkLevels      = "levels"       // on hand, held, committed, available are what the books say
	checkReservation = "reservations" // each is in the state that its buyer was told last
	checkAnswers     = "answers"      // nobody got an answer that makes no sense
)

// Checks names all checks, in the order they are made.
var Checks = []string{
	checkOversold, checkTakenTwice, checkHeld, checkUnits, checkLevels, checkReservation, checkAnswers,
}

// Check compares the books with what was found, and lists everything that is off.
func Check(b *Books, f *Found) []Finding {
	var l findings
	l.oversold(b)
	l.takenTwice(b)
	l.held(f)
	l.conserved(b, f)
	l.levels(b, f)
	l.reservations(b, f)
	for _, odd := range b.Odd {
		l.add(checkAnswers, "%s", odd)
	}
	return l
}

type findings []Finding

func (l *findings) add(check, format string, args ...any) {
	*l = append(*l, Finding{check, fmt.Sprintf(format, args...)})
}

func (l *findings) oversold(b *Books) {
	sold := b.sums(Outcome.sale)
	for _, level := range b.Start.sorted(sold) {
		if sold[level] > b.Start[level] {
			l.add(checkOversold, "%s: %d units sold of %d", level, sold[level], b.Start[level])
			continue
		}
		most := peak(b.Orders, func(other Level) bool { return other == level })
		if most > b.Start[level] {
			l.add(checkOversold, "%s: %d units out at one moment, of %d", level, most, b.Start[level])
		}
	}
}

func (l *findings) takenTwice(b *Books) {
	for i := range b.Orders {
		if o := &b.Orders[i]; o.Granted > 1 {
			l.add(checkTakenTwice, "%s was given its units %d times", o.ID, o.Granted)
		}
	}
}

func (l *findings) held(f *Found) {
	for _, level := range f.Levels {
		if level.Held != 0 {
			l.add(checkHeld, "%s: %d units", Level{level.SKU, level.Location}, level.Held)
		}
	}
}

// conserved compares units at start with those sold and those that are left, by SKU.
func (l *findings) conserved(b *Books, f *Found) {
	for _, sku := range allSKUs {
		t := b.totals(f, func(other location.SKU) bool { return other == sku })
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

// levels compares each level's numbers with what the books say.
func (l *findings) levels(b *Books, f *Found) {
	want := b.expected()
	for _, got := range f.Levels {
		level := Level{got.SKU, got.Location}
		expected, known := want[level]
		if !known {
			l.add(checkLevels, "%s: there is no such level in the books", level)
			continue
		}
		delete(want, level)
		for _, n := range numbers(got, expected) {
			if n.got != n.want {
				l.add(checkLevels, "%s: %s is %d, the books say %d", level, n.name, n.got, n.want)
			}
		}
	}
	for _, level := range b.Start.sorted() {
		if _, missing := want[level]; missing {
			l.add(checkLevels, "%s: the level is gone", level)
		}
	}
}

// expected is each level as the books have it.
func (b *Books) expected() map[Level]cache.Level {
	sold, left := b.sums(Outcome.sale), b.sums(func(o Outcome) bool { return o == Fulfilled })
	levels := make(map[Level]cache.Level, len(b.Start))
	for level, units := range b.Start {
		levels[level] = cache.Level{
			OnHand: units - left[level], Committed: sold[level] - left[level], Available: units - sold[level],
		}
	}
	return levels
}

// number is one number of a level, as found and as it should be.
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

// reservations compares each reservation with what its buyer was told.
func (l *findings) reservations(b *Books, f *Found) {
	for i := range b.Orders {
		o := &b.Orders[i]
		got, known := f.Reservations[o.ID]
		if !known {
			l.add(checkReservation, "%s: %s, but the reservation is gone", o.ID, o.Outcome)
			continue
		}
		if got.State != o.Outcome.state() {
			l.add(checkReservation, "%s: %s, but the reservation is %s", o.ID, o.Outcome, got.State)
		}
		if units := taken(&got); !slices.Equal(units, o.Taken) {
			l.add(checkReservation, "%s: has %v, its buyer was told %v", o.ID, units, o.Taken)
		}
	}
}

// String is how people call a level.
func (l Level) String() string { return string(l.SKU) + " at " + string(l.Location) }

// sorted lists the levels of s, and of others, in order.
func (s Stock) sorted(others ...Stock) []Level {
	var levels []Level
	for _, stock := range append(others, s) {
		for level := range stock {
			levels = append(levels, level)
		}
	}
	slices.SortFunc(levels, func(a, b Level) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(levels)
}
