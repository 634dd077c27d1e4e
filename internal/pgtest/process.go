package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/holdfast/holdfast/internal/testserver"
)

// process is one run of PostgreSQL: the postmaster and its children. The children are not in its process
// group, since each makes a session of its own: they are found by their parent.
type process struct {
	*testserver.Process
	leash *leash // of the stopped children; nil while they run
}

// serverUser is who the servers run as. As root PostgreSQL refuses to run.
func serverUser() (*syscall.Credential, error) { return testserver.User("postgres", "nobody") }

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
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Env = dir, environment()
	p, err := testserver.Spawn(cmd, filepath.Join(dir, logName), user)
	if err != nil {
		return nil, err
	}
	return &process{Process: p}, nil
}

// halt stops the postmaster, so that it makes no more children.
func (p *process) halt() error {
	if err := p.Cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	if err := p.until(func() bool { return testserver.Stopped(p.Pid) || p.Gone() }); err != nil {
		return fmt.Errorf("the postmaster did not stop: %w", err)
	}
	if p.Gone() {
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
	all := childrenOf(p.Pid)
	defer release(all)
	leash, err := newLeash(all)
	if err != nil {
		return err
	}
	p.leash = leash
	for _, child := range all {
		_ = child.Signal(syscall.SIGSTOP) // one that has ended meanwhile needs no stop
	}
	if err := p.untilEach(all, func(child *os.Process) bool { return testserver.Stopped(child.Pid) }); err != nil {
		return fmt.Errorf("a child did not stop: %w", err)
	}
	return nil
}

// thaw lets them go on.
func (p *process) thaw() error {
	return errors.Join(p.unleash(), p.Cmd.Process.Signal(syscall.SIGCONT))
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
	if p.Gone() {
		return p.unleash()
	}
	_ = p.halt() // it can fail: the rest is done anyhow
	all := childrenOf(p.Pid)
	defer release(all)
	_ = p.Cmd.Process.Kill() // before the children: it would start a recovery
	for _, child := range all {
		_ = child.Kill()
	}
	<-p.Exited
	return errors.Join(p.untilEach(all, ended), p.unleash())
}

// shutdown asks the postmaster to end, by PostgreSQL's signal for how: SIGINT rolls back what is
// under way and writes a checkpoint, SIGQUIT does neither. It kills what does not end.
func (p *process) shutdown(how syscall.Signal) error {
	if p.Gone() {
		return p.unleash()
	}
	_ = p.thaw() // it may be paused
	if err := p.Cmd.Process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.Exited:
		return nil
	case <-time.After(startTimeout):
		return errors.Join(fmt.Errorf("it did not end after %v", how), p.kill())
	}
}

// until polls for something that happens soon.
func (p *process) until(done func() bool) error {
	deadline := time.Now().Add(startTimeout)
	for b := testserver.NewBackoff(); !done(); b.Wait() {
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
