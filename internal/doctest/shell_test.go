package doctest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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
const patience = 5 * time.Minute

// The addresses in the pages that the test replaces by those of its own servers. localhost:8080 stays:
// the preamble tells curl where to connect.
const (
	redisInPages    = "127.0.0.1:6379"
	postgresInPages = "127.0.0.1:5432"
)

// inRepository is the option of a sh block that runs in the folder of the module.
const inRepository = "in-repository"

// preamble begins each script. It ends the processes of the page at its end, silences curl's progress, and
// lets a server take any free port, which await_server reads from the log.
const preamble = `
trap 'kill $(jobs -p) 2>/dev/null || :; wait' EXIT
exec 2>&1
server=localhost:8080
curl() { command curl -s --connect-to "localhost:8080:$server" "$@"; }
export HOLDFAST_HTTP_LISTEN=127.0.0.1:0
serving=
stop_server() {
	[ -z "$serving" ] || { kill $serving && wait $serving; }
}
await_server() {
	serving=$!
	while ! grep -q '"address"' "$log"; do
		kill -0 $serving || return
		sleep 0.05
	done
	server=$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$log")
	export HOLDFAST_SERVER=http://$server
}
`

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

// goSettings are variables for the go command: the test and the pages that install share one folder and
// one build.
func goSettings() []string { return []string{"GOBIN=" + bin, "GOFLAGS=-buildvcs=false"} }

// TestShell runs the sh blocks of each page in an empty folder, with holdfast in PATH.
func TestShell(t *testing.T) {
	if testing.Short() {
		t.Skip("runs every page, several with servers and load")
	}
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

// readSources reads every folder of the module. go test may take a result from its cache unless a file
// that the test has read changes. It does not know which files TestMain has built.
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
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "serve.log")
	text := "log='" + log + "'" + preamble
	for _, b := range script {
		lines := inBackground(b.text)
		if b.options == inRepository {
			lines = "pushd '" + repository + "' >/dev/null\n" + lines + "popd >/dev/null\n"
		}
		text += lines + "printf '\\036\\n'\n"
	}
	ours, theirs, environment := services(t, text)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-eu", "-c", ours.Replace(text))
	shell.Dir, shell.Env = t.TempDir(), environment
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }
	var output bytes.Buffer
	shell.Stdout, shell.Stderr = &output, &output
	err = shell.Run()
	outputs := strings.Split(theirs.Replace(output.String()), mark)
	if last := len(outputs) - 1; err != nil || last != len(script) {
		logged, _ := os.ReadFile(log)
		at := script[min(last, len(script)-1)]
		t.Fatalf("%s:%d: %v\n%s\noutput:\n%s\nlog of the server:\n%s", page, at.line, err, at.text, outputs[last], logged)
	}
	return outputs[:len(script)]
}

// services starts the servers that a script needs. ours replaces the addresses of the pages by theirs, and
// theirs replaces them back in the output.
func services(t *testing.T, script string) (ours, theirs *strings.Replacer, environment []string) {
	t.Helper()
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "HOLDFAST_") {
			environment = append(environment, pair)
		}
	}
	environment = append(environment, "PATH="+bin+":"+os.Getenv("PATH"), "USER=ada")
	environment = append(environment, goSettings()...)
	there, back := freePorts(t, script)
	if strings.Contains(script, redisInPages) {
		redis := redistest.Start(t, "--appendonly", "yes")
		there, back = append(there, redisInPages, redis.Addr()), append(back, redis.Addr(), redisInPages)
	}
	if strings.Contains(script, postgresInPages) {
		postgres := pgtest.Start(t)
		at, err := url.Parse(postgres.URL())
		if err != nil {
			t.Fatal(err)
		}
		there, back = append(there, postgresInPages, postgres.Addr()), append(back, postgres.Addr(), postgresInPages)
		environment = append(environment, "PGHOST="+at.Hostname(), "PGPORT="+at.Port(), "PGUSER="+at.User.Username())
	}
	return strings.NewReplacer(there...), strings.NewReplacer(back...), environment
}

// server is a line that starts a server, with or without variables.
var server = regexp.MustCompile(`(?m)^(?:[A-Z_]+=\S+ )*holdfast serve\b.*$`)

// inBackground starts servers in the background, as a reader does in another terminal. It stops the server
// before.
func inBackground(script string) string {
	return server.ReplaceAllString(script, `stop_server; : >"$$log"; $0 >>"$$log" 2>&1 &`+"\nawait_server")
}

// portInPages matches the ports of the servers that a page starts itself.
var portInPages = regexp.MustCompile(`\b7[012]0[1-6]\b`)

// busAbove is how far the second port of a node of a cluster is above the first one.
const busAbove = 10000

// freePorts returns a replacement for each port that the script starts servers on.
func freePorts(t *testing.T, script string) (there, back []string) {
	t.Helper()
	for _, port := range portInPages.FindAllString(script, -1) {
		if slices.Contains(there, port) {
			continue
		}
		free, err := testserver.FreePair(busAbove)
		for err == nil && slices.Contains(back, free) {
			free, err = testserver.FreePair(busAbove)
		}
		if err != nil {
			t.Fatal(err)
		}
		there, back = append(there, port, free), append(back, free, port)
	}
	return there, back
}

// check compares the output of each sh block with the block after it. It begins at the end of the page: an
// update of a block then does not move those that follow in the loop.
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

// rewrite replaces the text of a block by output.
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
