package acceptance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/holdfast/holdfast/internal/redistest"
)

// plan is the file that `reconcile plan` writes.
type plan struct {
	Version       int
	Audit, Prefix string
	Units         int
	Repairs, Left []struct{ ID, Kind, SKU, Would, Why string }
}

// applied is the output of `reconcile apply --format json`.
type applied struct {
	ID, State, Plan, Actor string
	Repaired, Gone, Left   int
	Repairs                []struct{ ID, Outcome, Reason string }
}

// TestPlanCommand breaks counters as redis-cli would, plans the repairs, reads the plan and applies it; next to
// a running server, and without one.
func TestPlanCommand(t *testing.T) {
	t.Parallel()
	redis, url := redistest.Start(t), ledger(t)
	ledgers.Store(redis, url)
	p := startOn(t, redis)
	p.do(t, "given", level("TEE-M", "berlin", 10))
	p.do(t, "given", level("MUG", "berlin", 10))
	client := redis.Client(t)
	file := filepath.Join(t.TempDir(), "plan.json")
	command := func(code int, stdin string, args ...string) (stdout, stderr string) {
		t.Helper()
		args = append([]string{"reconcile"}, append(args, "--redis-url="+redis.URL(), "--postgres-url="+url)...)
		got, stdout, stderr := run(t, stdin, args...)
		if got != code {
			t.Fatalf("%v: exit %d, want %d\n%s%s", args, got, code, stdout, stderr)
		}
		return stdout, stderr
	}
	breakIt := func(sku string, units int64) {
		t.Helper()
		if err := client.HIncrBy(t.Context(), "{holdfast:0}:stock", sku+"\x1fberlin", units).Err(); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(text string, words ...string) {
		t.Helper()
		for _, word := range words {
			if !strings.Contains(text, word) {
				t.Errorf("%q is missing in:\n%s", word, text)
			}
		}
	}

	stdout, _ := command(0, "", "plan", "--output", file)
	expect(stdout, "2 levels", "0 would be repaired, 0 units at most, 0 left")
	breakIt("TEE-M", 5)
	breakIt("MUG", -2)
	stdout, stderr := command(1, "", "plan", "--output", file)
	expect(stdout, "TEE-M at berlin", "add -5 to available in Redis", "add +2 to available in Redis", "2 would be repaired, 7 units at most", "holdfast reconcile apply "+file)
	expect(stderr, "there is drift")
	p.do(t, "nothing is repaired yet", stocked("TEE-M", "berlin", [6]int{10, 0, 0, 0, 0, 15}))

	text, err := os.ReadFile(file)
	var made plan
	if err != nil || json.Unmarshal(text, &made) != nil || made.Version != 1 || made.Prefix != "holdfast" || len(made.Repairs) != 2 {
		t.Fatalf("%v: %s", err, text)
	}
	_, stderr = command(1, "", "apply", file, "--max-change=6")
	expect(stderr, "--max-change 7")
	tampered := strings.Replace(string(text), "add -5", "add -4", 1)
	_, stderr = command(1, tampered, "apply", "-")
	expect(stderr, "this plan can't be applied", "it may be deleted, not changed")
	_, stderr = command(1, strings.Replace(string(text), made.Audit, "audit-of-another", 1), "apply", "-")
	expect(stderr, "belongs to another deployment", `"audit-of-another"`)
	command(1, "no plan", "apply", "-")
	command(2, "", "apply", filepath.Join(t.TempDir(), "none.json"))
	command(2, "", "apply")
	command(2, "", "plan", "--output", filepath.Join(t.TempDir(), "none", "plan.json"))
	command(2, "", "plan", "--output", "/dev/stdout")
	command(2, "", "plan", "more")

	breakIt("MUG", 1) // changed since the plan
	stdout, stderr = command(1, "", "apply", file)
	expect(stdout, "it has changed since the plan; plan again", "2 planned; 1 repaired, 0 not needed any more, 1 left")
	expect(stderr, "not all of the plan was repaired")
	p.do(t, "repaired", stocked("TEE-M", "berlin", [6]int{10, 0, 0, 0, 0, 10}))
	p.do(t, "left", stocked("MUG", "berlin", [6]int{10, 0, 0, 0, 0, 9}))

	p.signal(syscall.SIGTERM)
	<-p.process.Exited
	stdout, _ = command(1, "", "plan", "--sku=MUG", "--output=-", "--actor=anna") // no reconciler runs: plan applies the stream itself
	document, _ := command(0, stdout, "apply", "-", "--format=json", "--actor=berta")
	var done applied
	if err := json.Unmarshal([]byte(document), &done); err != nil || done.State != "done" || done.Actor != "berta" || done.Repaired != 1 ||
		done.Gone != 0 || done.Left != 0 || len(done.Repairs) != 1 || done.Repairs[0].Outcome != "repaired" || !strings.HasPrefix(done.ID, done.Plan) {
		t.Errorf("%v: %s", err, document)
	}
	document, _ = command(0, stdout, "apply", "-")
	expect(document, "1 planned; 0 repaired, 1 not needed any more, 0 left")
	command(0, "", "audit")
}
