package redistest

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/holdfast/holdfast/internal/testserver"
)

const binary = "redis-server"

// process is one run of redis-server.
type process struct{ *testserver.Process }

// serverUser is who the servers run as.
func serverUser() (*syscall.Credential, error) { return testserver.User("redis", "nobody") }

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
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	p, err := testserver.Spawn(cmd, filepath.Join(dir, logName), user)
	if err != nil {
		return nil, err
	}
	return &process{p}, nil
}

func (p *process) signal(sig syscall.Signal) error { return p.Cmd.Process.Signal(sig) }

// kill ends the process and what it has forked (a rewrite of the AOF), and waits for it.
func (p *process) kill() {
	if p.Gone() {
		return
	}
	if err := syscall.Kill(-p.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		_ = p.signal(syscall.SIGKILL)
	}
	<-p.Exited
}
