package testserver

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Timeout bounds each wait for a process: a start with recovery, a stop. It is generous, because
// other work may keep all processors busy.
const Timeout = time.Minute

const (
	pollPauseMin = time.Millisecond
	pollPauseMax = 50 * time.Millisecond
)

// Process is one run of a program, in a process group of its own.
type Process struct {
	Pid    int
	Cmd    *exec.Cmd
	Exited chan struct{} // closed once the process has ended and its ports are free

	leash *leash // holds the stopped children; nil while they run
}

// Spawn starts cmd as user (nil: the user of the tests) and appends its output to the file log. The
// process ends when this process ends, however that ends.
func Spawn(cmd *exec.Cmd, log string, user *syscall.Credential) (*Process, error) {
	// A file, not a pipe: nobody has to read it, and it is complete after a crash.
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: user, Pdeathsig: syscall.SIGKILL}

	p := &Process{Cmd: cmd, Exited: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s: %w", cmd.Path, err)
	}
	return p, nil
}

// run starts the process and waits for its end on a locked thread. The kernel sends the death signal
// when the *thread* that forked ends, and Go can end any thread that is not locked.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := p.Cmd.Start(); err != nil {
		started <- err
		return
	}
	p.Pid = p.Cmd.Process.Pid
	started <- nil
	_ = p.Cmd.Wait() // Cmd.ProcessState has the result
	close(p.Exited)
}

// Gone reports whether the process has ended. Its pid may then belong to another process.
func (p *Process) Gone() bool {
	select {
	case <-p.Exited:
		return true
	default:
		return false
	}
}

// halt stops the process without its children, so that it makes no more of them.
func (p *Process) halt() error {
	if err := p.Cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	// The kernel stops the process some time after the call, often in the middle of a request.
	if !Await(func() bool { return Stopped(p.Pid) || p.Gone() }) {
		return fmt.Errorf("the process did not stop within %v", Timeout)
	}
	if p.Gone() {
		return errors.New("the process has ended")
	}
	return nil
}

func (p *Process) pause() error {
	if p.leash != nil {
		return nil
	}
	if err := p.halt(); err != nil {
		return err
	}
	children := Children(p.Pid)
	defer Release(children)
	if err := p.putOnLeash(children); err != nil {
		return err
	}
	for _, child := range children {
		_ = child.Signal(syscall.SIGSTOP) // fails if the child has ended, which is as good
	}
	if !awaitEach(children, func(child *os.Process) bool { return Stopped(child.Pid) }) {
		return fmt.Errorf("a child did not stop within %v", Timeout)
	}
	return nil
}

func (p *Process) resume() error {
	return errors.Join(p.unleash(), p.Cmd.Process.Signal(syscall.SIGCONT))
}

// kill ends the process and its children and waits until all are gone. They get no time to write or
// answer anything. A child of PostgreSQL left alone could still finish its query and commit.
func (p *Process) kill() error {
	if p.Gone() {
		return p.unleash()
	}
	_ = p.halt() // if it fails, the rest is still needed
	children := Children(p.Pid)
	defer Release(children)
	_ = p.Cmd.Process.Kill() // before the children, whose death would make PostgreSQL recover
	for _, child := range children {
		_ = child.Kill()
	}
	<-p.Exited
	if !awaitEach(children, Ended) {
		return errors.Join(fmt.Errorf("a child did not end within %v", Timeout), p.unleash())
	}
	return p.unleash()
}

// leash is a shell that resumes stopped processes (SIGCONT) when its input ends. The input also ends
// when the test binary dies: stopped children could not notice that, and would stay forever.
type leash struct {
	cmd   *exec.Cmd
	input io.Closer
}

func (p *Process) putOnLeash(children []*os.Process) error {
	if len(children) == 0 {
		return nil
	}
	args := []string{"-c", `cat; kill -CONT "$@"`, "sh"}
	for _, child := range children {
		args = append(args, strconv.Itoa(child.Pid))
	}
	cmd := exec.Command("sh", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // spared by a signal to our group
	input, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	p.leash = &leash{cmd, input}
	return cmd.Start()
}

func (p *Process) unleash() error {
	if p.leash == nil {
		return nil
	}
	err := errors.Join(p.leash.input.Close(), p.leash.cmd.Wait())
	p.leash = nil
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil // a child has ended in the meantime
	}
	return err
}

// Release frees the handles that Children returned.
func Release(children []*os.Process) {
	for _, child := range children {
		_ = child.Release()
	}
}

// awaitEach waits until done or Ended is true of each child.
func awaitEach(children []*os.Process, done func(*os.Process) bool) bool {
	return Await(func() bool {
		return !slices.ContainsFunc(children, func(child *os.Process) bool { return !Ended(child) && !done(child) })
	})
}

// Await polls until done returns true, for at most Timeout, and returns whether it did. It is for
// things outside this process, which cannot signal.
func Await(done func() bool) bool { return poll(Timeout, done) }

func poll(timeout time.Duration, done func() bool) bool {
	deadline := time.Now().Add(timeout)
	for pause := pollPauseMin; !done(); pause = min(2*pause, pollPauseMax) {
		if time.Now().After(deadline) {
			return false
		}
		<-time.After(pause)
	}
	return true
}
