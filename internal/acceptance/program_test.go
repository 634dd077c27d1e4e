package acceptance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
)

// program is a running `holdfast serve`.
type program struct {
	t        *testing.T
	address  string // host:port
	url      string
	durable  bool // its ledger survives a restart
	log      *journal
	http     *http.Client
	document func(t *testing.T) *document // fetched once

	command *exec.Cmd
	ended   chan struct{} // closed once it has ended
}

// start runs `holdfast serve` on a free port and the embedded engine.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	return startAs(t, onEmbedded, args...)
}

// ledgers are the databases beside each Redis, *redistest.Server -> URL.
var ledgers sync.Map

// startOn runs `holdfast serve` on a free port, a real Redis and the ledger that belongs to it.
func startOn(t *testing.T, redis *redistest.Server, args ...string) *program {
	t.Helper()
	url, known := ledgers.Load(redis)
	if !known {
		url = ledger(t)
		ledgers.Store(redis, url)
	}
	p := startAs(t, onRedis, append([]string{"--redis-url=" + redis.URL(), "--postgres-url=" + url.(string)}, args...)...)
	p.durable = true
	return p
}

// ledger makes a database with the ledger's tables.
func ledger(t *testing.T) string {
	t.Helper()
	url := pgtest.Database(t)
	if code, _, stderr := run(t, "", "migrate", "--postgres-url="+url); code != 0 {
		t.Fatalf("migrate: exit %d: %s", code, stderr)
	}
	return url
}

// startAs ends the program with the test: it must then end well.
func startAs(t *testing.T, binary string, args ...string) *program {
	t.Helper()
	if err := readSources(); err != nil {
		t.Fatal(err)
	}
	p := &program{
		t: t, log: &journal{}, ended: make(chan struct{}),
		command: command(t, binary, append([]string{"serve", "--http-listen=127.0.0.1:0"}, args...)...),
		http: &http.Client{
			Transport: &http.Transport{DisableCompression: true}, Timeout: patience,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	p.document = onceFor(p.fetchDocument)
	p.command.SysProcAttr = noOrphan()
	stderr, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	started, listening := make(chan error), make(chan string, 1)
	go p.follow(stderr, started, listening)
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.finish)
	select {
	case p.address = <-listening:
		p.url = "http://" + p.address
	case <-p.ended:
		t.Fatalf("it ended:\n%s", p.log)
	case <-time.After(patience):
		t.Fatalf("it does not listen:\n%s", p.log)
	}
	return p
}

// command is the program with args, in a folder of its own and with none of our settings.
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

// follow starts the program, keeps what it logs, and finds the address in it. It keeps its thread:
// the program is taken for an orphan when the thread ends that started it.
func (p *program) follow(stderr io.Reader, started chan<- error, listening chan<- string) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.ended)
	err := p.command.Start()
	started <- err
	if err != nil {
		return
	}
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.log.add(lines.Text())
		var entry struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && strings.HasPrefix(entry.Msg, "listening on ") {
			listening <- entry.Address
		}
	}
	_ = p.command.Wait() // what it says is in ProcessState
}

func (p *program) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		p.t.Error(err)
	}
}

// end waits for the program to end by itself.
func (p *program) end() {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Error("it does not end")
		_ = p.command.Process.Kill()
		<-p.ended
	}
	if state := p.command.ProcessState; state.ExitCode() != 0 {
		p.t.Errorf("it ended with %v", state)
	}
}

// finish ends the program after its test. A data race makes it end badly.
func (p *program) finish() {
	p.http.CloseIdleConnections()
	select {
	case <-p.ended:
	default:
		p.signal(syscall.SIGTERM)
		p.end()
	}
	if p.t.Failed() {
		p.t.Logf("log of the program:\n%s", p.log)
	}
}

// journal is text that may be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text.WriteString(line + "\n")
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// run runs a command of the program to its end.
func run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	c := command(t, onEmbedded, args...)
	var out, wrong bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &wrong
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), wrong.String()
}

// eachEngine runs test on the embedded engine and on a real Redis, each empty and in a program of
// its own.
func eachEngine(t *testing.T, test func(t *testing.T, p *program)) {
	t.Helper()
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, start(t))
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, startOn(t, redistest.Start(t)))
	})
}
