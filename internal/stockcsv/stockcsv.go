// Package stockcsv reads and writes stock as CSV. Each row is a level, with the columns sku,
// location and on_hand, and optionally safety_stock and backorder_limit, in any order. Options read
// the files of other systems.
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

// Columns lists the columns in the order in which they are written. The first three are required.
var Columns = []string{columnSKU, columnLocation, columnOnHand, columnSafety, columnBackorder}

// The limits.
const (
	RowsMax        = 5_000_000          // rows of a file: Check remembers each level
	BytesMax       = 1 << 30            // size of a file
	FaultsMax      = 1_000              // faults that an error lists; it counts the others
	LocationsMax   = cache.LocationsMax // locations of a file, as many as the server allows
	recordBytesMax = 64 << 10           // about, of one row: an unclosed quote must not fill memory
	quotedBytesMax = 40                 // bytes of a value that a fault quotes
)

// Options say how to read a file. The zero value reads what a Writer writes.
type Options struct {
	Names           map[string]string // column -> its name in the header, if that is another
	Location        string            // location of all rows, if the file has no column for it
	Rename          map[string]string // location in the file -> location, if that is another
	LocationColumns []LocationColumn  // columns with the units on hand at one location each
	Delimiter       rune              // 0 means a comma
	Encoding        string            // name of a text encoding; "" means UTF-8, or UTF-16 with a mark
	SkipBad         bool              // Check skips rows with faults
	Strict          bool              // a warning is a fault

	Report func(Fault) error // called by Check for each fault of a row that it skips
}

// LocationColumn is a column with the units on hand at a location.
type LocationColumn struct{ Name, Location string }

// others reports whether the file may have columns that are not read.
func (o *Options) others() bool {
	return len(o.Names) > 0 || len(o.Rename) > 0 || len(o.LocationColumns) > 0 || o.Location != ""
}

// Row is one level. A nil policy is not set in the file.
type Row struct {
	Line           int // of the file, from 1
	SKU            string
	Location       string
	OnHand         int64
	SafetyStock    *int64
	BackorderLimit *int64

	skuAt, locationAt int // columns in the line
}

// Fault is one error in a file, or one warning.
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
	Faults []Fault `json:"faults"` // at most FaultsMax
	More   int     `json:"more"`   // number of further faults
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

func (e *FaultsError) add(faults ...Fault) {
	room := min(FaultsMax-len(e.Faults), len(faults))
	e.Faults = append(e.Faults, faults[:room]...)
	e.More += len(faults) - room
}
