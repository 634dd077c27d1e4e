package config

import (
	"fmt"
	"strings"
)

// Fault is one error in a configuration.
type Fault struct {
	Key     string // such as redis.shards; as written if it is unknown; "" for a whole file
	Value   string // as written; "" if it may contain a password
	Source  string // the file, environment variable or flag that set it
	Message string // what is wrong, or what the value must be
}

func (f Fault) String() string {
	subject := f.Source
	switch {
	case f.Key != "" && f.Value != "":
		subject = fmt.Sprintf("%s = %s (from %s)", f.Key, f.Value, f.Source)
	case f.Key != "":
		subject = fmt.Sprintf("%s (from %s)", f.Key, f.Source)
	}
	return subject + ": " + f.Message
}

// Error lists every fault of a configuration, one per line.
type Error struct{ Faults []Fault }

func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = "  " + f.String()
	}
	return "invalid configuration:\n" + strings.Join(lines, "\n")
}
