package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/inputfile"
)

// endless never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestFilesThatNeverEnd names a device, a folder and a pipe without a writer wherever a file is read.
func TestFilesThatNeverEnd(t *testing.T) {
	t.Chdir(t.TempDir())
	defer func(wait time.Duration) { inputfile.PipeWait = wait }(inputfile.PipeWait)
	inputfile.PipeWait = 20 * time.Millisecond
	const servers = "--redis-url=redis://127.0.0.1:1 --postgres-url=postgres://127.0.0.1:1/x"
	for _, args := range []string{
		"stock import %s --server=http://127.0.0.1:1", "locations apply %s --check", "route explain --body %s --server=http://127.0.0.1:1",
		"reconcile apply %s " + servers, "doctor --config %s", "serve --http-listen=127.0.0.1:0 --directory-file %s",
		"serve --http-listen=127.0.0.1:0 --directory-centroids %s", "migrate --postgres-url=postgres://127.0.0.1:1/x?sslrootcert=%s",
		"migrate --postgres-url=postgres://127.0.0.1:1/x?passfile=%s",
		"migrate --postgres-url=postgres://127.0.0.1:1/x --postgres-session-url=postgres://127.0.0.1:1/x?sslkey=%s",
	} {
		pipe := filepath.Join(t.TempDir(), "pipe") // of one reader: a reader that gives up wakes the others
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		for path, said := range map[string]string{
			"/dev/zero": "is a device", "/dev/tty": "", t.TempDir(): "is a folder", pipe: "is a pipe that no program writes to",
		} {
			t.Run(fmt.Sprintf(args, path), func(t *testing.T) {
				if got := run(t, strings.Fields(fmt.Sprintf(args, path))...); got.code == exitDone || !strings.Contains(got.stderr, said) {
					t.Errorf("exit %d, %s", got.code, got.stderr)
				}
			})
		}
	}
}

// TestStdinThatNeverEnds reads up to the limit.
func TestStdinThatNeverEnds(t *testing.T) {
	limits := []*int64{&stockFile.BytesMax, &planFile.BytesMax}
	for _, limit := range limits {
		before := *limit
		*limit = 1 << 20
		t.Cleanup(func() { *limit = before })
	}
	for args, said := range map[string]string{
		"stock import - --server=http://127.0.0.1:1":                            "stdin: is larger than 1 MiB, the most that a stock file may have",
		"locations apply - --check":                                             "stdin: is larger than 8 MiB, the most that a routing directory may have",
		"route explain --body - --server=http://127.0.0.1:1":                    "the most that a request may have",
		"reconcile apply - --postgres-url=postgres://h/x --redis-url=redis://h": "stdin: is larger than 1 MiB, the most that a plan may have",
	} {
		var stderr bytes.Buffer
		m := &Main{Args: strings.Fields(args), Stdin: endless{}, Stdout: io.Discard, Stderr: &stderr}
		if code := m.Run(t.Context()); code != exitFailed || !strings.Contains(stderr.String(), said) {
			t.Errorf("%s: exit %d, %s", args, code, stderr.String())
		}
	}
}

// TestReadingSaysSo reads a pipe that is open and silent: the command says so, and can be stopped.
func TestReadingSaysSo(t *testing.T) {
	silent, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	stderr := &output{}
	m := &Main{
		Args: []string{"stock", "import", "-", "--server=http://127.0.0.1:1"}, Stdin: silent, Stdout: io.Discard, Stderr: stderr,
		readingEvery: time.Millisecond,
	}
	ended := make(chan int, 1)
	go func() { ended <- m.Run(ctx) }()
	eventually(t, "a line about the silent pipe", func() bool {
		return strings.Contains(stderr.String(), "reading stdin: 0 bytes so far\n")
	})
	cancel()
	if code := <-ended; code != exitFailed {
		t.Errorf("exit %d", code)
	}
}
