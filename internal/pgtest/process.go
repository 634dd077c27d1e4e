package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// process is one run of PostgreSQL: the postmaster and its children. The children are no process
// group, since each makes a session of its own: they are found by their parent.
type process struct {
	pid    int
	cmd    *exec.Cmd
	exited chan struct{} // closed once the postmaster is gone and its port is free
	leash  *leash        // of the stopped children; nil while they run
}

// spawn starts a postmaster. It ends with this process, however that ends, and its children with it.
func spawn(dir string, args []string) (*process, error) {
	path, err := program("postgres")
	if err != nil {
		return nil, err
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
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, environment(), log, log
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

func (p *process) gone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// halt stops the postmaster, so that it makes no more children.
func (p *process) halt() error {
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	if err := p.until(func() bool { return stopped(p.pid) || p.gone() }); err != nil {
		return fmt.Errorf("the postmaster did not stop: %w", err)
	}
	if p.gone() {
		return errors.New("the postmaster has ended")
	}
	return nil
}

// freeze stops the postmaster and its children.
func (p *process) freeze() error {
	if p.leash != nil {
		return nil
	}
	if err := p.halt(); err != nil {
		return err
	}
	all := childrenOf(p.pid)
	defer release(all)
	leash, err := newLeash(all)
	if err != nil {
		return err
	}
	p.leash = leash
	for _, child := range all {
		_ = child.Signal(syscall.SIGSTOP) // one that has ended meanwhile needs no stop
	}
	if err := p.untilEach(all, func(child *os.Process) bool { return stopped(child.Pid) }); err != nil {
		return fmt.Errorf("a child did not stop: %w", err)
	}
	return nil
}

// thaw lets them go on.
func (p *process) thaw() error {
	return errors.Join(p.unleash(), p.cmd.Process.Signal(syscall.SIGCONT))
}

func (p *process) unleash() error {
	if p.leash == nil {
		return nil
	}
	leash := p.leash
	p.leash = nil
	return leash.release()
}

// kill ends the postmaster and its children as the end of the machine would, with no time to write
// or answer anything, and waits until all are gone. Children alone would go on to the end of their
// query, and could still commit.
func (p *process) kill() error {
	if p.gone() {
		return p.unleash()
	}
	_ = p.halt() // it can fail: the rest is done anyhow
	all := childrenOf(p.pid)
	defer release(all)
	_ = p.cmd.Process.Kill() // before the children: it would start a recovery
	for _, child := range all {
		_ = child.Kill()
	}
	<-p.exited
	return errors.Join(p.untilEach(all, ended), p.unleash())
}

// shutdown asks the postmaster to end, by PostgreSQL's signal for how: SIGINT rolls back what is
// under way and writes a checkpoint, SIGQUIT does neither. It kills what does not end.
func (p *process) shutdown(how syscall.Signal) error {
	if p.gone() {
		return p.unleash()
	}
	_ = p.thaw() // it may be paused
	if err := p.cmd.Process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(startTimeout):
		return errors.Join(fmt.Errorf("it did not end after %v", how), p.kill())
	}
}

// until polls for something that happens soon.
func (p *process) until(done func() bool) error {
	deadline := time.Now().Add(startTimeout)
	for b := newBackoff(); !done(); b.wait() {
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v", startTimeout)
		}
	}
	return nil
}

// untilEach polls until all processes that have not ended are as they should be.
func (p *process) untilEach(all []*os.Process, done func(*os.Process) bool) error {
	return p.until(func() bool {
		return !slices.ContainsFunc(all, func(child *os.Process) bool { return !ended(child) && !done(child) })
	})
}

func release(processes []*os.Process) {
	for _, child := range processes {
		_ = child.Release()
	}
}
