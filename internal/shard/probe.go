package shard

import (
	"fmt"
	"math"
	"strconv"

	"github.com/holdfast/holdfast/internal/wire"
)

// The values of a level or a count that a probe could not read as units.
const (
	UnitsNone   = math.MinInt64     // nothing is stored
	UnitsBroken = math.MinInt64 + 1 // the stored value is not a whole number
)

// Seen is what a probe saw. All requests of its batch share it.
type Seen struct {
	Levels []int64 // available, units
	Taken  []int64 // what purchase limits count, units
	Now    int64   // Unix ms by Redis's clock, if a request needs the time
}

// noTime is the time of a probe that no request needs.
const noTime = "-"

// The statuses of a probe. Redis has no words for them.
const (
	probeNew   = "new"   // there is no record with this id
	ProbeKnown = "known" // the id was used before
)

// decodeProbe reads the reply of a probe: "ok", the records, the levels, what purchase limits count,
// and the time.
func (b *Batch) decodeProbe(reply []any) error {
	if len(reply) != 5 {
		return fmt.Errorf("%w: probe answered %d values, not 5", wire.ErrCorrupt, len(reply))
	}
	records, _ := reply[1].([]any)
	stock, _ := reply[2].([]any)
	taken, _ := reply[3].([]any)
	const head = 3 // epoch, gate, version of the locations
	if len(records) != len(b.pending) || len(stock) != head+len(b.levels.names) || len(taken) != len(b.counters.names) {
		return fmt.Errorf("%w: probe answered lists of %d, %d and %d values", wire.ErrCorrupt, len(records), len(stock), len(taken))
	}
	locations := numbersOf(stock[head-1 : head])[0]
	if locations == UnitsNone {
		locations = 0
	}
	saw := &Seen{Levels: numbersOf(stock[head:]), Taken: numbersOf(taken), Now: numbersOf(reply[4:])[0]}
	for _, record := range records {
		a := Answer{Status: probeNew, Locations: locations, Seen: saw}
		if record != nil {
			a.Status = ProbeKnown
		}
		b.answers = append(b.answers, a)
	}
	return nil
}

// numbersOf reads stored numbers, or UnitsNone and UnitsBroken.
func numbersOf(list []any) []int64 {
	numbers := make([]int64, len(list))
	for i, value := range list {
		text, stored := value.(string)
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case !stored:
			n = UnitsNone
		case err != nil:
			n = UnitsBroken
		}
		numbers[i] = n
	}
	return numbers
}
