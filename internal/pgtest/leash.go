package pgtest

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// leash is a shell that waits for its input to end and then lets stopped processes go on (SIGCONT).
// The input also ends if this process does: stopped, the children of a postmaster would never notice
// its end, and stay for ever.
type leash struct {
	cmd   *exec.Cmd
	input io.Closer
}

func newLeash(all []*os.Process) (*leash, error) {
	args := []string{"-c", `cat; kill -CONT "$@"`, "sh"}
	for _, child := range all {
		args = append(args, strconv.Itoa(child.Pid))
	}
	cmd := exec.Command("sh", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what ends our group spares it
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &leash{cmd: cmd, input: input}, cmd.Start()
}

// release lets the processes go on. One that has ended meanwhile does not matter.
func (l *leash) release() error {
	err := errors.Join(l.input.Close(), l.cmd.Wait())
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil
	}
	return err
}
