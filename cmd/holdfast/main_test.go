package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/internal/redistest"
)

// ran is the result of a command.
type ran struct {
	code           int
	stdout, stderr string
}

// command is a command line and its input.
type command struct {
	args  []string
	env   []string
	stdin string
}

// run runs a command until it ends.
func (c command) run(t *testing.T) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	m := &Main{Args: c.args, Env: c.env, Stdin: strings.NewReader(c.stdin), Stdout: &stdout, Stderr: &stderr}
	code := m.Run(t.Context())
	return ran{code, stdout.String(), stderr.String()}
}

func run(t *testing.T, args ...string) ran {
	t.Helper()
	return command{args: args}.run(t)
}

// expect fails the test if the exit code is not code.
func (r ran) expect(t *testing.T, code int) ran {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.stdout, r.stderr)
	}
	return r
}

// document decodes standard output, which must be exactly one JSON document.
func (r ran) document(t *testing.T) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(r.stdout))
	var out map[string]any
	if err := decoder.Decode(&out); err != nil {
		t.Fatalf("stdout is not JSON: %v\n%s", err, r.stdout)
	}
	if _, err := decoder.Token(); err != io.EOF {
		t.Fatalf("stdout has more than one document:\n%s", r.stdout)
	}
	return out
}

// write creates a file and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// respond starts a server that always sends the same response, and returns its URL.
func respond(t *testing.T, status int, mediaType, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestHelp(t *testing.T) {
	var visit func(c *cobra.Command, path []string)
	visit = func(c *cobra.Command, path []string) {
		t.Run(c.CommandPath(), func(t *testing.T) {
			got := run(t, append(path, "--help")...).expect(t, exitDone)
			if !strings.Contains(got.stdout, "Examples:\n  ") || !strings.Contains(got.stdout, "holdfast") {
				t.Errorf("no example in\n%s", got.stdout)
			}
			if c.Short == "" {
				t.Error("no short description")
			}
		})
		for _, child := range c.Commands() {
			visit(child, append(path[:len(path):len(path)], child.Name()))
		}
	}
	visit((&Main{}).root(), nil)
}

func TestExitCodes(t *testing.T) {
	const problem = "application/problem+json"
	found := respond(t, 200, "application/json", `{"sku":"A","levels":[],"id":"o","lines":[]}`)
	missing := respond(t, 404, problem, `{"code":"not_found","detail":"no such thing"}`)
	defect := respond(t, 500, problem, `{"code":"internal","detail":"a defect"}`)
	stranger := respond(t, 404, "text/html", "<p>")
	bad := write(t, "bad.csv", "sku,location,on_hand\nA,b,-1\n")
	for name, c := range map[string]struct {
		args   []string
		code   int
		stderr string
	}{
		"found":                    {[]string{"stock", "show", "A", "--server", found}, exitDone, ""},
		"refused":                  {[]string{"stock", "show", "A", "--server", missing}, exitRefused, "holdfast: not_found: no such thing\n"},
		"refused reservation":      {[]string{"reservations", "show", "o", "--server", missing}, exitRefused, "not_found"},
		"refused release":          {[]string{"reservations", "release", "o", "--server", missing}, exitRefused, "not_found"},
		"refused adjustment":       {[]string{"stock", "adjust", "--sku=A", "--location=b", "--delta=1", "--server", missing}, exitRefused, "not_found: no such thing\n"},
		"a defect":                 {[]string{"stock", "show", "A", "--server", defect}, exitFailed, "internal: a defect"},
		"adjustment with a defect": {[]string{"stock", "adjust", "--sku=A", "--location=b", "--delta=1", "--id=x", "--server", defect}, exitFailed, "repeat the command with --id x"},
		"another server":           {[]string{"stock", "show", "A", "--server", stranger}, exitFailed, "is this a Holdfast server?"},
		"no server":                {[]string{"stock", "show", "A", "--server", "http://127.0.0.1:1"}, exitFailed, "connection refused"},
		"a server that is no URL":  {[]string{"stock", "show", "A", "--server", "127.0.0.1:1"}, exitFailed, "name it as a URL"},
		"faults":                   {[]string{"stock", "import", bad, "--server", found}, exitRefused, ":2:5: on_hand: -1 is below 0"},
		"no file":                  {[]string{"stock", "import", "none.csv", "--server", found}, exitFailed, "no such file"},
		"a folder":                 {[]string{"stock", "import", t.TempDir(), "--server", found}, exitFailed, "is a folder"},
		"not UTF-8":                {[]string{"stock", "adjust", "--sku=A\xff", "--location=b", "--delta=1", "--server", found}, exitFailed, `the argument "--sku=A\xff" is not UTF-8`},
		"unknown command":          {[]string{"sotck"}, exitFailed, `there is no command "sotck": did you mean stock?`},
		"unknown child":            {[]string{"stock", "shwo"}, exitFailed, `there is no command "shwo": did you mean show?`},
		"unknown flag":             {[]string{"stock", "show", "--nope"}, exitFailed, "unknown flag: --nope\nsee holdfast stock show --help"},
		"unknown format":           {[]string{"version", "--format", "xml"}, exitFailed, "must be text or json"},
		"argument missing":         {[]string{"stock", "show"}, exitFailed, "SKU is missing"},
		"empty argument":           {[]string{"stock", "show", ""}, exitFailed, "SKU is missing"},
		"argument too many":        {[]string{"reservations", "show", "a", "b"}, exitFailed, `"b" is one argument too many`},
		"no arguments taken":       {[]string{"serve", "now"}, exitFailed, `"now" is one argument too many`},
		"delta missing":            {[]string{"stock", "adjust", "--sku=A", "--location=b"}, exitFailed, "--delta is missing or 0"},
		"long import id":           {[]string{"stock", "import", bad, "--id", strings.Repeat("x", 113)}, exitFailed, "at most 112"},
		"missing configuration":    {[]string{"stock", "show", "A", "--config", "none.yaml"}, exitFailed, "none.yaml: cannot be read"},
		"no configuration named":   {[]string{"stock", "show", "A", "--config="}, exitFailed, "--config is empty: name a file"},
		"wrong configuration":      {[]string{"serve", "--redis-shards=2", "--confirm-wait=5"}, exitFailed, "confirm.wait = \"5\" (from --confirm-wait)"},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, c.args...).expect(t, c.code)
			if !strings.Contains(got.stderr, c.stderr) {
				t.Errorf("stderr is %q, want %q in it", got.stderr, c.stderr)
			}
			if c.code != exitDone && got.stdout != "" {
				t.Errorf("stdout is %q", got.stdout)
			}
		})
	}
}

