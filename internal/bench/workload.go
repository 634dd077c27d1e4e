package bench

import (
	"fmt"
	"slices"
)

// workload is what all contenders get in one comparison.
type workload struct {
	scenario       string // key of Scenarios
	title          string
	skus           int     // for sale
	units          int64   // of each SKU at the start
	lines          int     // of an order
	copies         int     // calls with each id
	held           int     // holds that exist at the start
	confirms       bool    // times the sale; otherwise the hold
	measuresMemory bool    // of each held reservation
	subject        outcome // whose latencies the report shows
	size           *Size   // in the scenario scale
}

const (
	plenty       = int64(1) << 30 // units: more than a round can sell
	manySKUs     = 1000
	cartLines    = 3
	retryCopies  = 3
	soldOutUnits = 100
)

// Keyed is a choice on the command line.
type Keyed struct{ Key, Title string }

// Keys lists the keys of choices.
func Keys(list []Keyed) []string {
	keys := make([]string, len(list))
	for i, k := range list {
		keys[i] = k.Key
	}
	return keys
}

// Scenarios lists the scenarios in the order in which they run.
var Scenarios = []Keyed{
	{"hot", "every caller reserves one unit of the same SKU; there is enough for all"},
	{"skus", "one unit of one of 1,000 SKUs"},
	{"carts", "carts of 3 lines, from 1,000 SKUs"},
	{"sold-out", "100 units of one SKU, then only refusals"},
	{"retries", "every request is sent three times in a row with the same id"},
	{"confirm", "the durable sale: confirm an existing hold, or sell directly if there are no holds"},
	{"scale", "one unit of one of many levels, while many reservations are held"},
}

// workloadsOf lists the workloads of the chosen scenarios, in the order of Scenarios.
func workloadsOf(o *Options) (list []workload) {
	for _, s := range Scenarios {
		if slices.Contains(o.Scenarios, s.Key) {
			list = append(list, o.workloads(s.Key, s.Title)...)
		}
	}
	return list
}

// workloads returns one workload for a scenario, or one for each size of scale.
func (o *Options) workloads(key, title string) []workload {
	w := workload{scenario: key, title: title, skus: 1, units: plenty, lines: 1, copies: 1}
	switch key {
	case "hot":
		w.measuresMemory = true
	case "skus":
		w.skus, w.measuresMemory = manySKUs, true
	case "carts":
		w.skus, w.lines, w.measuresMemory = manySKUs, cartLines, true
	case "sold-out":
		w.units, w.subject = soldOutUnits, refused
	case "retries":
		w.copies, w.subject = retryCopies, replayed
	case "confirm":
		w.confirms = true
	case "scale":
		list := make([]workload, len(o.Sizes))
		for i, size := range o.Sizes {
			w.title = fmt.Sprintf("%s: %d levels, %d held", title, size.Levels, size.Held)
			w.skus, w.held, w.size, w.measuresMemory = size.Levels, size.Held, &o.Sizes[i], true
			list[i] = w
		}
		return list
	}
	return []workload{w}
}
