package loadtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
)

// TestScenarios checks that the command and the README know each script, and that each script has its final
// check and its verdict. Without them a scenario would always pass.
func TestScenarios(t *testing.T) {
	listed := strings.Fields(first(t, `all="(.*)"`, "run"))
	var found []string
	for _, path := range glob(t, "*.js") {
		name := strings.TrimSuffix(path, ".js")
		found = append(found, name)
		script := read(t, path)
		for _, want := range []string{
			"export const options = optionsOf(s, {",
			"export function setup() {\n  return open(s, '" + name + "', ",
			"export function teardown(sale) {\n  finalCheck(s, sale);\n}",
			"export function handleSummary(data) {\n  return summary(s, '" + name + "', data);\n}",
			"close(",
		} {
			if want == "close(" && strings.Contains(script, "checkout(s, sale, ") {
				continue // checkout calls close
			}
			if !strings.Contains(script, want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
		if !strings.Contains(read(t, "README.md"), "| `"+name+"` |") {
			t.Errorf("README.md does not say what %s models", name)
		}
	}
	slices.Sort(found)
	slices.Sort(listed)
	if !slices.Equal(found, listed) {
		t.Errorf("scripts %v, but run lists %v", found, listed)
	}
}

// TestCountsMax checks that a sale of many SKUs opens with calls that the server accepts.
func TestCountsMax(t *testing.T) {
	if want := fmt.Sprintf("const COUNTS_MAX = %d;", cache.ChangesMax); !strings.Contains(read(t, "lib/sale.js"), want) {
		t.Errorf("lib/sale.js lacks %q", want)
	}
}

// TestThresholds checks that the thresholds that decide a verdict are there.
func TestThresholds(t *testing.T) {
	report := read(t, "lib/report.js")
	for _, want := range []string{
		"dropped_iterations: ['count==0']", "failures: ['count==0']", "faults: ['count==0']",
		"oversold_units: ['count==0']", "final_checks: ['count==1']",
		"t[`books{state:${state}}`] = ['count==0']",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("lib/report.js lacks %s", want)
		}
	}
}

// TestSettings checks that the README names each setting, and no other.
func TestSettings(t *testing.T) {
	name := regexp.MustCompile(`LOAD_[A-Z0-9_]+`)
	said := name.FindAllString(read(t, "README.md"), -1)
	known := name.FindAllString(read(t, "lib/settings.js"), -1)
	for _, n := range known {
		if !slices.Contains(said, n) {
			t.Errorf("README.md does not name %s", n)
		}
	}
	for _, n := range append(said, name.FindAllString(read(t, "run"), -1)...) {
		if !slices.Contains(known, n) {
			t.Errorf("%s is named, but lib/settings.js does not read it", n)
		}
	}
}

// TestImports checks that each imported file exists and exports the imported names.
func TestImports(t *testing.T) {
	imports := regexp.MustCompile(`import \{ (.*) \} from '(\.[^']*)';`)
	seen := 0
	for _, path := range append(glob(t, "*.js"), glob(t, "lib/*.js")...) {
		for _, match := range imports.FindAllStringSubmatch(read(t, path), -1) {
			seen++
			from := read(t, filepath.Join(filepath.Dir(path), match[2]))
			for _, name := range strings.Split(match[1], ", ") {
				name, _, _ = strings.Cut(name, " as ")
				if !regexp.MustCompile(`(?m)^export (function|const) ` + name + `\b`).MatchString(from) {
					t.Errorf("%s imports %s, which %s does not export", path, name, match[2])
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d imports were recognised", seen)
	}
}

// TestDashboard checks that the scripts measure each metric that the report draws.
func TestDashboard(t *testing.T) {
	var dashboard struct {
		Tabs []struct {
			Sections []struct {
				Panels []struct{ Series []struct{ Query string } }
			}
		}
	}
	if err := json.Unmarshal([]byte(read(t, "lib/dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	var scripts strings.Builder
	for _, path := range append(glob(t, "*.js"), glob(t, "lib/*.js")...) {
		scripts.WriteString(read(t, path))
	}
	ours := regexp.MustCompile(`^[a-z_]+`)
	builtIn := []string{"dropped_iterations", "vus", "http_reqs", "http_req_duration", "http_req_failed"}
	seen := 0
	for _, tab := range dashboard.Tabs {
		for _, section := range tab.Sections {
			for _, panel := range section.Panels {
				for _, series := range panel.Series {
					name := ours.FindString(series.Query)
					if name == "" || slices.Contains(builtIn, name) {
						continue
					}
					seen++
					if !regexp.MustCompile(`new (Counter|Gauge|Trend)\('` + name + `'`).MatchString(scripts.String()) {
						t.Errorf("the dashboard draws %s, which no script measures", name)
					}
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d series were recognised", seen)
	}
}

// TestVersion checks that only loadtest/k6 has the version of k6.
func TestVersion(t *testing.T) {
	version := first(t, `(?m)^version=(v[0-9.]+)$`, "k6")
	for _, path := range []string{"run", "with-server", "README.md", "../README.md"} {
		if strings.Contains(read(t, path), version) {
			t.Errorf("%s names k6 %s: only loadtest/k6 should", path, version)
		}
	}
}

func TestCommand(t *testing.T) {
	for _, path := range []string{"run", "with-server", "k6"} {
		if out, err := exec.Command("sh", "-n", path).CombinedOutput(); err != nil {
			t.Errorf("sh -n %s: %v\n%s", path, err, out)
		}
	}
	out, err := exec.Command("./run", "--help").Output()
	if err != nil || !strings.Contains(string(out), "Scenarios: flash_sale") {
		t.Errorf("run --help: %v\n%s", err, out)
	}
	for _, args := range [][]string{{"flash"}, {"--rates", "5"}, {"--rate"}, {"--rate="}} {
		out, err := exec.Command("./run", args...).CombinedOutput()
		var code int
		if exit, ok := err.(*exec.ExitError); ok {
			code = exit.ExitCode()
		}
		if code != 2 || !strings.Contains(string(out), "loadtest/run --help") {
			t.Errorf("run %v: exit %d, want 2 and where to look\n%s", args, code, out)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func first(t *testing.T, expression, path string) string {
	t.Helper()
	match := regexp.MustCompile(expression).FindStringSubmatch(read(t, path))
	if match == nil {
		t.Fatalf("%s has no %s", path, expression)
	}
	return match[1]
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v, %v", pattern, paths, err)
	}
	return paths
}

// TestReports runs the command with a k6 that writes the files of some scenarios: the command names
// only those.
func TestReports(t *testing.T) {
	out := t.TempDir()
	fake := filepath.Join(t.TempDir(), "k6")
	script := `#!/bin/sh
for scenario; do :; done
scenario=${scenario%.js}
case $scenario in
flash_sale) echo page >"$K6_WEB_DASHBOARD_EXPORT"; echo ok >"$LOAD_OUT/$scenario.verdict"; echo "$scenario ok" >"$LOAD_OUT/$scenario.row" ;;
retries) echo ok >"$LOAD_OUT/$scenario.verdict"; exit 1 ;;
*) exit 107 ;;
esac
`
	if err := os.WriteFile(fake, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]struct {
		end  string
		code int
	}{
		"flash_sale":         {"report: " + out + "/flash_sale.html\n", 0},
		"soak":               {"no report was written\n", 2},
		"flash_sale soak":    {"report: " + out + "/flash_sale.html\n", 2},
		"retries flash_sale": {"report: " + out + "/flash_sale.html\n", 2},
	} {
		cmd := exec.Command("./run", strings.Fields(args)...)
		cmd.Env = append(os.Environ(), "K6="+fake, "LOAD_URL=http://127.0.0.1:1", "LOAD_OUT="+out)
		text, err := cmd.Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if code := cmd.ProcessState.ExitCode(); code != want.code || !strings.HasSuffix(string(text), "\n\n"+want.end) {
			t.Errorf("%s: exit %d\n%s\nwant exit %d and %s", args, code, text, want.code, want.end)
		}
	}
}
