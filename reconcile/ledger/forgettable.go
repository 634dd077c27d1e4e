package ledger

import (
	"cmp"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/internal/wire"
)

// Forgettable is what Redis may forget, before it is cut to a page.
type Forgettable struct{ Reservations, Undone, Operations []Aged }

// Aged is a step and when it was resolved or applied.
type Aged struct {
	Step wire.Step
	At   int64 // Unix ms
}

// Page returns what is older than upTo, which is to or less. It holds about limit steps of each
// list: a page ends at a whole millisecond.
func (f *Forgettable) Page(to int64, limit int) (found wire.Forgettable, upTo int64) {
	upTo = to
	byAge := func(a, b Aged) int { return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.Step.ID, b.Step.ID)) }
	for _, list := range [][]Aged{f.Reservations, f.Undone, f.Operations} {
		slices.SortFunc(list, byAge)
		if len(list) >= limit {
			upTo = min(upTo, list[limit-1].At+1)
		}
	}
	for _, a := range slices.Concat(f.Reservations, f.Undone) {
		if a.At < upTo {
			found.Reservations = append(found.Reservations, a.Step)
		}
	}
	for _, a := range f.Operations {
		if a.At < upTo {
			found.Operations = append(found.Operations, a.Step)
		}
	}
	return found, upTo
}
