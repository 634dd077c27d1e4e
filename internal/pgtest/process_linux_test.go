package pgtest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/holdfast/holdfast/internal/testserver"
)

// ownerMark makes TestOwner the second process of TestServer_DiesWithItsOwner.
const ownerMark = "PGTEST_OWNER"

func TestServer_DiesWithItsOwner(t *testing.T) {
	owner := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOwner$")
	owner.Env = append(os.Environ(), ownerMark+"=1")
	out, err := owner.Output()
	s := &testserver.Server{}
	var template, children string
	for line := range strings.Lines(string(out)) {
		if _, scanErr := fmt.Sscanf(line, "owned %d %s %s %s", &s.Port, &s.Dir, &template, &children); scanErr == nil {
			break
		}
	}
	if s.Port == 0 || err == nil {
		t.Fatalf("the owner should print a port and be killed: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		freeSharedMemory(s.Dir)
		_ = os.RemoveAll(s.Dir)
		_ = os.RemoveAll(template)
	})
	if !testserver.Await(func() bool { return !listening(s.Addr()) }) {
		t.Errorf("%s outlives the process that started it", s.Addr())
	}
	for pid := range strings.SplitSeq(children, ",") {
		number, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		child, err := os.FindProcess(number)
		if err != nil {
			t.Fatal(err)
		}
		if !testserver.Await(func() bool { return testserver.Ended(child) }) {
			t.Errorf("child %d outlives the process that started it", number)
		}
		_ = child.Release()
	}
}

func pids(processes []*os.Process) string {
	var list []string
	for _, p := range processes {
		list = append(list, strconv.Itoa(p.Pid))
	}
	return strings.Join(list, ",")
}

// The system never removes the segment of a killed server.
func TestServer_LeavesNoSharedMemory(t *testing.T) {
	var id string
	t.Run("killed", func(t *testing.T) {
		s := Start(t, "fsync=off")
		if fields := strings.Fields(pidFile(s.Dir)[6]); len(fields) == 2 {
			id = fields[1]
		}
		if !segmentExists(t, id) {
			t.Errorf("the server has no segment %q", id)
		}
		s.Kill()
	})
	if segmentExists(t, id) {
		t.Errorf("segment %s is still there", id)
	}
}

func segmentExists(t *testing.T, id string) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[1] == id {
			return true
		}
	}
	return false
}

func TestOwner(t *testing.T) {
	if os.Getenv(ownerMark) == "" {
		t.Skip("runs only as the second process of TestServer_DiesWithItsOwner")
	}
	s := Start(t)
	connect(t, s.URL())
	s.Pause() // so that its children cannot notice the end of the postmaster
	out := bufio.NewWriter(os.Stdout)
	_, _ = fmt.Fprintf(out, "\nowned %d %s %s %s\n", s.Port, s.Dir, template, pids(testserver.Children(s.Pid())))
	_ = out.Flush()
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
