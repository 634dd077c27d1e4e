package demo

import (
	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// Totals are the units of one SKU, or of all. Left, Held and Drift compare with what was found; all
// else is from the books.
type Totals struct {
	Units     int64 `json:"units"`     // at start
	Sold      int64 `json:"sold"`      // confirmed, fulfilled ones included
	Fulfilled int64 `json:"fulfilled"` // of those sold
	Released  int64 `json:"released"`  // given back by their buyers
	Lapsed    int64 `json:"lapsed"`    // given back at their deadline
	Held      int64 `json:"held"`      // at the end
	Left      int64 `json:"left"`      // available at the end
	MostOut   int64 `json:"most_out"`  // the most that were surely held or sold at one moment
	Oversold  int64 `json:"oversold"`  // sold, or out at one moment, beyond what there was
	Lost      int64 `json:"lost"`      // units - sold - left; below 0 where there are too many
	Drift     int64 `json:"drift"`     // differences of the levels from the books, added up
}

// totals adds up the SKUs that want says.
func (b *Books) totals(f *Found, want func(location.SKU) bool) Totals {
	var t Totals
	sum := func(o func(Outcome) bool) int64 { return b.sums(o).where(want) }
	t.Units = b.Start.where(want)
	t.Sold = sum(Outcome.sale)
	t.Fulfilled = sum(func(o Outcome) bool { return o == Fulfilled })
	t.Released = sum(func(o Outcome) bool { return o == Released })
	t.Lapsed = sum(func(o Outcome) bool { return o == Lapsed })
	for _, level := range f.Levels {
		if want(level.SKU) {
			t.Held += level.Held
			t.Left += level.Available
		}
	}
	t.MostOut = peak(b.Orders, func(l Level) bool { return want(l.SKU) })
	t.Oversold = b.oversold().where(want)
	t.Drift = b.drift(f).where(want)
	t.Lost = t.Units - t.Sold - t.Left
	return t
}

// oversold is by how much more was sold, or surely out at one moment, than there was.
func (b *Books) oversold() Stock {
	over, sold := Stock{}, b.sums(Outcome.sale)
	for _, level := range b.Start.sorted(sold) {
		most := peak(b.Orders, func(other Level) bool { return other == level })
		over[level] = max(0, max(sold[level], most)-b.Start[level])
	}
	return over
}

// drift is by how much the numbers of each level differ from the books.
func (b *Books) drift(f *Found) Stock {
	drift, want := Stock{}, b.expected()
	add := func(level Level, got cache.Level) {
		for _, n := range numbers(got, want[level]) {
			drift[level] += max(n.got-n.want, n.want-n.got)
		}
		delete(want, level)
	}
	for _, level := range f.Levels {
		add(Level{level.SKU, level.Location}, level)
	}
	for level := range want {
		add(level, cache.Level{}) // it is gone
	}
	return drift
}

// where is the units of the SKUs that want says.
func (s Stock) where(want func(location.SKU) bool) int64 {
	var units int64
	for level, n := range s {
		if want(level.SKU) {
			units += n
		}
	}
	return units
}
