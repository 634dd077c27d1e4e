// Package stockcsv reads and writes stock as CSV. Each row is a level, with the columns sku,
// location and on_hand, and optionally safety_stock and backorder_limit, in any order.
//
// Check reads a whole file in bounded memory and lists all its faults, each with its line and
// column. Check a file before you use any of its rows.
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

// columns lists the columns in the order in which they are written. The first columnsRequired are
// required.
var columns = []string{columnSKU, columnLocation, columnOnHand, columnSafety, columnBackorder}

const columnsRequired = 3

// The limits.
const (
	RowsMax        = 5_000_000          // rows of a file: Check remembers each level
	FaultsMax      = 1_000              // faults that an error lists; it counts the others
	LocationsMax   = cache.LocationsMax // locations of a file, as many as the server allows
	recordBytesMax = 64 << 10           // about, of one row: an unclosed quote must not fill memory
	quotedBytesMax = 40                 // bytes of a value that a fault quotes
)

// Row is one level. A nil policy is not set in the file.
type Row struct {
	Line           int // of the file, from 1
	SKU            string
	Location       string
	OnHand         int64
	SafetyStock    *int64
	BackorderLimit *int64
}
