package testserver

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// User returns the account that runs a server: nil, which is our own, unless that is root. Root
// should not run servers, and no file is read-only to it. Then User returns the first of names that
// exists.
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
			return nil, fmt.Errorf("user %s: ids %q and %q are not numbers", name, account.Uid, account.Gid)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("root cannot run the server: create one of the users %s", strings.Join(names, ", "))
}

// Dir makes a temporary folder that user can enter. tb.TempDir would not do: user cannot enter its
// parent folders.
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
