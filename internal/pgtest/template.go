package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/holdfast/holdfast/internal/testserver"
)

// superuser is the role that tests connect as; trusted, so that it needs no password.
const superuser = "test"

// template is a data directory that was initialised once, from which those of all servers are
// copied: initdb takes seconds, a copy tens of milliseconds.
var template struct {
	mu  sync.Mutex
	dir string // "" before first use, and after Main
}

// copyTemplate makes the data directory to, owned by user.
func copyTemplate(to string, user *syscall.Credential) error {
	from, err := templateDir(user)
	if err != nil {
		return err
	}
	// Sharing blocks where the file system can; -a keeps the owner, and the rights that PostgreSQL
	// insists on.
	out, err := exec.Command("cp", "-a", filepath.Join(from, dataName), to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("copy a data directory: %w\n%s", err, out)
	}
	return nil
}

func templateDir(user *syscall.Credential) (string, error) {
	template.mu.Lock()
	defer template.mu.Unlock()
	if template.dir != "" {
		return template.dir, nil
	}
	initdb, err := program("initdb")
	if err != nil {
		return "", err
	}
	dir, err := testserver.Dir("holdfast-postgres-", user)
	if err != nil {
		return "", err
	}
	cmd := exec.Command(initdb, "--pgdata", filepath.Join(dir, dataName), "--username", superuser,
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.Env = dir, environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: user}
	if out, err := cmd.CombinedOutput(); err != nil {
		_ = os.RemoveAll(dir)
		return "", fmt.Errorf("%s: %w\n%s", initdb, err, out)
	}
	template.dir = dir
	return dir, nil
}

func removeTemplate() {
	template.mu.Lock()
	defer template.mu.Unlock()
	if template.dir != "" {
		_ = os.RemoveAll(template.dir)
		template.dir = ""
	}
}
