package acceptance

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
)

// audited is the output of `reconcile audit --format json`.
type audited struct {
	ID, State       string
	Drift, Repaired int
	Levels          int64
	Findings        []struct {
		ID, Kind, State, SKU, Location, Means, Do string
		Redis, Ledger                             struct{ Available int64 }
	}
}

func audit(t *testing.T, args ...string) (code int, a audited) {
	t.Helper()
	code, stdout, stderr := run(t, "", append([]string{"reconcile", "audit", "--format=json"}, args...)...)
	if err := json.Unmarshal([]byte(stdout), &a); err != nil {
		t.Fatalf("exit %d: %v: %s %s", code, err, stdout, stderr)
	}
	return code, a
}

// TestAuditCommand breaks a counter as redis-cli would. The audit names exactly this difference, repairs it,
// and then finds none; next to a running server, and without one.
func TestAuditCommand(t *testing.T) {
	t.Parallel()
	redis, url := redistest.Start(t), ledger(t)
	ledgers.Store(redis, url)
	p := startOn(t, redis)
	p.do(t, "given", level("TEE-M", "berlin", 10))
	p.do(t, "given", hold("o", "TEE-M", 1))
	client := redis.Client(t)
	args := []string{"--redis-url=" + redis.URL(), "--postgres-url=" + url}
	clean := func() {
		t.Helper()
		if code, a := audit(t, args...); code != 0 || a.State != "done" || a.Drift != 0 || a.Levels != 1 || len(a.Findings) != 0 {
			t.Fatalf("exit %d: %+v", code, a)
		}
	}
	breakIt := func() {
		t.Helper()
		if err := client.HIncrBy(t.Context(), "{holdfast:0}:stock", "TEE-M\x1fberlin", 5).Err(); err != nil {
			t.Fatal(err)
		}
	}
	clean()
	breakIt()
	code, a := audit(t, args...)
	if code != 1 || a.Drift != 1 || a.Findings[0].Kind != "counter_drift" || a.Findings[0].SKU != "TEE-M" || a.Findings[0].Redis.Available != 14 ||
		a.Findings[0].Ledger.Available != 9 || a.Findings[0].Do == "" {
		t.Fatalf("exit %d: %+v", code, a)
	}
	overHTTP := p.do(t, "the same over http", get("/v1/audits/"+a.ID).is(200, "")).body
	if want := `"redis":{"available":14,"on_hand":10,"committed":0,"safety_stock":0,"backorder_limit":0},"ledger":{"available":9,`; !strings.Contains(string(overHTTP), want) {
		t.Errorf("%s lacks %s", overHTTP, want)
	}
	code, stdout, stderr := run(t, "", append([]string{"reconcile", "audit"}, args...)...)
	for _, want := range []string{a.Findings[0].ID, "counter_drift", "TEE-M at berlin", "available 14", "available 9", "run it again with --repair", "1 differ, 0 repaired"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing in:\n%s%s", want, stdout, stderr)
		}
	}
	if code != 1 || !strings.Contains(stderr, "there is drift") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	code, stdout, stderr = run(t, "", append([]string{"reconcile", "audit", "--repair", "--max-change=4"}, args...)...)
	if code != 1 || !strings.Contains(stderr, "--max-change 5") || strings.Contains(stdout, "again with --repair") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	if code, a := audit(t, append(args, "--repair", "--max-change=200,1")...); code != 0 || a.Repaired != 1 { // as in docs/nightly-audit.md
		t.Errorf("exit %d: %+v", code, a)
	}
	p.do(t, "repaired", stocked("TEE-M", "berlin", [6]int{10, 1, 0, 0, 0, 9}))
	clean()
	p.signal(syscall.SIGTERM)
	<-p.process.Exited
	clean() // no reconciler runs: the audit applies the stream itself
	breakIt()
	if code, a := audit(t, append(args, "--repair")...); code != 0 || a.Repaired != 1 {
		t.Errorf("exit %d: %+v", code, a)
	}
	for _, wrong := range [][]string{{"--max-change=0"}, {"--max-change=5,101"}, {"--max-change=x"}, {"--format=xml"}, {"--sku="}, {"--location=x{y"}, {"more"}} {
		if code, _, _ := run(t, "", append(append([]string{"reconcile", "audit"}, wrong...), args...)...); code != 2 {
			t.Errorf("%v: exit %d", wrong, code)
		}
	}
}

// TestAuditOverHTTP starts an audit and reads its result, on each engine.
func TestAuditOverHTTP(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		p.do(t, "given", level("AUDITED", "berlin", 10))
		started := decoded(t, p.do(t, "start", post("/v1/audits", `{"repair": false, "actor": "anna"}`).is(202, "")).body)
		path := "/v1/audits/" + started["id"].(string)
		var answer map[string]any
		for since := time.Now(); answer["state"] != "done"; {
			answer = decoded(t, p.do(t, "read", get(path)).body)
			if answer["state"] == "failed" || time.Since(since) > patience {
				t.Fatalf("%v", answer)
			}
		}
		if answer["drift"] != 0.0 || answer["levels"] != 1.0 || answer["actor"] != "anna" {
			t.Errorf("%v", answer)
		}
		p.do(t, "none such", get("/v1/audits/none").refused(404, "not_found", ""))
		if got := p.send(t, get("/metrics")); !strings.Contains(string(got.body), "holdfast_audit_drift_findings 0") {
			t.Errorf("%s", brief(got.body))
		}
	})
}

// TestAuditDenied checks that an audit with a wrong password does not wait for Redis, and says what to correct.
func TestAuditDenied(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	if err := redis.Client(t).ConfigSet(t.Context(), "requirepass", "right").Err(); err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(redis.URL(), "redis://")
	for _, c := range []struct{ url, want string }{
		{"redis://default:wrong@" + address, "refuses the user or the password: WRONGPASS"},
		{"redis://" + address, "requires a password: NOAUTH"},
	} {
		code, _, stderr := run(t, "", "reconcile", "audit", "--redis-url="+c.url, "--postgres-url="+ledger(t))
		if code != 2 || !strings.Contains(stderr, c.want) || !strings.Contains(stderr, "redis.url") || strings.Contains(stderr, "wrong@") {
			t.Errorf("%s: exit %d: %s", c.want, code, stderr)
		}
	}
}

// TestAuditOfAnotherLedger refuses to audit over the ledger of another deployment. The reconciler of an
// audit would rebuild Redis from it.
func TestAuditOfAnotherLedger(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startOn(t, redis)
	p.do(t, "given", level("A", "berlin", 5))
	other := redistest.Start(t)
	theirs := startOn(t, other)
	theirs.do(t, "given", level("B", "lyon", 5))
	known, _ := ledgers.Load(other)
	for _, url := range []string{known.(string), ledger(t)} {
		for _, command := range []string{"audit", "plan"} {
			code, _, stderr := run(t, "", "reconcile", command, "--redis-url="+redis.URL(), "--postgres-url="+url)
			if code != 2 || !strings.Contains(stderr, "do not belong together") {
				t.Errorf("%s: exit %d: %s", command, code, stderr)
			}
		}
	}
	p.do(t, "it still sells", hold("o", "A", 1))
}
