package bench

import (
	"fmt"
	"slices"
)

// scene is what all contenders are asked in one comparison.
type scene struct {
	scenario string // its key, as the command line names it
	title    string
	skus     int     // for sale
	units    int64   // of each SKU at the start
	lines    int     // of an order
	copies   int     // how often each id is sent
	held     int     // reservations that others hold already
	confirms bool    // what is timed is the sale; otherwise the hold
	weighs   bool    // the memory of a held reservation is measured
	about    outcome // whose latencies are shown
	size     *Size   // of the scenario scale
}

const (
	plenty       = int64(1) << 30 // units that no round can sell
	manySKUs     = 1000
	cartLines    = 3
	retryCopies  = 3
	soldOutUnits = 100
)

// Keyed is something that the command line names.
type Keyed struct{ Key, Title string }

// Scenarios lists the keys in the order they are run, with what each is.
var Scenarios = []Keyed{
	{"hot", "everybody wants one unit of one SKU, and there is enough"},
	{"skus", "one unit of one of 1,000 SKUs"},
	{"carts", "carts of 3 lines, of 1,000 SKUs"},
	{"sold-out", "100 units of one SKU, and then refusals"},
	{"retries", "each id is sent three times in a row"},
	{"confirm", "the sale itself, durable: of a hold where there are holds, else of stock"},
	{"scale", "one unit of one of many levels, beside what is held already"},
}

// scenes are what a scenario compares: one, but for scale.
func (o *Options) scenes(key, title string) []scene {
	s := scene{scenario: key, title: title, skus: 1, units: plenty, lines: 1, copies: 1}
	switch key {
	case "hot":
		s.weighs = true
	case "skus":
		s.skus, s.weighs = manySKUs, true
	case "carts":
		s.skus, s.lines, s.weighs = manySKUs, cartLines, true
	case "sold-out":
		s.units, s.about = soldOutUnits, refused
	case "retries":
		s.copies, s.about = retryCopies, replayed
	case "confirm":
		s.confirms = true
	case "scale":
		return o.scaled(s)
	}
	return []scene{s}
}

// scaled are the scenes of the scenario scale, one for each size.
func (o *Options) scaled(s scene) []scene {
	list := make([]scene, len(o.Sizes))
	for i, size := range o.Sizes {
		list[i] = s
		list[i].title = fmt.Sprintf("%s: %d levels, %d held", s.title, size.Levels, size.Held)
		list[i].skus, list[i].held, list[i].size = size.Levels, size.Held, &o.Sizes[i]
		list[i].weighs = true
	}
	return list
}

// ScenarioKeys are the keys of Scenarios.
func ScenarioKeys() []string { return keysOf(Scenarios) }

// scenesOf are what the chosen scenarios compare, in the order of Scenarios.
func scenesOf(o *Options) (list []scene) {
	for _, s := range Scenarios {
		if slices.Contains(o.Scenarios, s.Key) {
			list = append(list, o.scenes(s.Key, s.Title)...)
		}
	}
	return list
}
