package stockcsv

import (
	"fmt"
	"strings"
)

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
