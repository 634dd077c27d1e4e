//go:build unix && !linux

package pgtest

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

func ended(p *os.Process) bool { return p.Signal(syscall.Signal(0)) != nil }

func childrenOf(pid int) []*os.Process {
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(pid)).Output()
	if err != nil {
		return nil
	}
	var children []*os.Process
	for _, field := range strings.Fields(string(out)) {
		number, err := strconv.Atoi(field)
		if err != nil {
			continue
		}
		if child, err := os.FindProcess(number); err == nil {
			children = append(children, child)
		}
	}
	return children
}
