package testserver

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Stopped reports whether a process is stopped by a signal.
func Stopped(pid int) bool {
	state, _ := status(pid)
	return state == "T"
}

// Ended reports whether a process has ended. Its parent may still have to take note of that.
func Ended(p *os.Process) bool {
	if errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) {
		return true
	}
	state, _ := status(p.Pid)
	return state == "Z" || state == "X"
}

// Children returns the children of a process, which the caller must release. It returns handles, not
// numbers, because the system can give a child's number to another process.
func Children(pid int) []*os.Process {
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
		if _, parent := status(number); parent != pid {
			continue
		}
		child, err := os.FindProcess(number)
		if err != nil {
			continue
		}
		if _, parent := status(number); parent != pid { // the child ended before we had the handle
			_ = child.Release()
			continue
		}
		children = append(children, child)
	}
	return children
}

// status returns the state of a process, "" if there is no such process, and its parent.
func status(pid int) (state string, parent int) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", 0
	}
	// Both follow the name, which is in parentheses and can hold any character.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return "", 0
	}
	parent, _ = strconv.Atoi(fields[1])
	return fields[0], parent
}
