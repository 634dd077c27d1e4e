package demo

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// Books are what the buyers were told, and nothing else.
type Books struct {
	Start  Stock    // what there was to sell
	Orders []Order  // of every buyer that was ever given units
	Odd    []string // answers that nobody should have got
}

// Outcome is how an order ended, by its buyer's last answer.
type Outcome string

// The outcomes. A lapsed order was given up by its deadline: its units are for sale again.
const (
	Sold      Outcome = "sold"
	Fulfilled Outcome = "fulfilled" // sold, and the units have left
	Released  Outcome = "released"
	Lapsed    Outcome = "lapsed"
)

// sale says whether the units are the buyer's.
func (o Outcome) sale() bool { return o == Sold || o == Fulfilled }

// state is the state a reservation with this outcome must have.
func (o Outcome) state() cache.State {
	switch o {
	case Sold:
		return cache.StateConfirmed
	case Fulfilled:
		return cache.StateFulfilled
	case Released:
		return cache.StateReleased
	default:
		return cache.StateExpired
	}
}

// Order is one reservation as its buyer knows it.
type Order struct {
	ID      string
	Taken   []Taken // as last acknowledged, in order
	Granted int     // answers that said units were newly taken: more than one is a unit sold twice
	Outcome Outcome
	Spans   []Span // when it surely had its units
}

// Taken is units of one level.
type Taken struct {
	Level
	Units int64
}

// String is the units as a finding names them.
func (t Taken) String() string { return fmt.Sprintf("%d %s", t.Units, t.Level) }

// Span is a time during which units were surely out of sale. A zero Until is for ever.
type Span struct{ From, Until time.Time }

// of is the order's units of a SKU.
func (o *Order) of(sku location.SKU) int64 {
	var units int64
	for _, t := range o.Taken {
		if t.SKU == sku {
			units += t.Units
		}
	}
	return units
}

// taken lists what a reservation has taken, level by level.
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

// sums adds up the orders that want says, level by level.
func (b *Books) sums(want func(Outcome) bool) Stock {
	sums := Stock{}
	for i := range b.Orders {
		if want(b.Orders[i].Outcome) {
			for _, t := range b.Orders[i].Taken {
				sums[t.Level] += t.Units
			}
		}
	}
	return sums
}
