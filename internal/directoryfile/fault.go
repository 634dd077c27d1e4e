package directoryfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one error in a file.
type Fault struct {
	Line, Column int    // from 1
	Path         string // JSON pointer, such as /locations/0/country; "" for the whole file
	Message      string
}

// String formats the fault as LINE:COLUMN: PATH: MESSAGE.
func (f Fault) String() string {
	if f.Path == "" {
		return fmt.Sprintf("%d:%d: %s", f.Line, f.Column, f.Message)
	}
	return fmt.Sprintf("%d:%d: %s: %s", f.Line, f.Column, f.Path, f.Message)
}

// Error lists all faults of a file in the order of its lines.
type Error struct {
	Faults    []Fault
	Malformed bool // the file could not be read; else it is not a valid directory
}

// Error lists the faults, one per line.
func (e *Error) Error() string { return e.join("") }

// In lists the faults with the name of the file before each, as FILE:3:9: …, so that an editor can
// jump to it.
func (e *Error) In(file string) string { return e.join(file + ":") }

func (e *Error) join(prefix string) string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = prefix + f.String()
	}
	return strings.Join(lines, "\n")
}

func faultsError(faults []Fault, malformed bool) error {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Error{Faults: faults, Malformed: malformed}
}
