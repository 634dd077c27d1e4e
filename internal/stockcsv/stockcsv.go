// Package stockcsv reads and writes stock as CSV. Each row is a level, with the columns sku,
// location and on_hand, and optionally safety_stock and backorder_limit, in any order.
//
// Check reads a whole file in bounded memory and lists all its faults, each with its line and
// column. Check a file before you use any of its rows.
package stockcsv

import (
	"fmt"
	"strings"

	"github.com/holdfast/holdfast/cache"
)

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
	BytesMax       = 1 << 30            // size of a file
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

// Fault is one error in a file.
type Fault struct {
	File    string `json:"file"`
	Line    int    `json:"line"`            // from 1
	Column  int    `json:"column"`          // in bytes, from 1
	Field   string `json:"field,omitempty"` // name of the column; "" for the row or the whole file
	Message string `json:"message"`
}

// String formats the fault as FILE:LINE:COLUMN: FIELD: MESSAGE.
func (f Fault) String() string {
	field := f.Field
	if field != "" {
		field += ": "
	}
	return fmt.Sprintf("%s:%d:%d: %s%s", f.File, f.Line, f.Column, field, f.Message)
}

// FaultsError lists the faults of a file.
type FaultsError struct {
	Faults []Fault // at most FaultsMax
	More   int     // number of further faults
}

// Error lists the faults, one per line.
func (e *FaultsError) Error() string {
	var text strings.Builder
	for i, f := range e.Faults {
		if i > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(f.String())
	}
	if e.More > 0 {
		fmt.Fprintf(&text, "\nand %d more", e.More)
	}
	return text.String()
}

func (e *FaultsError) add(faults []Fault) {
	room := min(FaultsMax-len(e.Faults), len(faults))
	e.Faults = append(e.Faults, faults[:room]...)
	e.More += len(faults) - room
}
