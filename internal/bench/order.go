package bench

import (
	"fmt"
	"strconv"
)

// order is one call, as every contender is asked it.
type order struct {
	id    string
	lines []line // of different SKUs, in order of SKU, so that rows are locked in one order
}

type line struct {
	sku      string
	quantity int64 // units
}

// orders makes the orders of a round. The same seed, round and number give the same order.
type orders struct {
	seed   uint64
	prefix string   // of every id
	skus   []string // what is for sale
	lines  int      // of each order
	copies int      // how many calls in a row have the same order
}

// fill makes o the order of call i, without allocating but for its id.
func (s *orders) fill(o *order, i int64) {
	n := i / int64(s.copies)
	o.id = s.prefix + strconv.FormatInt(n, 10)
	o.lines = o.lines[:0]
	// The lines are neighbours from a random place on: different, and in order.
	last := uint64(len(s.skus) - s.lines + 1)
	from := int(scatter(s.seed+uint64(n)) % last)
	for j := range s.lines {
		o.lines = append(o.lines, line{sku: s.skus[from+j], quantity: 1})
	}
}

// scatter is a number that looks random: SplitMix64, from Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators" (2014).
func scatter(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// skuNames are n names in order.
func skuNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("SKU-%07d", i)
	}
	return names
}
