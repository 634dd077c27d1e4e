package acceptance

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/testserver"
)

// program is a running `holdfast serve`.
type program struct {
	t        *testing.T
	address  string // host:port
	url      string
	durable  bool // its ledger survives a restart
	http     *http.Client
	document func(t *testing.T) *document // fetched once

	process *testserver.Process
	logFile string
}

// start runs `holdfast serve` on a free port and the embedded engine.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	return startAs(t, onEmbedded, args...)
}

// ledgers has the database of each Redis: *redistest.Server -> URL.
var ledgers sync.Map

// startOn runs `holdfast serve` on a free port, with a real Redis and its ledger. If this Redis runs, startOn
// returns once the program serves calls.
func startOn(t *testing.T, redis *redistest.Server, args ...string) *program {
	t.Helper()
	url, known := ledgers.Load(redis)
	if !known {
		url = ledger(t)
		ledgers.Store(redis, url)
	}
	p := startAs(t, onRedis, append([]string{"--redis-url=" + redis.URL(), "--postgres-url=" + url.(string)}, args...)...)
	p.durable = true
	await(t, "the stock to open", func() bool { return redis.Pid() == 0 || p.send(t, get("/readyz")).status == 200 })
	return p
}

// migrated is a database with the ledger's tables, made once.
var migrated struct {
	sync.Once
	url string
}

// ledger makes a database with the ledger's tables.
func ledger(t *testing.T) string {
	t.Helper()
	migrated.Do(func() {
		url, err := pgtest.KeptDatabase()
		if err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := run(t, "", "migrate", "--postgres-url="+url); code != 0 {
			t.Fatalf("migrate: exit %d: %s", code, stderr)
		}
		migrated.url = url
	})
	if migrated.url == "" {
		t.Fatal("the ledger's tables could not be made: another test says why")
	}
	return pgtest.CopyDatabase(t, migrated.url)
}

// startAs starts binary, and stops it at the end of the test. The program must then exit with 0.
func startAs(t *testing.T, binary string, args ...string) *program {
	t.Helper()
	if err := readSources(); err != nil {
		t.Fatal(err)
	}
	p := &program{
		t: t, logFile: filepath.Join(t.TempDir(), "log"),
		http: &http.Client{
			Transport: &http.Transport{DisableCompression: true}, Timeout: patience,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	p.document = onceFor(p.fetchDocument)
	c := command(t, binary, append([]string{"serve", "--http-listen=127.0.0.1:0", "--auth-mode=off"}, args...)...)
	var err error
	if p.process, err = testserver.Spawn(c, p.logFile, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.finish)
	await(t, "holdfast to listen", func() bool {
		if p.process.Gone() {
			t.Fatal("holdfast has ended; its log follows")
		}
		return p.listens()
	})
	return p
}

// listens looks for the address in the log.
func (p *program) listens() bool {
	for line := range strings.Lines(p.log()) {
		var entry struct{ Msg, Address string }
		if json.Unmarshal([]byte(line), &entry) == nil && strings.HasPrefix(entry.Msg, "listening on ") {
			p.address, p.url = entry.Address, "http://"+entry.Address
			return true
		}
	}
	return false
}

func (p *program) log() string {
	text, _ := os.ReadFile(p.logFile) // Spawn has made it
	return string(text)
}

// command returns the program with args, in an empty folder and without HOLDFAST_ variables.
func command(t *testing.T, binary string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(binary, args...)
	c.Dir = t.TempDir()
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "HOLDFAST_") {
			c.Env = append(c.Env, pair)
		}
	}
	return c
}

func (p *program) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.process.Cmd.Process.Signal(s); err != nil {
		p.t.Error(err)
	}
}

// end waits for the program to end by itself.
func (p *program) end() {
	p.t.Helper()
	select {
	case <-p.process.Exited:
	case <-time.After(patience):
		p.t.Error("the program does not end")
		_ = p.process.Cmd.Process.Kill()
		<-p.process.Exited
	}
	if state := p.process.Cmd.ProcessState; state.ExitCode() != 0 {
		p.t.Errorf("the program ended with %v", state)
	}
}

// finish ends the program after its test. After a data race its exit code is not 0.
func (p *program) finish() {
	p.http.CloseIdleConnections()
	if !p.process.Gone() {
		p.signal(syscall.SIGTERM)
		p.end()
	}
	if p.t.Failed() {
		p.t.Logf("log of the program:\n%s", p.log())
	}
}

// run runs a command of the program and waits for its end.
func run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return runIn(t, nil, stdin, args...)
}

// runIn is run with additional environment variables.
func runIn(t *testing.T, env []string, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	c := command(t, onEmbedded, args...)
	c.Env = append(c.Env, env...)
	var out, wrong bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &wrong
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), wrong.String()
}

// eachEngine runs test on a real Redis and, without -short, on the embedded engine. Each run gets an empty
// engine and its own program.
func eachEngine(t *testing.T, test func(t *testing.T, p *program)) {
	t.Helper()
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		if testing.Short() {
			t.Skip("the embedded engine is slow; the subtest redis runs the same")
		}
		test(t, start(t))
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, startOn(t, redistest.Start(t)))
	})
}
