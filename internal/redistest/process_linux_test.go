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
	"time"

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
	deadline := time.Now().Add(startTimeout)
	for b := testserver.NewBackoff(); listening(addr); b.Wait() {
		if time.Now().After(deadline) {
			t.Fatalf("%s outlives the process that started it", addr)
		}
	}
}

func TestOwner(t *testing.T) {
	if os.Getenv(ownerMark) == "" {
		t.Skip("only as the second process of TestServer_DiesWithItsOwner")
	}
	s := launchOnThreadThatEnds(t)
	if err := s.Client(t).Ping(t.Context()).Err(); err != nil {
		t.Fatalf("the server ended with a thread: %v", err)
	}
	out := bufio.NewWriter(os.Stdout)
	_, _ = fmt.Fprintf(out, "\nowned %s %s\n", s.Addr(), s.dir)
	_ = out.Flush()
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// launchOnThreadThatEnds starts a server from a goroutine that ends while it is locked to its
// thread. It takes the thread with it, and whatever was started on that thread.
func launchOnThreadThatEnds(t *testing.T) *Server {
	t.Helper()
	var s *Server
	var err error
	var thread int
	var launchLocked func()
	launchLocked = func() {
		runtime.LockOSThread()
		thread = syscall.Gettid()
		if thread == os.Getpid() { // the main thread never ends; while we hold it, the next gets another
			await(launchLocked)
			return
		}
		s, err = launch(nil, false)
	}
	await(launchLocked)
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(startTimeout)
	for b := testserver.NewBackoff(); ; b.Wait() {
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread)); errors.Is(err, os.ErrNotExist) {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("thread %d does not end", thread)
		}
	}
}

func await(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}