// TestNewcomer makes the mistakes of a first hour. Each error says what to type.
func TestNewcomer(t *testing.T) {
	for args, said := range map[string]string{
		"stok show":                       `there is no command "stok": did you mean stock?`,
		"help stok":                       `there is no command "stok": did you mean stock?`,
		"help stock shwo":                 `there is no command "shwo": did you mean show?`,
		"stock show":                      "SKU is missing: for example, holdfast stock show TEE-M",
		"stock import":                    "FILE.csv is missing: for example, holdfast stock import stock.csv",
		"stock adjust":                    "--sku is missing: for example, holdfast stock adjust --sku TEE-M --location berlin",
		"locations apply":                 "FILE.yaml is missing: for example, holdfast locations apply locations.yaml",
		"reservations show":               "ID is missing: for example, holdfast reservations show ord-1001",
		"route explain":                   "SKU is missing: name one SKU per line of the order",
		"stock show A --fromat json":      "unknown flag: --fromat: did you mean --format?",
		"stock show A -format=json":       "unknown flag: -format: did you mean --format?",
		"stock show A --output xml":       `--output is "xml", must be text or json`,
		"stock show A --json":             "unknown flag: --json: for JSON use --format json",
		"stock export -o json":            "--output names a file: use --format json, or name the file ./json",
		"stock show A --server":           "--server needs a value",
		"stock show A --format xml":       `--format is "xml", must be text or json`,
		"stock adjust --delta lots":       `--delta is "lots", must be a whole number`,
		"demo --duration 8":               `--duration is "8", must be a duration with a unit, such as 30s or 5m`,
		"serve --reconcile-backlog-max=x": "must be a whole number",
		"version --=x":                    "a flag has no name: write --NAME or --NAME=VALUE",
	} {
		got := run(t, strings.Fields(args)...).expect(t, exitFailed)
		if !strings.Contains(got.stderr, said) || got.stdout != "" {
			t.Errorf("%s: got %q and %q, want %q", args, got.stdout, got.stderr, said)
		}
	}
}

