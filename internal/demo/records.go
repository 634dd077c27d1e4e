package demo

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// Records are what the buyers were told, and nothing else.
type Records struct {
	Start      Stock    // the units for sale
	Orders     []Order  // of every buyer that ever got units
	Unexpected []string // answers that no buyer should get
}

// sold are the states in which the units belong to the buyer.
var sold = []cache.State{cache.StateConfirmed, cache.StateFulfilled}

// Order is a reservation as its buyer knows it.
type Order struct {
	ID      string
	Taken   []Taken     // as last acknowledged, sorted
	Granted int         // answers that said units were newly taken: more than one means taken twice
	State   cache.State // by the last answer to its buyer, or expired
	Spans   []Span      // when it certainly had its units
}

// Taken is units of one level.
type Taken struct {
	Level
	Units int64
}

// String formats the units for a finding.
func (t Taken) String() string { return fmt.Sprintf("%d %s", t.Units, t.Level) }

// Span is a time during which units were certainly not for sale. A zero Until means forever.
type Span struct{ From, Until time.Time }

// of returns the order's units of a SKU.
func (o *Order) of(sku location.SKU) int64 {
	var units int64
	for _, t := range o.Taken {
		if t.SKU == sku {
			units += t.Units
		}
	}
	return units
}

// taken lists what a reservation has taken, sorted by level.
func taken(r *cache.Reservation) []Taken {
	var list []Taken
	for _, line := range r.Lines {
		for _, from := range line.From {
			list = append(list, Taken{Level{line.SKU, from.Location}, from.Quantity})
		}
	}
	slices.SortFunc(list, func(a, b Taken) int {
		return cmp.Or(cmp.Compare(a.SKU, b.SKU), cmp.Compare(a.Location, b.Location), cmp.Compare(a.Units, b.Units))
	})
	return list
}

// sums adds up the units of orders in these states by level.
func (r *Records) sums(states ...cache.State) Stock {
	sums := Stock{}
	for i := range r.Orders {
		if slices.Contains(states, r.Orders[i].State) {
			for _, t := range r.Orders[i].Taken {
				sums[t.Level] += t.Units
			}
		}
	}
	return sums
}

// expected returns each level as it must be according to the records.
func (r *Records) expected() map[Level]cache.Level {
	sales, left := r.sums(sold...), r.sums(cache.StateFulfilled)
	levels := make(map[Level]cache.Level, len(r.Start))
	for level, units := range r.Start {
		levels[level] = cache.Level{
			OnHand: units - left[level], Committed: sales[level] - left[level], Available: units - sales[level],
		}
	}
	return levels
}

// peak returns the most units that were certainly not for sale at one moment, of the levels that
// match. It follows from the buyers' answers and their times: a hold counts from its
// acknowledgement until its buyer released it or its deadline came. A sale counts forever.
func (r *Records) peak(match func(Level) bool) int64 {
	type change struct {
		at    time.Duration // since the first span
		units int64
	}
	var changes []change
	var zero time.Time
	for i := range r.Orders {
		var units int64
		for _, t := range r.Orders[i].Taken {
			if match(t.Level) {
				units += t.Units
			}
		}
		if units == 0 {
			continue
		}
		for _, span := range r.Orders[i].Spans {
			if zero.IsZero() {
				zero = span.From // differences use the monotonic clock, which is never set back
			}
			changes = append(changes, change{span.From.Sub(zero), units})
			if !span.Until.IsZero() {
				changes = append(changes, change{span.Until.Sub(zero), -units})
			}
		}
	}
	slices.SortFunc(changes, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.units, b.units)) // returned units first
	})
	var out, most int64
	for _, c := range changes {
		out += c.units
		most = max(most, out)
	}
	return most
}

// Totals are the units of one SKU, or of all. Held, Left, Lost and Drift include what the store
// says. The rest is from the buyers' records.
type Totals struct {
	Units     int64 `json:"units"`     // at the start
	Sold      int64 `json:"sold"`      // confirmed, including fulfilled
	Fulfilled int64 `json:"fulfilled"` // of those sold
	Released  int64 `json:"released"`  // by their buyers
	Expired   int64 `json:"lapsed"`    // at their deadline
	Held      int64 `json:"held"`      // at the end
	Left      int64 `json:"left"`      // available at the end
	MostOut   int64 `json:"most_out"`  // the most that were certainly held or sold at one moment
	Oversold  int64 `json:"oversold"`  // sold, or out at one moment, beyond the units at the start
	Lost      int64 `json:"lost"`      // units - sold - left; negative if there are too many
	Drift     int64 `json:"drift"`     // sum of the differences between levels and records
}

// totals adds up the SKUs that match.
func (r *Records) totals(f *FinalState, match func(location.SKU) bool) Totals {
	sum := func(states ...cache.State) int64 { return r.sums(states...).units(match) }
	t := Totals{
		Units: r.Start.units(match), Sold: sum(sold...), Fulfilled: sum(cache.StateFulfilled),
		Released: sum(cache.StateReleased), Expired: sum(cache.StateExpired),
		MostOut:  r.peak(func(l Level) bool { return match(l.SKU) }),
		Oversold: r.oversold().units(match), Drift: r.drift(f).units(match),
	}
	for _, level := range f.Levels {
		if match(level.SKU) {
			t.Held += level.Held
			t.Left += level.Available
		}
	}
	t.Lost = t.Units - t.Sold - t.Left
	return t
}

// oversold returns how many units more were sold, or certainly out at one moment, than there were.
func (r *Records) oversold() Stock {
	over, sales := Stock{}, r.sums(sold...)
	for _, level := range r.Start.sorted(sales) {
		most := r.peak(func(other Level) bool { return other == level })
		over[level] = max(0, max(sales[level], most)-r.Start[level])
	}
	return over
}

// drift returns how far the numbers of each level are from the records.
func (r *Records) drift(f *FinalState) Stock {
	drift, want := Stock{}, r.expected()
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
		add(level, cache.Level{}) // the level is missing
	}
	return drift
}
