package demo

import (
	"slices"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// hotSKU is what nearly every buyer wants. Carts of several lines also have sideSKUs.
const hotSKU location.SKU = "TEE-M"

var sideSKUs = []location.SKU{"CAP", "MUG", "SOCKS"}

// allSKUs are the SKUs of the sale, in the order of the table.
var allSKUs = append([]location.SKU{hotSKU}, sideSKUs...)

// locations are the locations and their shares of the stock.
var locations = []struct {
	id      location.ID
	percent int64
}{{"berlin", 50}, {"lyon", 30}, {"turin", 20}}

// Level names a SKU at a location.
type Level struct {
	SKU      location.SKU
	Location location.ID
}

// String formats a level for a finding.
func (l Level) String() string { return string(l.SKU) + " at " + string(l.Location) }

// Stock is the units of each level.
type Stock map[Level]int64

// newStock returns the stock of a sale with the given units of the hot SKU and half as many of the
// others.
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

// spread divides the units of a SKU among the locations. The first gets the remainder.
func (s Stock) spread(sku location.SKU, units int64) {
	left := units
	for _, p := range locations {
		part := units * p.percent / 100
		s[Level{sku, p.id}] = part
		left -= part
	}
	s[Level{sku, locations[0].id}] += left
}

// changes returns the counts that put the stock on sale.
func (s Stock) changes() []cache.Change {
	changes := make([]cache.Change, 0, len(s))
	for _, sku := range allSKUs {
		for _, p := range locations {
			if units, ok := s[Level{sku, p.id}]; ok {
				changes = append(changes, cache.Change{SKU: sku, Location: p.id, OnHand: &units})
			}
		}
	}
	return changes
}

// sorted lists the levels of s and of others, sorted.
func (s Stock) sorted(others ...Stock) []Level {
	var levels []Level
	for _, stock := range append(others, s) {
		for level := range stock {
			levels = append(levels, level)
		}
	}
	slices.SortFunc(levels, func(a, b Level) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(levels)
}

// units returns the units of the SKUs that match.
func (s Stock) units(match func(location.SKU) bool) int64 {
	var units int64
	for level, n := range s {
		if match(level.SKU) {
			units += n
		}
	}
	return units
}
