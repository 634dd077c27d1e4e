package location

import (
	"fmt"
	"strings"
)

// Fault is one error in a directory.
type Fault struct {
	Path    string // JSON pointer into the directory, such as /locations/0/country
	Message string // what is wrong with the value there, such as: is required
}

// InvalidError lists all faults of a directory.
type InvalidError struct{ Faults []Fault }

// Error lists the faults, each with its path.
func (e *InvalidError) Error() string {
	parts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		parts[i] = f.Path + ": " + f.Message
	}
	return "invalid directory: " + strings.Join(parts, "; ")
}

// faults collects the faults of a directory.
type faults struct{ list []Fault }

func (f *faults) add(path, format string, args ...any) {
	f.list = append(f.list, Fault{Path: path, Message: fmt.Sprintf(format, args...)})
}
