// Package stockcsv reads and writes stock as CSV: one row a level, with the columns sku, location
// and on_hand, and optionally safety_stock and backorder_limit, in any order.
//
// A file is checked whole, in bounded memory, before any of it is used; Check lists every fault
// with the line and column it stands at.
package stockcsv

import "github.com/holdfast/holdfast/cache"

// The columns.
const (
	columnSKU       = "sku"
	columnLocation  = "location"
	columnOnHand    = "on_hand"
	columnSafety    = "safety_stock"
	columnBackorder = "backorder_limit"
)

// columns is all of them, in the order they are written. The first columnsRequired must be there.
var columns = []string{columnSKU, columnLocation, columnOnHand, columnSafety, columnBackorder}

const columnsRequired = 3

// The limits.
const (
	RowsMax        = 5_000_000          // rows of one file: Check remembers each level it saw
	FaultsMax      = 1_000              // faults that are listed; more are only counted
	LocationsMax   = cache.LocationsMax // locations of one file, as many as the server takes
	recordBytesMax = 64 << 10           // about: of one row, so that an open quote can't fill memory
	quotedBytesMax = 40                 // bytes of a value that a fault repeats
)

// Row is one level. Nil policies are not set: they stay as they are.
type Row struct {
	Line           int // where it stands in its file, from 1
	SKU            string
	Location       string
	OnHand         int64
	SafetyStock    *int64
	BackorderLimit *int64
}
