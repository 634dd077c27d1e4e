package stockcsv

import (
	"fmt"
	"strings"
)

// Fault is one thing wrong with a file, and where.
type Fault struct {
	File    string `json:"file"`
	Line    int    `json:"line"`            // from 1
	Column  int    `json:"column"`          // in bytes, from 1
	Field   string `json:"field,omitempty"` // the column's name; "" where the row or the file is at fault
	Message string `json:"message"`
}

func (f Fault) String() string {
	field := f.Field
	if field != "" {
		field += ": "
	}
	return fmt.Sprintf("%s:%d:%d: %s%s", f.File, f.Line, f.Column, field, f.Message)
}

// FaultsError is everything that is wrong with a file.
type FaultsError struct {
	Faults []Fault // at most FaultsMax
	More   int     // faults beyond those
}

// Error lists the faults, one a line.
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
