package cache

import (
	"fmt"
	"math"
	"strconv"

	"github.com/holdfast/holdfast/location"
)

// probeLevelsMax is the most levels that a call may look at in a probe; one of more is reserve's alone.
const probeLevelsMax = 64

// What a number that was seen may be in place of units.
const (
	unitsNone   = math.MinInt64     // nothing is stored
	unitsBroken = math.MinInt64 + 1 // what is stored is no whole number
)

// seen is what a probe saw, for all calls of its batch.
type seen struct {
	levels []int64 // available, units
	taken  []int64 // of purchase limits, units
}

// The words for what a probe saw of a reservation.
const (
	probeNew   = "new"
	probeKnown = "known" // the id was used before, through whichever process
)

// probeCall asks of a reserve what its answer depends on.
type probeCall struct{ *reserveCall }

func (c probeCall) weight() int {
	n := len(c.limits)
	for i := range c.lines {
		n += len(c.lines[i].levels)
	}
	return n
}

func (c probeCall) arguments(b *batch) {
	for i := range c.lines {
		c.lines[i].call(b, false)
	}
	for i := range c.limits {
		c.limits[i].counter = b.counter(LimitKey{c.limits[i].limit.ID, c.request.Customer}.name())
	}
}

// plain says whether what levels have is enough to tell whether a call is refused, and with what shortages:
// no line takes what another one could have, and a line is served whatever the other lines take where. A call
// that could not be routed has no levels.
func (c *reserveCall) plain() bool {
	if len(c.lines) > plainLines || len(c.lines) > 1 && c.split() == location.SplitNever {
		return false
	}
	levels := 0
	for i := range c.lines {
		l := &c.lines[i]
		levels += len(l.levels)
		if l.kit != nil || len(l.levels) == 0 || levels > probeLevelsMax {
			return false
		}
		for j := range i {
			if c.request.Lines[j].SKU == c.request.Lines[i].SKU {
				return false
			}
		}
	}
	return true
}

// short lists the lines of a plain call that are short by what was seen; sure is false where reserve may answer
// something else than a shortage, or than that there is none.
func (c *reserveCall) short(saw *seen) (shortages []Shortage, sure bool) {
	for i := range c.limits {
		use := &c.limits[i]
		taken := saw.taken[number(use.counter)-1]
		if taken == unitsNone {
			taken = 0
		}
		if taken == unitsBroken || taken+use.units > use.limit.PerCustomer {
			return nil, false
		}
	}
	for i := range c.lines {
		asked := &c.request.Lines[i]
		most, sure := c.lines[i].most(saw.levels, c.split())
		if !sure {
			return nil, false
		}
		if most < asked.Quantity {
			shortages = append(shortages, Shortage{Line: asked.Line, SKU: asked.SKU, Requested: asked.Quantity, Available: most})
		}
	}
	return shortages, true
}

// most is what a line could have of its candidates: the largest, or where it may be split their sum.
func (l *reserveLine) most(available []int64, way location.Split) (most int64, sure bool) {
	for _, name := range l.names {
		switch units := available[number(name)-1]; {
		case units == unitsBroken:
			return 0, false
		case units == unitsNone: // passed over
		case way == location.SplitUnits:
			most, sure = most+max(0, units), true
		default:
			most, sure = max(most, units), true
		}
	}
	return most, sure
}

// number reads what a batch called a level or a counter.
func number(name string) int {
	n, err := strconv.Atoi(name)
	if err != nil {
		panic("cache: a batch numbers what it names: " + err.Error())
	}
	return n
}

// decodeProbe reads the reply of a probe: "ok", the records, the stock and what is taken of purchase limits.
func (b *batch) decodeProbe(reply []any) error {
	var lists [3][]any
	for i := range lists {
		if len(reply) != 1+len(lists) {
			return fmt.Errorf("%w: probe answered %d values", ErrCorrupt, len(reply))
		}
		lists[i], _ = reply[1+i].([]any)
	}
	records, stock, taken := lists[0], lists[1], lists[2]
	const head = 3 // epoch, gate, version of the locations
	if len(records) != len(b.pending) || len(stock) != head+len(b.names) || len(taken) != len(b.counters) {
		return fmt.Errorf("%w: probe answered of %d, %d and %d names", ErrCorrupt, len(records), len(stock), len(taken))
	}
	locations := numbersOf(stock[head-1 : head])[0]
	if locations == unitsNone {
		locations = 0
	}
	saw := &seen{levels: numbersOf(stock[head:]), taken: numbersOf(taken)}
	for _, record := range records {
		a := answer{status: probeNew, locations: locations, seen: saw}
		if record != nil {
			a.status = probeKnown
		}
		b.answers = append(b.answers, a)
	}
	return nil
}

// numbersOf reads stored numbers.
func numbersOf(list []any) []int64 {
	numbers := make([]int64, len(list))
	for i, value := range list {
		text, stored := value.(string)
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case !stored:
			n = unitsNone
		case err != nil:
			n = unitsBroken
		}
		numbers[i] = n
	}
	return numbers
}
