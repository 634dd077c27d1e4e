package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// serverUser is who the servers run as: nobody else than us (nil), but for root, as whom PostgreSQL
// refuses to run.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
		if uidErr != nil || gidErr != nil {
			return nil, fmt.Errorf("user %s: ids %q and %q are no numbers", name, account.Uid, account.Gid)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("root can't run PostgreSQL here: there is no user postgres or nobody")
}

// tempDir makes a temporary directory for a server, which its user may enter. It is not tb.TempDir,
// whose parents are closed to that user.
func tempDir(user *syscall.Credential) (string, error) {
	dir, err := os.MkdirTemp("", "holdfast-postgres-")
	if err != nil || user == nil {
		return dir, err
	}
	if err := os.Chown(dir, int(user.Uid), int(user.Gid)); err != nil {
		_ = os.RemoveAll(dir)
		return "", err
	}
	return dir, nil
}
