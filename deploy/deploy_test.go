package deploy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/testserver"
)

// TestRules runs the cases in which each alert fires and those in which it must not.
func TestRules(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "promtool", "test", "rules", "prometheus/rules_test.yaml").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: .ci/install installs promtool\n%s", err, out)
	}
	rules, cases := read(t, "prometheus/rules.yaml"), read(t, "prometheus/rules_test.yaml")
	for _, alert := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(rules, -1) {
		for _, name := range []string{alert[1] + " fires", alert[1] + " stays quiet"} {
			if !strings.Contains(cases, "name: "+name+"\n") {
				t.Errorf("there is no case %q", name)
			}
		}
	}
}

// TestPrometheus lets a real Prometheus scrape a server that has just started. Every metric that an
// alert or a panel names has values from the first scrape on, and Prometheus can evaluate each of them.
func TestPrometheus(t *testing.T) {
	server := startHoldfast(t)
	prometheus := startPrometheus(t, server)
	await(t, "Prometheus has scraped the server", func() bool {
		return len(query(t, prometheus, `up{job="holdfast"} == 1 and on(job) holdfast_ready == 1`)) == 1
	})
	await(t, "Prometheus has evaluated the alerts", func() bool { return len(rules(t, prometheus)) >= 13 })

	for name, health := range rules(t, prometheus) {
		if health != "ok" {
			t.Errorf("the alert %s is %q", name, health)
		}
	}
	exprs := panels(t)
	if len(exprs) < 30 {
		t.Fatalf("the dashboard has only %d queries", len(exprs))
	}
	for _, expr := range exprs {
		query(t, prometheus, expr)
	}
	named := regexp.MustCompile(`\b(?:holdfast|process)_[a-z_]+`)
	for _, text := range append(exprs, read(t, "prometheus/rules.yaml")) {
		for _, metric := range named.FindAllString(text, -1) {
			if len(query(t, prometheus, metric)) == 0 {
				t.Errorf("%s, of %q, is not in the first scrape", metric, text)
			}
		}
	}
}

// TestUnits checks the units of systemd and how well they confine the program.
func TestUnits(t *testing.T) {
	for _, unit := range []string{"holdfast.service", "holdfast-audit.service"} {
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold=20", "systemd/"+unit).CombinedOutput()
		if err != nil {
			t.Errorf("%s: the exposure is above 2.0: %v\n%s", unit, err, out)
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

// panels returns the queries of the dashboard, for one server and a fixed interval.
func panels(t *testing.T) []string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "grafana/holdfast.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	var exprs []string
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			exprs = append(exprs, strings.NewReplacer("$job", "holdfast", "$__rate_interval", "1m").Replace(target.Expr))
		}
	}
	return exprs
}

// startHoldfast runs the embedded server.
func startHoldfast(t *testing.T) *testserver.Server {
	t.Helper()
	return testserver.Start(t, testserver.Program{
		Name: "holdfast", Ports: 1, Users: []string{"nobody"},
		Prepare: func(dir string) error {
			build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "holdfast"), "github.com/holdfast/holdfast/cmd/holdfast")
			if out, err := build.CombinedOutput(); err != nil {
				return fmt.Errorf("%w\n%s", err, out)
			}
			return nil
		},
		Command: func(s *testserver.Server) (*exec.Cmd, error) {
			return exec.Command(filepath.Join(s.Dir, "holdfast"), "serve", "--http-listen", s.Addr()), nil
		},
		Ready: func(ctx context.Context, s *testserver.Server, _ int) error {
			return get(ctx, "http://"+s.Addr()+"/readyz", nil)
		},
	})
}

// startPrometheus runs a Prometheus with the configuration and the alerts of this folder.
func startPrometheus(t *testing.T, target *testserver.Server) *testserver.Server {
	t.Helper()
	rules, err := filepath.Abs("prometheus/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	changes := strings.NewReplacer("rules.yaml]", rules+"]", "localhost:8080", target.Addr(), "interval: 5s", "interval: 1s", "interval: 15s", "interval: 1s")
	config := changes.Replace(read(t, "prometheus/prometheus.yaml"))
	return testserver.Start(t, testserver.Program{
		Name: "prometheus", Ports: 1, Users: []string{"prometheus", "nobody"},
		Prepare: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "prometheus.yaml"), []byte(config), 0o644)
		},
		Command: func(s *testserver.Server) (*exec.Cmd, error) {
			return exec.Command("prometheus", "--config.file="+filepath.Join(s.Dir, "prometheus.yaml"),
				"--storage.tsdb.path="+filepath.Join(s.Dir, "data"), "--web.listen-address="+s.Addr()), nil
		},
		Ready: func(ctx context.Context, s *testserver.Server, _ int) error {
			return get(ctx, "http://"+s.Addr()+"/-/ready", nil)
		},
	})
}

// rules returns the health of each alert that Prometheus has evaluated.
func rules(t *testing.T, s *testserver.Server) map[string]string {
	t.Helper()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health string }
			}
		}
	}
	if err := get(t.Context(), "http://"+s.Addr()+"/api/v1/rules", &answer); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			if r.Health != "unknown" {
				out[r.Name] = r.Health
			}
		}
	}
	return out
}

// query returns the series that an expression has now.
func query(t *testing.T, s *testserver.Server, expr string) []json.RawMessage {
	t.Helper()
	if metric := regexp.MustCompile(`^\w+$`); metric.MatchString(expr) {
		expr = fmt.Sprintf(`{__name__=~"%s(_bucket)?"}`, expr)
	}
	var answer struct {
		Data struct{ Result []json.RawMessage }
	}
	if err := get(t.Context(), "http://"+s.Addr()+"/api/v1/query?query="+url.QueryEscape(expr), &answer); err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return answer.Data.Result
}

// get reads the JSON at an address into out. If out is nil, it only checks that the answer is 200.
func get(ctx context.Context, address string, out any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", answer.Status, body)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(body, out)
}

// await polls until done, which says what is awaited.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if done() {
			return
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
	t.Fatalf("after a minute this was still not so: %s", what)
}
