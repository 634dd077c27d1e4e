package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

const patience = time.Minute // for waits that take milliseconds on an idle machine

// output is a buffer that is safe to read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// program is a running `holdfast serve`.
type program struct {
	url  string
	logs *output
	stop func() int // stops it and returns its exit code
}

// start runs `holdfast serve` on a free port.
func start(t *testing.T, args ...string) program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	logs, listening, ended := &output{}, make(chan net.Addr, 1), make(chan int, 1)
	m := &Main{
		Args:   append([]string{"serve", "--http-listen=127.0.0.1:0"}, args...),
		Stdout: io.Discard, Stderr: logs,
		Listening: func(a net.Addr) { listening <- a },
	}
	go func() { ended <- m.Run(ctx) }()
	stop := sync.OnceValue(func() int {
		cancel()
		select {
		case code := <-ended:
			return code
		case <-time.After(patience):
			t.Error("serve does not stop")
			return -1
		}
	})
	t.Cleanup(func() { stop() })
	select {
	case address := <-listening:
		return program{url: "http://" + address.String(), logs: logs, stop: stop}
	case code := <-ended:
		t.Fatalf("serve ended with %d: %s", code, logs)
	case <-time.After(patience):
		t.Fatalf("serve does not listen: %s", logs)
	}
	return program{}
}

// reserve makes a reservation.
func (p program) reserve(t *testing.T, body string) {
	t.Helper()
	answer, err := http.Post(p.url+"/v1/reservations", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("reserve answered %d", answer.StatusCode)
	}
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestServe(t *testing.T) {
	t.Chdir(t.TempDir())
	p := start(t)
	for _, want := range []string{"embedded: in-process, nothing survives a restart", "listening on " + p.url} {
		if !strings.Contains(p.logs.String(), want) {
			t.Errorf("%q is missing in the log:\n%s", want, p.logs)
		}
	}
	server := "--server=" + p.url
	text := "sku,location,on_hand,safety_stock,backorder_limit\na/b %,berlin,40,2,0\na/b %,lyon,3,0,1\n"
	first := command{args: []string{"stock", "import", "-", server}, stdin: text}.run(t).expect(t, exitDone)
	again := command{args: []string{"stock", "import", "-", server}, stdin: text}.run(t).expect(t, exitDone)
	if !strings.Contains(first.stdout, "2 levels set") || !strings.Contains(again.stdout, "nothing changed") {
		t.Errorf("got %q, then %q", first.stdout, again.stdout)
	}
	if got := run(t, "stock", "export", server).expect(t, exitDone); got.stdout != text {
		t.Errorf("exported %q", got.stdout)
	}
	adjust := []string{"stock", "adjust", "--sku=a/b %", "--location=berlin", "--delta=-5", "--id=x", "--format=json", server}
	if got := run(t, adjust...).expect(t, exitDone).document(t); got["on_hand"] != 35.0 || got["replay"] != false {
		t.Errorf("got %v", got)
	}
	if got := run(t, adjust...).expect(t, exitDone).document(t); got["on_hand"] != 35.0 || got["replay"] != true {
		t.Errorf("the second time got %v", got)
	}
	want := "LOCATION  ON HAND  HELD  COMMITTED  SAFETY STOCK  BACKORDER LIMIT  AVAILABLE\n" +
		"berlin    35       0     0          2             0                33\n" +
		"lyon      3        0     0          0             1                4\n"
	if got := run(t, "stock", "show", "a/b %", server).expect(t, exitDone); got.stdout != want {
		t.Errorf("got\n%s\nwant\n%s", got.stdout, want)
	}

	p.reserve(t, `{"id":"ord/1","ttl_seconds":60,"lines":[{"line":"1","sku":"a/b %","quantity":2}]}`)
	if got := run(t, "reservations", "show", "ord/1", server).expect(t, exitDone); !strings.Contains(got.stdout, "ord/1 is held (version 1)") {
		t.Errorf("got %q", got.stdout)
	}
	if got := run(t, "reservations", "release", "ord/1", server).expect(t, exitDone); !strings.Contains(got.stdout, "ord/1 is released (version 2)") {
		t.Errorf("got %q", got.stdout)
	}
	if got := fetch(t, p.url+"/metrics"); !strings.Contains(got, `holdfast_calls_total{outcome="ok",verb="reserve"} 1`) {
		t.Errorf("the reservation is missing in the metrics:\n%s", got)
	}
	if code := p.stop(); code != exitDone || !strings.Contains(p.logs.String(), "stopped") {
		t.Errorf("exit %d, log:\n%s", code, p.logs)
	}
}

// TestServeExpires waits until the sweeper expires a reservation that no other call touches.
func TestServeExpires(t *testing.T) {
	t.Chdir(t.TempDir())
	p := start(t)
	server := "--server=" + p.url
	command{args: []string{"stock", "import", "-", server}, stdin: "sku,location,on_hand\nA,b,5\n"}.run(t).expect(t, exitDone)
	began := time.Now()
	p.reserve(t, `{"id":"o","ttl_seconds":1,"lines":[{"line":"1","sku":"A","quantity":2}]}`)
	if got := fetch(t, p.url+"/v1/stock/A"); !strings.Contains(got, `"available":3`) && time.Since(began) < time.Second {
		t.Fatalf("nothing is held: %s", got)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); !strings.Contains(fetch(t, p.url+"/v1/stock/A"), `"available":5`); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("the units did not come back; log:\n%s", p.logs)
		}
	}
}

