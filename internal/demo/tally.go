package demo

import (
	"slices"
	"sync/atomic"

	"github.com/holdfast/holdfast/location"
)

// tally counts answers as they come, from all buyers at once.
type tally struct {
	requests   atomic.Int64 // calls that were answered
	refused    *counter     // reservations refused for want of stock
	replays    *counter     // answers to a repeated call: nothing was changed
	granted    atomic.Int64 // units given out; those that came back and went out again, again
	lateSold   atomic.Int64 // confirmed after the deadline
	lateMissed atomic.Int64 // confirmed too late: the units had gone to others
}

func newTally() *tally { return &tally{refused: newCounter(), replays: newCounter()} }

// counter counts requests: in all, and by SKU. A request for several SKUs counts for each of them,
// and once in all.
type counter struct {
	all   atomic.Int64
	bySKU []atomic.Int64 // in the order of allSKUs
}

func newCounter() *counter { return &counter{bySKU: make([]atomic.Int64, len(allSKUs))} }

func (c *counter) add(skus []location.SKU) {
	c.all.Add(1)
	for _, sku := range skus {
		c.bySKU[slices.Index(allSKUs, sku)].Add(1)
	}
}

func (c *counter) of(sku location.SKU) int64 { return c.bySKU[slices.Index(allSKUs, sku)].Load() }
