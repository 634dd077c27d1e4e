package testserver

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// Process is one run of a server, in a process group of its own.
type Process struct {
	Pid    int
	Cmd    *exec.Cmd
	Exited chan struct{} // closed once it is gone and its port is free
}

// Spawn starts cmd as a user, nil for ours, in its directory, and adds what it says to a log. It ends with this
// process, however that ends.
func Spawn(cmd *exec.Cmd, log string, user *syscall.Credential) (*Process, error) {
	// A file and not a pipe: nobody has to read it, and a crash leaves it complete.
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: user}
	dieWithParent(cmd.SysProcAttr)

	p := &Process{Cmd: cmd, Exited: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s: %w", cmd.Path, err)
	}
	return p, nil
}

// run starts the process and waits for its end on one thread, kept for it alone: the kernel sends
// the death signal when the *thread* that forked ends, and Go ends threads as it likes.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := p.Cmd.Start(); err != nil {
		started <- err
		return
	}
	p.Pid = p.Cmd.Process.Pid
	started <- nil
	_ = p.Cmd.Wait() // killed, as a rule
	close(p.Exited)
}

// Gone tells whether it has ended; its pid may be somebody else's then.
func (p *Process) Gone() bool {
	select {
	case <-p.Exited:
		return true
	default:
		return false
	}
}
