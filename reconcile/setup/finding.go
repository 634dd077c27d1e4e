// Package setup checks how the servers behind Holdfast are set up. `holdfast doctor` prints its
// findings, and `holdfast serve` refuses to start if one of them has failed.
package setup

import (
	"errors"
	"fmt"
	"strings"
)

// Status is the result of a check.
type Status string

// The statuses. Fail means that the set-up would lose sales or sell units twice: no shard is
// opened.
const (
	OK   Status = "ok"
	Warn Status = "warn"
	Fail Status = "fail"
)

// Finding is the result of one check: what was seen, and what to do if that is not OK.
type Finding struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Seen   string `json:"seen"`
	Do     string `json:"do,omitempty"`
}

// ErrUnsafe says that a set-up would lose sales or sell units twice.
var ErrUnsafe = errors.New("the set-up is not safe")

// Unsafe returns an ErrUnsafe that lists every failed finding, or nil if there is none.
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

// NewFinding returns a finding with status OK if good is true, and otherwise with the given status
// and advice.
func NewFinding(name, seen string, good bool, otherwise Status, do string) Finding {
	if good {
		return Finding{Name: name, Status: OK, Seen: seen}
	}
	return Finding{Name: name, Status: otherwise, Seen: seen, Do: do}
}
