//go:build unix && !linux

package testserver

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// dieWithParent does nothing: the servers of a killed test binary keep running.
func dieWithParent(*syscall.SysProcAttr) {}

// Stopped assumes that the signal has arrived.
func Stopped(int) bool { return true }

// Ended reports whether a process has ended.
func Ended(p *os.Process) bool { return p.Signal(syscall.Signal(0)) != nil }

// Children returns the children of a process, which the caller must release.
func Children(pid int) []*os.Process {
	out, _ := exec.Command("pgrep", "-P", strconv.Itoa(pid)).Output() // fails if there are none
	var children []*os.Process
	for _, field := range strings.Fields(string(out)) {
		number, _ := strconv.Atoi(field)
		if child, err := os.FindProcess(number); err == nil {
			children = append(children, child)
		}
	}
	return children
}
