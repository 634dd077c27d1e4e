package demo

import (
	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// hotSKU is what nearly everybody wants; sideSKUs are there half as often, for carts of several
// lines.
const hotSKU location.SKU = "TEE-M"

var sideSKUs = []location.SKU{"CAP", "MUG", "SOCKS"}

// allSKUs is every SKU of the sale, in the order of the table.
var allSKUs = append([]location.SKU{hotSKU}, sideSKUs...)

// places are the locations, and what part of the stock each has.
var places = []struct {
	id      location.ID
	percent int64
}{{"berlin", 50}, {"lyon", 30}, {"turin", 20}}

// Level names a SKU at a location.
type Level struct {
	SKU      location.SKU
	Location location.ID
}

// Stock is the units of each level.
type Stock map[Level]int64

// newStock is what a sale begins with, given the units of the hot SKU.
func newStock(units int64) Stock {
	stock := Stock{}
	for _, sku := range allSKUs {
		if sku != hotSKU {
			stock.spread(sku, max(1, units/2))
		} else {
			stock.spread(sku, units)
		}
	}
	return stock
}

// spread puts units of a SKU at every place; what can't be divided is at the first.
func (s Stock) spread(sku location.SKU, units int64) {
	left := units
	for _, p := range places {
		part := units * p.percent / 100
		s[Level{sku, p.id}] = part
		left -= part
	}
	s[Level{sku, places[0].id}] += left
}

// changes are the counts that put the stock on sale.
func (s Stock) changes() []cache.Change {
	changes := make([]cache.Change, 0, len(s))
	for _, sku := range allSKUs {
		for _, p := range places {
			if units, ok := s[Level{sku, p.id}]; ok {
				changes = append(changes, cache.Change{SKU: sku, Location: p.id, OnHand: &units})
			}
		}
	}
	return changes
}
