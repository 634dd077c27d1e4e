package cache

import (
	"strconv"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// probeLevelsMax is the most levels that a call may look at in a probe; one of more is reserve's alone.
const probeLevelsMax = 64

// probeCall asks of a reserve what its answer depends on.
type probeCall struct{ *reserveCall }

func (c probeCall) Weight() int {
	n := len(c.limits)
	for i := range c.lines {
		n += len(c.lines[i].levels)
	}
	return n
}

func (c probeCall) Arguments(b *shard.Batch) {
	for i := range c.lines {
		c.lines[i].call(b, false)
	}
	for i := range c.limits {
		c.limits[i].counter = b.Counter(wire.LimitKey{Limit: c.limits[i].limit.ID, Customer: c.request.Customer}.Name())
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
func (c *reserveCall) short(saw *shard.Seen) (shortages []Shortage, sure bool) {
	for i := range c.limits {
		use := &c.limits[i]
		taken := saw.Taken[number(use.counter)-1]
		if taken == shard.UnitsNone {
			taken = 0
		}
		if taken == shard.UnitsBroken || taken+use.units > use.limit.PerCustomer {
			return nil, false
		}
	}
	for i := range c.lines {
		asked := &c.request.Lines[i]
		most, sure := c.lines[i].most(saw.Levels, c.split())
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
		case units == shard.UnitsBroken:
			return 0, false
		case units == shard.UnitsNone: // passed over
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
