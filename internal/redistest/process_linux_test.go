package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/testserver"
)

// ownerMark makes TestOwner the second process of TestServer_DiesWithItsOwner.
const ownerMark = "REDISTEST_OWNER"

func TestServer_DiesWithItsOwner(t *testing.T) {
	owner := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOwner$")
	owner.Env = append(os.Environ(), ownerMark+"=1")
	out, err := owner.Output()
	var addr, dir string
	for line := range strings.Lines(string(out)) {
		if _, scanErr := fmt.Sscanf(line, "owned %s %s", &addr, &dir); scanErr == nil {
			break
		}
	}
	if addr == "" || err == nil {
		t.Fatalf("the owner should print an address and be killed: %v\n%s", err, out)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if !testserver.Await(func() bool { return !listening(addr) }) {
		t.Errorf("%s outlives the process that started it", addr)
	}
}

func TestOwner(t *testing.T) {
	if os.Getenv(ownerMark) == "" {
		t.Skip("runs only as the second process of TestServer_DiesWithItsOwner")
	}
	s := launchOnThreadThatEnds(t)
	client := redis.NewClient(options(s.Addr()).Simple())
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatalf("the server ended with a thread: %v", err)
	}
	out := bufio.NewWriter(os.Stdout)
	_, _ = fmt.Fprintf(out, "\nowned %s %s\n", s.Addr(), s.Dir)
	_ = out.Flush()
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// launchOnThreadThatEnds starts a server from a goroutine that ends while it is locked to its thread.
// The thread ends with the goroutine, and so does a process that it started.
func launchOnThreadThatEnds(t *testing.T) *testserver.Server {
	t.Helper()
	var s *testserver.Server
	var err error
	var thread int
	var launchLocked func()
	launchLocked = func() {
		runtime.LockOSThread()
		thread = syscall.Gettid()
		if thread == os.Getpid() { // the main thread never ends; while we hold it, the next goroutine gets another
			await(launchLocked)
			return
		}
		s, err = testserver.Launch(program(nil, false))
	}
	await(launchLocked)
	if err != nil {
		t.Fatal(err)
	}
	if !testserver.Await(func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread))
		return errors.Is(err, os.ErrNotExist)
	}) {
		t.Fatalf("thread %d does not end", thread)
	}
	return s
}

func await(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}