func TestServeWithoutRedis(t *testing.T) {
	t.Chdir(t.TempDir())
	p := start(t, "--auth-mode=off", "--redis-url=redis://:hunter2@127.0.0.1:1", "--postgres-url=postgres://u:hunter2@127.0.0.1:1/ledger")
	answer, err := http.Get(p.url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("/readyz answered %d", answer.StatusCode)
	}
	if code := p.stop(); code != exitDone {
		t.Errorf("exit %d", code)
	}
	if log := p.logs.String(); strings.Contains(log, "hunter2") || !strings.Contains(log, "redis does not answer yet") {
		t.Errorf("log:\n%s", log)
	}
}

func TestServeAddressInUse(t *testing.T) {
	t.Chdir(t.TempDir())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	got := run(t, "serve", "--http-listen", listener.Addr().String()).expect(t, exitFailed)
	if !strings.Contains(got.stderr, "address already in use: free the address, or set http.listen") {
		t.Errorf("got %q", got.stderr)
	}
}

// TestServe_Metrics finds every metric that the documentation names in the first scrape. An alert on
// a metric that appears later cannot fire.
func TestServe_Metrics(t *testing.T) {
	var documented []string
	for _, page := range []string{"operating.md", "nightly-audit.md", "sold-out-cache.md"} {
		text, err := os.ReadFile(filepath.Join("../../docs", page))
		if err != nil {
			t.Fatal(err)
		}
		documented = append(documented, regexp.MustCompile(`\bholdfast_[a-z_]+`).FindAllString(string(text), -1)...)
	}
	if len(documented) < 20 {
		t.Fatalf("the pages name only %q", documented)
	}
	t.Chdir(t.TempDir())
	exported := fetch(t, start(t).url+"/metrics")
	for _, name := range documented {
		if !regexp.MustCompile(`(?m)^` + name + `(_bucket)?[{ ]`).MatchString(exported) {
			t.Errorf("%s is missing", name)
		}
	}
	if !strings.Contains(exported, "\nholdfast_audit_finished_timestamp_seconds 0\n") {
		t.Error("there is a last audit, but none ever ran")
	}
}

// TestServe_Monitor serves metrics and profiles at an address of their own.
func TestServe_Monitor(t *testing.T) {
	t.Chdir(t.TempDir())
	p := start(t, "--metrics-listen=127.0.0.1:0", "--log-format=text")
	at := regexp.MustCompile(`metrics on (http://\S+)/metrics`).FindStringSubmatch(p.logs.String())
	if at == nil {
		t.Fatalf("the log does not say where the metrics are:\n%s", p.logs)
	}
	if got := fetch(t, at[1]+"/metrics"); !strings.Contains(got, "\nholdfast_ready 1\n") {
		t.Errorf("there are no metrics:\n%s", got)
	}
	if got := fetch(t, p.url+"/metrics"); strings.Contains(got, "holdfast_ready") {
		t.Error("the API has the metrics too")
	}
	if got := fetch(t, at[1]+"/debug/pprof/heap?debug=1"); !strings.HasPrefix(got, "heap profile: ") {
		t.Errorf("there is no profile:\n%s", got)
	}
	if code := p.stop(); code != exitDone {
		t.Errorf("exit %d", code)
	}
}

// TestServe_LogLevel leaves out lines below the level.
func TestServe_LogLevel(t *testing.T) {
	t.Chdir(t.TempDir())
	p := start(t, "--log-level=warn")
	if got := p.logs.String(); strings.Contains(got, "listening on") || !strings.Contains(got, "embedded: in-process") {
		t.Errorf("the log is\n%s", got)
	}
}

// lastAudit is a ledger that knows only one audit, or does not answer.
type lastAudit struct {
	ledger.Audits
	audit ledger.Audit
	err   error
}

func (l *lastAudit) Audit(context.Context, string) (ledger.Audit, error) { return l.audit, l.err }

// TestAudits_Last keeps what the ledger answered last while the ledger does not answer.
func TestAudits_Last(t *testing.T) {
	l := &lastAudit{err: cache.ErrNotFound}
	a := &audits{ctx: t.Context(), ledger: l}
	if got := a.last(); !got.FinishedAt.IsZero() {
		t.Errorf("there was none: %+v", got)
	}
	l.err = nil
	l.audit = ledger.Audit{State: ledger.AuditFailed, FinishedAt: time.Unix(9, 0), Drift: 3}
	known := a.last()
	if known.FinishedAt.Unix() != 9 || !known.Failed || known.Drift != 3 {
		t.Errorf("%+v", known)
	}
	l.audit, l.err = ledger.Audit{}, cache.ErrNotDurable
	if got := a.last(); got != known {
		t.Errorf("%+v, want %+v", got, known)
	}
}

// TestServe_Hosts checks that a page of another site, which reaches the server by DNS rebinding, can
// neither read nor change anything, and that http.hosts adds a name.
func TestServe_Hosts(t *testing.T) {
	t.Chdir(t.TempDir())
	p := start(t, "--http-hosts=stock.example.com, 192.0.2.7")
	for host, want := range map[string]int{
		"evil.example": http.StatusForbidden, "192.0.2.8": http.StatusForbidden,
		"localhost": http.StatusOK, "stock.example.com": http.StatusOK, "192.0.2.7:80": http.StatusOK,
	} {
		for _, path := range []string{"/v1/stock", "/livez", "/readyz", "/metrics", "/docs/", "/openapi.json"} {
			r, err := http.NewRequest(http.MethodGet, p.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if _ = answer.Body.Close(); answer.StatusCode != want {
				t.Errorf("%s with Host %s: %d, want %d", path, host, answer.StatusCode, want)
			}
		}
	}
}