// TestHelpOfFlags checks what --help says of the flags of settings.
func TestHelpOfFlags(t *testing.T) {
	serve := run(t, "serve", "--help").expect(t, exitDone).stdout
	for _, line := range []string{
		"--auth-requests-per-second int ", "--http-listen HOST:PORT ", "--confirm-wait duration ", "(default 5s)",
		"--redis-url URL ", "--directory-file FILE ", "--reconcile-backlog-max int ", "(default 250000)",
	} {
		if !strings.Contains(serve, line) {
			t.Errorf("%q is missing in\n%s", line, serve)
		}
	}
	for _, args := range [][]string{{"doctor"}, {"migrate"}, {"reconcile", "audit"}, {"reconcile", "rebuild"}, {"reconcile", "prune"}} {
		if help := run(t, append(args, "--help")...).expect(t, exitDone).stdout; strings.Contains(help, "--confirm-wait") || !strings.Contains(help, "--redis-url URL") {
			t.Errorf("%v lists the wrong settings:\n%s", args, help)
		}
	}
	if root := run(t, "--help").expect(t, exitDone).stdout; !strings.Contains(root, "\n  completion ") {
		t.Errorf("completion is not listed:\n%s", root)
	}
}

func TestCompletion(t *testing.T) {
	for args, want := range map[string]string{
		"sto":                        "stock\tShow and change stock\n:4\n",
		"stock ex":                   "export\tPrint stock as CSV\n:4\n",
		"stock show --format ":       "text\njson\n:4\n",
		"reservations list --state ": "held\nconfirmed\nfulfilled\nreleased\nexpired\n:4\n",
		"route explain --split ":     "never\nlines\nunits\n:4\n",
		"stock import ":              "csv\ntxt\ntsv\n:8\n",
		"locations apply ":           "yaml\nyml\njson\n:8\n",
		"serve --config ":            "yaml\nyml\n:8\n",
		"serve --auth-mode ":         "auto\nkeys\noff\n:4\n",
		"serve ":                     ":4\n",
		"stock show ":                ":4\n",
		"stock adjust --sku ":        ":4\n",
		"stock export --output ":     ":0\n",
	} {
		got := run(t, append([]string{"__complete"}, strings.Split(args, " ")...)...).expect(t, exitDone)
		if got.stdout != want {
			t.Errorf("%s: got %q, want %q", args, got.stdout, want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := run(t, "completion", shell).expect(t, exitDone); !strings.Contains(got.stdout, "holdfast") {
			t.Errorf("%s: %q", shell, got.stdout)
		}
	}
}

func TestServerURL(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, c := range map[string]struct {
		args, env []string
		want      string
	}{
		"default":                  {nil, nil, "http://127.0.0.1:8080"},
		"flag":                     {[]string{"--server=http://a"}, []string{"HOLDFAST_SERVER=http://b"}, "http://a"},
		"variable":                 {nil, []string{"HOLDFAST_SERVER=http://b", "HOLDFAST_NONSENSE=1"}, "http://b"},
		"configuration":            {nil, []string{"HOLDFAST_HTTP_LISTEN=[::1]:90"}, "http://[::1]:90"},
		"every address means here": {nil, []string{"HOLDFAST_HTTP_LISTEN=0.0.0.0:90", "HOLDFAST_REDIS_URL=redis://r"}, "http://127.0.0.1:90"},
		"any port":                 {nil, []string{"HOLDFAST_HTTP_LISTEN=localhost:0"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := &Main{Env: c.env}
			root := m.root()
			show, _, err := root.Find([]string{"stock", "show"})
			if err != nil {
				t.Fatal(err)
			}
			if err := show.ParseFlags(c.args); err != nil {
				t.Fatal(err)
			}
			got, err := m.server(show)
			if got != c.want || (err != nil) != (c.want == "") {
				t.Errorf("got %q %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestVersion_Redis(t *testing.T) {
	redis := redistest.Start(t)
	running := redis.Client(t).InfoMap(t.Context(), "server").Item("Server", "redis_version")
	got := run(t, "version", "--format=json", "--redis-url="+redis.URL()).expect(t, exitDone).document(t)
	if got["redis"] != "redis "+running {
		t.Errorf("got %v", got)
	}
	text := run(t, "version", "--redis-url=redis://:secret@127.0.0.1:1").expect(t, exitDone).stdout
	if !strings.Contains(text, "\nredis: redis://127.0.0.1:1/0 does not listen there") || strings.Contains(text, "secret") {
		t.Errorf("got %q", text)
	}
}

func TestVersion(t *testing.T) {
	if got := run(t, "version").expect(t, exitDone); !strings.HasPrefix(got.stdout, "holdfast dev\n") {
		t.Errorf("got %q", got.stdout)
	}
	for _, args := range [][]string{{"--output", "json"}, {"-o", "json"}, {"-o=json"}} {
		if got := run(t, append([]string{"version"}, args...)...).expect(t, exitDone).document(t); got["version"] != "dev" {
			t.Errorf("%v: got %v", args, got)
		}
	}
	if flag, command := run(t, "--version").expect(t, exitDone).stdout, run(t, "version").stdout; flag != command {
		t.Errorf("--version prints %q, version %q", flag, command)
	}
	if got := run(t, "version", "--format=json").expect(t, exitDone).document(t); got["version"] != "dev" || got["go"] == "" {
		t.Errorf("got %v", got)
	}
}

func TestPrintReservation(t *testing.T) {
	server := respond(t, 200, "application/json", `{"id":"ord-1","state":"held","version":2,"created_at":"2026-11-27T08:00:00.000Z",
		"expires_at":"2026-11-27T08:10:00.000Z","customer":"c-9","lines":[{"line":"1","sku":"TEE-M","quantity":2,"requested":3,
		"fulfilled":0,"returned":0,"from":[{"location":"berlin","quantity":1},{"location":"lyon","quantity":1}]},
		{"line":"2","sku":"GIFT","quantity":1,"requested":1,"fulfilled":0,"returned":0,"from":[{"location":"lyon","quantity":1}],
		"components":[{"sku":"CAP","quantity":2,"from":[{"location":"lyon","quantity":2}]}]}]}`)
	want := `ord-1 is held (version 2)
created 2026-11-27T08:00:00Z, deadline 2026-11-27T08:10:00Z, customer c-9

LINE  SKU    REQUESTED  QUANTITY  FULFILLED  RETURNED  FROM
1     TEE-M  3          2         0          0         1 berlin, 1 lyon
2     GIFT   1          1         0          0         1 lyon
2     - CAP             2                              2 lyon
`
	if got := run(t, "reservations", "show", "ord-1", "--server", server).expect(t, exitDone); got.stdout != want {
		t.Errorf("got\n%s\nwant\n%s", got.stdout, want)
	}
	if got := run(t, "reservations", "show", "ord-1", "--server", server, "--format=json").expect(t, exitDone); !strings.Contains(got.stdout, `"sku": "CAP"`) {
		t.Errorf("the JSON lacks a component: %s", got.stdout)
	}
	got := run(t, "reservations", "release", "ord-1", "--server", server, "--format=json").expect(t, exitDone).document(t)
	if got["id"] != "ord-1" || got["replay"] != false {
		t.Errorf("got %v", got)
	}
}

// TestRunStopsWithContext calls a server that never answers.
func TestRunStopsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	var stderr bytes.Buffer
	m := &Main{Args: []string{"stock", "show", "A", "--server", server.URL}, Stdout: io.Discard, Stderr: &stderr}
	if code := m.Run(ctx); code != exitFailed {
		t.Errorf("exit %d, %s", code, stderr.String())
	}
}
