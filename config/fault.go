package config

import (
	"fmt"
	"strings"
)

// Fault is one thing wrong with a configuration.
type Fault struct {
	Key     string // such as redis.shards, or as it was written where it is unknown; "" for a whole file
	Value   string // as it was written, without credentials; "" where it isn't printed
	Source  string // the file, the environment variable or the flag it came from
	Message string // what is allowed
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

// Error lists every fault of a configuration, one a line.
type Error struct{ Faults []Fault }

func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = "  " + f.String()
	}
	return "the configuration can't be used:\n" + strings.Join(lines, "\n")
}
