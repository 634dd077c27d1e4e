package pgtest

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

func dieWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }

// stopped tells whether a process is stopped by a signal.
func stopped(pid int) bool {
	state, _ := status(pid)
	return state == "T"
}

// ended tells whether a process has ended. It may still be waiting for its parent to take note.
func ended(p *os.Process) bool {
	if errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) {
		return true
	}
	state, _ := status(p.Pid)
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
		if _, parent := status(number); parent != pid {
			continue
		}
		child, err := os.FindProcess(number)
		if err != nil {
			continue
		}
		if _, parent := status(number); parent != pid { // it ended between the look and the handle
			_ = child.Release()
			continue
		}
		children = append(children, child)
	}
	return children
}

// status is the state of a process, "" where there is none, and its parent.
func status(pid int) (state string, parent int) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", 0
	}
	// They follow the name, which is in parentheses and may hold any character.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return "", 0
	}
	parent, _ = strconv.Atoi(fields[1])
	return fields[0], parent
}
