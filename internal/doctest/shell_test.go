package doctest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/testserver"
)

var update = flag.Bool("update", false, "rewrite the outputs in the pages")

// patience bounds one page. A busy machine is slow, and a snippet that hangs should still end.
const patience = 3 * time.Minute

// What the pages say, and the test replaces by a server of its own.
const (
	serverInPages   = "localhost:8080"
	redisInPages    = "127.0.0.1:6379"
	postgresInPages = "127.0.0.1:5432"
)

// inRepository is the option of a sh block that is run in the folder of the module.
const inRepository = "in-repository"

// preamble ends with the page what it has started, and has curl print nothing of its progress.
const preamble = "trap 'kill $(jobs -p) 2>/dev/null || :; wait' EXIT\n" +
	"curl() { command curl -s \"$@\"; }\n" +
	"exec 2>&1\n"

// bin is a folder with the program.
var bin string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "holdfast-doctest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bin = dir
	build := exec.Command("go", "install", "github.com/holdfast/holdfast/cmd/holdfast")
	build.Env = append(os.Environ(), goSettings()...)
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", build, err, output)
		return 1
	}
	return pgtest.Main(m)
}

// goSettings has the go command build once for the test and for the pages that install.
func goSettings() []string { return []string{"GOBIN=" + bin, "GOFLAGS=-buildvcs=false"} }

// TestShell runs the sh blocks of each page in an empty folder, with holdfast in PATH.
func TestShell(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "redis-cli", "psql"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%v: install it, or run .ci/install", err)
		}
	}
	readSources(t)
	for _, page := range pages(t) {
		all := blocks(t, page)
		var script []block
		for _, b := range all {
			if b.language == "sh" {
				script = append(script, b)
			}
		}
		if len(script) == 0 {
			continue
		}
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			outputs := run(t, page, script)
			check(t, page, all, outputs)
		})
	}
}

// readSources reads every folder of the module: go test may take a result from its cache unless it
// has seen the test read what changed, and it does not see what TestMain builds.
func readSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" {
			return filepath.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mark ends the output of a block. No program prints it.
const mark = "\x1e\n"

// run runs the blocks in one shell and returns the output of each, both streams together.
func run(t *testing.T, page string, script []block) []string {
	t.Helper()
	port, err := testserver.FreePort(1)
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	ours, theirs := []string{serverInPages, address}, []string{address, serverInPages}
	var whole strings.Builder
	for _, b := range script {
		whole.WriteString(b.text)
	}
	var environment []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "HOLDFAST_") {
			environment = append(environment, pair)
		}
	}
	environment = append(environment, "PATH="+bin+":"+os.Getenv("PATH"), "USER=ada", "HOLDFAST_HTTP_LISTEN="+address)
	environment = append(environment, goSettings()...)
	if strings.Contains(whole.String(), redisInPages) {
		redis := redistest.Start(t, "--appendonly", "yes")
		ours, theirs = append(ours, redisInPages, redis.Addr()), append(theirs, redis.Addr(), redisInPages)
	}
	if strings.Contains(whole.String(), postgresInPages) {
		postgres := pgtest.Start(t)
		address, err := url.Parse(postgres.URL())
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs = append(ours, postgresInPages, postgres.Addr()), append(theirs, postgres.Addr(), postgresInPages)
		environment = append(environment, "PGHOST="+address.Hostname(), "PGPORT="+address.Port(), "PGUSER="+address.User.Username())
	}
	serve := serving{log: filepath.Join(t.TempDir(), "serve.log"), address: address}
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	text := preamble
	for _, b := range script {
		lines := serve.inBackground(strings.NewReplacer(ours...).Replace(b.text))
		if b.options == inRepository {
			lines = "pushd '" + repository + "' >/dev/null\n" + lines + "popd >/dev/null\n"
		}
		text += lines + "printf '\\036\\n'\n"
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-eu", "-c", text)
	shell.Dir, shell.Env = t.TempDir(), environment
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }
	var output bytes.Buffer
	shell.Stdout, shell.Stderr = &output, &output
	err = shell.Run()
	outputs := strings.Split(strings.NewReplacer(theirs...).Replace(output.String()), mark)
	if last := len(outputs) - 1; err != nil || last != len(script) {
		log, _ := os.ReadFile(serve.log)
		at := script[min(last, len(script)-1)]
		t.Fatalf("%s:%d: %v\n%s\noutput:\n%s\nlog of the server:\n%s", page, at.line, err, at.text, outputs[last], log)
	}
	return outputs[:len(script)]
}

// serving runs `holdfast serve` as a page shows it, in another terminal.
type serving struct{ log, address string }

// server is a line that starts a server, with or without variables.
var server = regexp.MustCompile(`^([A-Z_]+=\S+ )*holdfast serve\b`)

// inBackground lets the lines that start a server go on in the background, once it answers.
func (s serving) inBackground(script string) string {
	var out strings.Builder
	for line := range strings.Lines(script) {
		if !server.MatchString(line) {
			out.WriteString(line)
			continue
		}
		fmt.Fprintf(&out, "%s >>%s &\n", strings.TrimSuffix(line, "\n"), s.log+" 2>&1")
		fmt.Fprintf(&out, "curl -sf --retry 300 --retry-delay 0 --retry-max-time 60 --retry-connrefused --retry-all-errors "+
			"http://%s/readyz >/dev/null\n", s.address)
	}
	return out.String()
}

// check compares the outputs of the sh blocks with what the page shows behind them, from the end: an
// update of one block then leaves the lines of those before it.
func check(t *testing.T, page string, all []block, outputs []string) {
	t.Helper()
	for i, b := range slices.Backward(all) {
		if b.language != "sh" {
			continue
		}
		output := outputs[len(outputs)-1]
		outputs = outputs[:len(outputs)-1]
		var shown block
		if i+1 < len(all) && (all[i+1].language == "console" || all[i+1].language == "json") {
			shown = all[i+1]
		}
		var err error
		switch shown.language {
		case "console":
			err = sameText(shown, output)
		case "json":
			err = coversJSON(shown.text, output)
		default:
			if strings.Contains(output, "/docs/problems#") {
				err = errors.New("a call was refused")
			}
		}
		if err != nil && *update && shown.language != "" {
			rewrite(t, page, shown, output)
		} else if err != nil {
			t.Errorf("%s:%d: %v\n%s\nit printed:\n%s", page, max(b.line, shown.line), err, b.text, output)
		}
	}
}

// rewrite puts output in the place of a block.
func rewrite(t *testing.T, page string, b block, output string) {
	t.Helper()
	if b.language == "json" {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, []byte(strings.TrimSpace(output)), "", "  "); err != nil {
			t.Errorf("%s:%d: %v\n%s", page, b.line, err, output)
			return
		}
		output = pretty.String()
	}
	output = logged.ReplaceAllString(output, "")
	lines := strings.SplitAfter(string(read(t, page)), "\n")
	lines = slices.Replace(lines, b.line-1, b.line-1+strings.Count(b.text, "\n"), strings.Trim(output, "\n")+"\n")
	if err := os.WriteFile(filepath.Join(root, page), []byte(strings.Join(lines, "")), 0o644); err != nil {
		t.Error(err)
	}
}
