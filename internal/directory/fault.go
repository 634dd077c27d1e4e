package directory

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing wrong with a file.
type Fault struct {
	Line, Column int    // from 1
	Path         string // JSON pointer, such as /locations/0/country; "" is the file
	Message      string
}

func (f Fault) String() string {
	if f.Path == "" {
		return fmt.Sprintf("%d:%d: %s", f.Line, f.Column, f.Message)
	}
	return fmt.Sprintf("%d:%d: %s: %s", f.Line, f.Column, f.Path, f.Message)
}

// Error lists every fault of a file, in the order of its lines.
type Error struct {
	Faults    []Fault
	Malformed bool // it was not understood; else it says what a directory must not say
}

func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// In is the error with the name of the file before each fault, as FILE:3:9: …, so that an editor can jump
// to it.
func (e *Error) In(file string) string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = file + ":" + f.String()
	}
	return strings.Join(lines, "\n")
}

func faultsError(faults []Fault, malformed bool) error {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return &Error{Faults: faults, Malformed: malformed}
}
