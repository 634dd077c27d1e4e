package demo

import (
	"cmp"
	"slices"
	"time"
)

// peak is the most units of the levels that want says, that were surely out of sale at one moment.
// It is worked out from what the buyers were told, and when: a hold is out from its acknowledgement
// until its buyer gave it up or its deadline came, a sale for ever.
func peak(orders []Order, want func(Level) bool) int64 {
	type change struct {
		at    time.Duration // after any one moment
		units int64
	}
	var changes []change
	var zero time.Time
	for i := range orders {
		var units int64
		for _, t := range orders[i].Taken {
			if want(t.Level) {
				units += t.Units
			}
		}
		if units == 0 {
			continue
		}
		for _, span := range orders[i].Spans {
			if zero.IsZero() {
				zero = span.From // so that the process's own clock counts, which is never set back
			}
			changes = append(changes, change{span.From.Sub(zero), units})
			if !span.Until.IsZero() {
				changes = append(changes, change{span.Until.Sub(zero), -units})
			}
		}
	}
	slices.SortFunc(changes, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.units, b.units)) // what comes back, first
	})
	var out, most int64
	for _, c := range changes {
		out += c.units
		most = max(most, out)
	}
	return most
}
