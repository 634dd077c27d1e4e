package bench

import (
	"context"
	"fmt"
	"strconv"
)

// order is one call. Every contender gets the same ones.
type order struct {
	id    string
	lines []line // of different SKUs, sorted by SKU, so that all callers lock rows in the same order
}

type line struct {
	sku      string
	quantity int64 // units
}

// outcome is the answer to a call.
type outcome int

const (
	accepted outcome = iota // units were taken, or a sale was made
	refused                 // there were not enough units
	replayed                // the id was known: nothing changed
	outcomes                // the number of outcomes
)

func (o outcome) String() string { return [...]string{"accepted", "refused", "replayed"}[o] }

// orders makes the orders of a round. The same seed and call number give the same order.
type orders struct {
	seed   uint64
	prefix string   // of every id
	skus   []string // for sale
	lines  int      // of each order
	copies int      // consecutive calls with the same order
}

// fill makes o the order of call i. It allocates only the id.
func (s *orders) fill(o *order, i int64) {
	n := i / int64(s.copies)
	o.id = s.prefix + strconv.FormatInt(n, 10)
	o.lines = o.lines[:0]
	// Consecutive SKUs from a random start are different and sorted.
	starts := uint64(len(s.skus) - s.lines + 1)
	from := int(splitMix64(s.seed+uint64(n)) % starts)
	for j := range s.lines {
		o.lines = append(o.lines, line{sku: s.skus[from+j], quantity: 1})
	}
}

// each returns a call that makes an order and gives it to do. Each caller reuses its own order.
func (s *orders) each(callers int, do func(context.Context, int, *order) (outcome, error)) call {
	mine := make([]order, callers)
	return func(ctx context.Context, caller int, i int64) (outcome, error) {
		s.fill(&mine[caller], i)
		return do(ctx, caller, &mine[caller])
	}
}

// splitMix64 is the generator of Steele, Lea and Flood, "Fast splittable pseudorandom number
// generators" (2014).
func splitMix64(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// skuNames returns n names in sorted order.
func skuNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("SKU-%07d", i)
	}
	return names
}
