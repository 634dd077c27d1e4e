package redistest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

const binary = "redis-server"

// process is one run of redis-server, in a process group of its own.
type process struct {
	pid    int
	cmd    *exec.Cmd
	exited chan struct{} // closed once it is gone and its port is free
}

// spawn starts redis-server. It ends with this process, however that ends.
func spawn(dir string, args []string) (*process, error) {
	path, err := exec.LookPath(binary)
	if err != nil {
		return nil, fmt.Errorf("%w; to install it: apt-get install redis-server", err)
	}
	user, err := serverUser()
	if err != nil {
		return nil, err
	}
	// A file and not a pipe: nobody has to read it, and a crash leaves it complete.
	log, err := os.OpenFile(filepath.Join(dir, logName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()

	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: user}
	dieWithParent(cmd.SysProcAttr)

	p := &process{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// run starts the process and waits for its end on one thread, kept for it alone: the kernel sends
// the death signal when the *thread* that forked ends, and Go ends threads as it likes.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := p.cmd.Start(); err != nil {
		started <- err
		return
	}
	p.pid = p.cmd.Process.Pid
	started <- nil
	_ = p.cmd.Wait() // killed, as a rule
	close(p.exited)
}

func (p *process) signal(sig syscall.Signal) error { return p.cmd.Process.Signal(sig) }

// kill ends the process and what it has forked (a rewrite of the AOF), and waits for it.
func (p *process) kill() {
	select {
	case <-p.exited: // its pid may be somebody else's by now
		return
	default:
	}
	if err := syscall.Kill(-p.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		_ = p.signal(syscall.SIGKILL)
	}
	<-p.exited
}
