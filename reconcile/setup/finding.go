package setup

import (
	"errors"
	"fmt"
	"strings"
)

// Status says how a Finding is.
type Status string

// The statuses. With Fail no shard is opened: what it says would lose or sell twice.
const (
	OK   Status = "ok"
	Warn Status = "warn"
	Fail Status = "fail"
)

// Finding is one thing about a set-up: what was seen, and what to do where it is not as it should be.
type Finding struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Seen   string `json:"seen"`
	Do     string `json:"do,omitempty"`
}

// ErrUnsafe says that a set-up would lose sales or sell twice.
var ErrUnsafe = errors.New("the set-up is not safe")

// Unsafe is an error that names every finding that failed; nil where none did.
func Unsafe(findings []Finding) error {
	var list []string
	for _, f := range findings {
		if f.Status == Fail {
			list = append(list, fmt.Sprintf("%s: %s: %s", f.Name, f.Seen, f.Do))
		}
	}
	if list == nil {
		return nil
	}
	return fmt.Errorf("%w:\n  %s", ErrUnsafe, strings.Join(list, "\n  "))
}

// NewFinding is OK where good is, else otherwise.
func NewFinding(name, seen string, good bool, otherwise Status, do string) Finding {
	if good {
		return Finding{Name: name, Status: OK, Seen: seen}
	}
	return Finding{Name: name, Status: otherwise, Seen: seen, Do: do}
}
