package testserver

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// User is who a server runs as: nobody else than us (nil), but for root, who should not run servers, and for whom no
// file is ever read-only: then the first of names that there is.
func User(names ...string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range names {
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
	return nil, fmt.Errorf("root can't run the server here: there is no user %s", strings.Join(names, " or "))
}

// Dir makes a temporary directory for a server, which its user may enter. It is not tb.TempDir, whose parents are
// closed to that user.
func Dir(pattern string, user *syscall.Credential) (string, error) {
	dir, err := os.MkdirTemp("", pattern)
	if err != nil || user == nil {
		return dir, err
	}
	if err := os.Chown(dir, int(user.Uid), int(user.Gid)); err != nil {
		_ = os.RemoveAll(dir)
		return "", err
	}
	return dir, nil
}
