package pgtest

import (
	"errors"
	"os"
	"strconv"
	"syscall"

	"github.com/holdfast/holdfast/internal/testserver"
)

// ended tells whether a process has ended. It may still be waiting for its parent to take note.
func ended(p *os.Process) bool {
	if errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) {
		return true
	}
	state, _ := testserver.Status(p.Pid)
	return state == "Z" || state == "X"
}

// childrenOf lists the children of a process. Each is held by a handle and not by its number, which
// the system may give to another one.
func childrenOf(pid int) []*os.Process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var children []*os.Process
	for _, entry := range entries {
		number, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if _, parent := testserver.Status(number); parent != pid {
			continue
		}
		child, err := os.FindProcess(number)
		if err != nil {
			continue
		}
		if _, parent := testserver.Status(number); parent != pid { // it ended between the look and the handle
			_ = child.Release()
			continue
		}
		children = append(children, child)
	}
	return children
}
