package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// programDir is where Debian puts the server's programs, which are not in its PATH.
const programDir = "/usr/lib/postgresql/15/bin"

// program finds one of PostgreSQL's programs.
func program(name string) (string, error) {
	if path, err := exec.LookPath(filepath.Join(programDir, name)); err == nil {
		return path, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("PostgreSQL's %s is neither in %s nor in PATH; to install it: apt-get install postgresql-15",
			name, programDir)
	}
	return path, nil
}

// environment is ours without what PostgreSQL's programs would take settings from.
func environment() []string {
	var kept []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PG") {
			kept = append(kept, entry)
		}
	}
	return kept
}
