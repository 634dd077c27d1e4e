package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/holdfast/holdfast/internal/testserver"
)

// programDir is where Debian puts the server's programs, which are not in its PATH.
const programDir = "/usr/lib/postgresql/15/bin"

// users run the servers if the tests run as root, which PostgreSQL refuses.
var users = []string{"postgres", "nobody"}

// command returns a call of one of PostgreSQL's programs, without the PG… variables from which they
// take settings.
func command(name string, args ...string) (*exec.Cmd, error) {
	path, err := exec.LookPath(filepath.Join(programDir, name))
	if err != nil {
		path, err = exec.LookPath(name)
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL's %s is neither in %s nor in PATH; install it with apt-get install postgresql-15",
			name, programDir)
	}
	cmd := exec.Command(path, args...)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PG") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	return cmd, nil
}

// template is the folder of an initialised data folder, "" until makeTemplate. All servers start from
// a copy: initdb takes seconds, a copy tens of milliseconds.
var template string

var makeTemplate = sync.OnceValue(func() error {
	user, err := testserver.User(users...)
	if err != nil {
		return err
	}
	if template, err = testserver.Dir("holdfast-postgres-", user); err != nil {
		return err
	}
	cmd, err := command("initdb", "--pgdata", data(template), "--username", superuser,
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	if err != nil {
		return err
	}
	cmd.Dir, cmd.SysProcAttr = template, &syscall.SysProcAttr{Credential: user}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd.Path, err, out)
	}
	return nil
})

// copyTemplate puts a data folder into dir.
func copyTemplate(dir string) error {
	if err := makeTemplate(); err != nil {
		return err
	}
	// -a keeps the owner, and the permissions that PostgreSQL insists on.
	if out, err := exec.Command("cp", "-a", data(template), data(dir)).CombinedOutput(); err != nil {
		return fmt.Errorf("copy a data folder: %w\n%s", err, out)
	}
	return nil
}
