package acceptance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
)

// ordered reserves units of one SKU for an order of a customer, as line 1.
func ordered(id, sku string, units int) step {
	return reserve(fmt.Sprintf(
		`{"id": %q, "order": "order-%[1]s", "customer": "c-%[1]s", "ttl_seconds": 3600, "lines": [{"line": "1", "sku": %q, "quantity": %d}]}`,
		id, sku, units))
}

// sold reserves and confirms.
func (p *program) sold(t *testing.T, id, sku string, units int) {
	t.Helper()
	p.do(t, "given", ordered(id, sku, units))
	p.do(t, "given", transition("confirm", id, ""))
}

// state reads the state, the version and the fulfilled units of a reservation.
func (p *program) state(t *testing.T, id string) string {
	t.Helper()
	got := p.send(t, read(id))
	if got.status == 404 {
		return "none"
	}
	var r struct {
		State, Order, Customer string
		Lines                  []struct {
			Quantity, Fulfilled int
			From                []struct{ Location string }
		}
	}
	if err := json.Unmarshal(got.body, &r); err != nil || got.status != 200 || r.Order != "order-"+id || r.Customer != "c-"+id {
		t.Fatalf("%s: %d %v: %s", id, got.status, err, got.body)
	}
	return fmt.Sprintf("%s %d/%d", r.State, r.Lines[0].Fulfilled, r.Lines[0].Quantity)
}

// givenUpCase is a deployment whose Postgres is a copy that is older than Redis.
type givenUpCase struct {
	t       *testing.T
	program *program // over the copy
	redis   *redistest.Server
	servers []string          // flags
	states  map[string]string // of reservations, as their callers know them
}

// terminate ends the program as an operator does.
func (p *program) terminate() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	p.end()
}

// restore sells, copies Postgres, goes on selling, and goes on with the copy.
func restore(t *testing.T) *givenUpCase {
	t.Helper()
	states := map[string]string{}
	r := goOn(t, func(p *program) {
		p.do(t, "given", level("A", "berlin", 50))
		p.do(t, "given", level("B", "berlin", 2))
		p.do(t, "given", ordered("later", "A", 1))
		p.sold(t, "early", "A", 2)
		p.sold(t, "cancelled", "A", 3)
	}, func(p *program) {
		p.sold(t, "sold", "A", 4)
		p.do(t, "given", transition("confirm", "later", ""))
		p.do(t, "given", transition("release", "cancelled", ""))
		p.do(t, "given", transition("fulfill", "early", ""))
		p.sold(t, "part", "A", 3)
		p.do(t, "given", transition("fulfill", "part", `{"version": 2, "lines": [{"line": "1", "quantity": 1}]}`))
		p.do(t, "given", ordered("held", "A", 1))
		p.do(t, "given", ordered("dropped", "A", 1))
		p.do(t, "given", transition("release", "dropped", ""))
		p.sold(t, "last", "B", 2)
		for _, id := range []string{"early", "later", "cancelled", "sold", "part", "held"} {
			states[id] = p.state(t, id)
		}
	})
	r.states = states
	return r
}

// goOn makes calls, copies Postgres, makes more calls, and goes on with the copy.
func goOn(t *testing.T, before, after func(*program)) *givenUpCase {
	t.Helper()
	r := &givenUpCase{t: t, redis: redistest.Start(t)}
	url := ledger(t)
	ledgers.Store(r.redis, url)
	p := startOn(t, r.redis)
	before(p)
	p.terminate()
	older := pgtest.CopyDatabase(t, url)

	p = startOn(t, r.redis)
	after(p)
	client := r.redis.Client(t)
	await(t, "the stream to be trimmed", func() bool { return client.XLen(t.Context(), "{holdfast:0}:events").Val() == 1 })
	p.terminate()

	r.servers = []string{"--redis-url=" + r.redis.URL(), "--postgres-url=" + older}
	r.program = startAs(t, onRedis, r.servers...)
	await(t, "the gate to be stopped", func() bool { return client.HGet(t.Context(), "{holdfast:0}:stock", "gate").Val() == "stopped" })
	return r
}

// reconcile runs a command, which must exit with code.
func (r *givenUpCase) reconcile(code int, stdin string, args ...string) (stdout, stderr string) {
	r.t.Helper()
	got, stdout, stderr := run(r.t, stdin, append(append([]string{"reconcile"}, args...), r.servers...)...)
	if got != code {
		r.t.Fatalf("%v: exit %d, want %d\n%s%s", args, got, code, stdout, stderr)
	}
	return stdout, stderr
}

// recovered checks that everything is as the callers know it.
func (r *givenUpCase) recovered(phase string) {
	r.t.Helper()
	for id, want := range r.states {
		if got := r.program.state(r.t, id); got != want {
			r.t.Errorf("%s: %s is %s, want %s", phase, id, got, want)
		}
	}
	r.program.do(r.t, phase, stocked("A", "berlin", [6]int{47, 1, 7, 0, 0, 39}))
}

// has checks that a text has words.
func has(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is missing in:\n%s", word, text)
		}
	}
}

// TestRecoverCommand goes on with a copy of Postgres that is older than Redis, as an operator would: what
// the copy lacks is written to a file, given up, and taken up again.
func TestRecoverCommand(t *testing.T) {
	t.Parallel()
	r := restore(t)
	p := r.program
	file := filepath.Join(t.TempDir(), "given-up.jsonl")
	stdout, stderr := r.reconcile(0, "", "rebuild", "--accept-older-ledger", "--file", file)
	has(t, stderr, file+" has the 8 reservations that the ledger lacks")
	has(t, stdout, "sales: 5 (units: 12), holds: 1 (units: 1), released or expired: 2", "holdfast reconcile recover "+file, "open at epoch 2")
	if text := mustRead(t, file); strings.Count(text, "\n") != 8 || !strings.Contains(text, `"order":"order-sold"`) {
		t.Error(text)
	}
	p.do(t, "the copy", stocked("A", "berlin", [6]int{50, 1, 5, 0, 0, 44}))
	p.do(t, "a rival", hold("rival", "B", 1))
	has(t, strings.Join([]string{p.state(t, "early"), p.state(t, "sold"), p.state(t, "cancelled"), p.state(t, "later")}, ", "),
		"confirmed 0/2, none, confirmed 0/3, held 0/1")
	stdout, _ = r.reconcile(1, "", "recover", "--dry-run", file)
	has(t, stdout, "last", "order-last", "its units are gone: line 1 needs 2 B from berlin, and 1 are there",
		"would be taken up again: 6 (units: 14), nothing to do: 1, left: 1")
	p.do(t, "a dry run", stocked("A", "berlin", [6]int{50, 1, 5, 0, 0, 44}))

	stdout, stderr = r.reconcile(1, "", "recover", file)
	has(t, stdout, "order-last", ": taken up again: 6 (units: 14), nothing to do: 1, left: 1")
	has(t, stderr, "not all reservations were taken up again")
	r.recovered("recovered")
	p.do(t, "its caller repeats", post("/v1/reservations", ordered("held", "A", 1).body))

	document, _ := r.reconcile(1, mustRead(t, file), "recover", "-", "--format=json")
	var again struct {
		Taken, Over, Left int
		Reservations      []struct{ ID, Outcome, Reason string }
	}
	if err := json.Unmarshal([]byte(document), &again); err != nil || again.Taken != 0 || again.Over != 7 || again.Left != 1 ||
		len(again.Reservations) != 1 || again.Reservations[0].ID != "last" || again.Reservations[0].Outcome != "left" {
		t.Errorf("again: %v: %s", err, document)
	}
	r.recovered("again")

	p.do(t, "elsewhere", level("B", "lyon", 5))
	stdout, _ = r.reconcile(0, "", "recover", "--anywhere", file)
	has(t, stdout, ": taken up again: 1 (units: 2), nothing to do: 7, left: 0")
	if got := p.state(t, "last"); got != "confirmed 0/2" {
		t.Errorf("last is %s", got)
	}
	r.reconcile(0, "", "audit")
}

// holds reads the state, the customer and the lines of a reservation.
func (p *program) holds(t *testing.T, id string) string {
	t.Helper()
	var r struct {
		State, Customer string
		Lines           []struct {
			Line                string
			Quantity, Fulfilled int
			From                []struct{ Location string }
		}
	}
	got := p.send(t, read(id))
	if err := json.Unmarshal(got.body, &r); err != nil || got.status != 200 {
		t.Fatalf("%s: %d %v: %s", id, got.status, err, got.body)
	}
	text := r.State + " of " + r.Customer
	for _, l := range r.Lines {
		text += fmt.Sprintf(", %s: %d/%d from %s", l.Line, l.Fulfilled, l.Quantity, l.From[0].Location)
	}
	return text
}

// TestRecover_LaterSteps recovers reservations that were amended, unfulfilled, described and backordered
// since the copy, and those that only identities limit.
func TestRecover_LaterSteps(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"grown": "confirmed of c-grown, 1: 0/4 from berlin, 2: 0/1 from berlin", "swapped": "fulfilled of c-swapped, 2: 1/1 from berlin",
		"back": "confirmed of c-back, 1: 2/3 from berlin", "named": "held of c-9, 1: 0/1 from berlin", "waits": "confirmed of , 1: 0/4 from berlin",
		"guest": "confirmed of , 1: 0/2 from lyon", "lent": "fulfilled of ann, 1: 2/2 from lyon",
	}
	r := goOn(t, func(p *program) {
		p.do(t, "given", put("/v1/directory", `{"locations": [{"id": "berlin"}, {"id": "lyon"}],
			"channels": [{"id": "web", "default": true, "locations": ["berlin", "lyon"]}],
			"campaigns": [{"id": "drop", "skus": ["L"], "per_customer": 2, "frees_on_return": true}]}`).is(200, ""))
		for _, s := range []step{level("A", "berlin", 50), level("B", "berlin", 2), level("L", "berlin", 2), level("L", "lyon", 7)} {
			p.do(t, "given", s)
		}
		p.sold(t, "grown", "A", 2)
		p.sold(t, "swapped", "A", 2)
		p.sold(t, "back", "A", 3)
		p.do(t, "given", transition("fulfill", "back", ""))
		p.do(t, "given", ordered("named", "A", 1))
	}, func(p *program) {
		p.do(t, "given", transition("amend", "grown", `{"version": 2, "lines": [{"line": "1", "quantity": 4}, {"line": "2", "sku": "A", "quantity": 1}]}`))
		p.do(t, "given", transition("amend", "swapped", `{"version": 2, "lines": [{"line": "1", "quantity": 0}, {"line": "2", "sku": "A", "quantity": 1}]}`))
		p.do(t, "given", transition("fulfill", "swapped", ""))
		p.do(t, "given", transition("unfulfill", "back", `{"id": "un", "lines": [{"line": "1", "quantity": 1}]}`))
		p.do(t, "given", step{method: "PATCH", path: "/v1/reservations/named", body: `{"customer": "c-9"}`, status: 200})
		p.do(t, "given", reserve(`{"id": "waits", "lines": [{"line": "1", "sku": "B", "quantity": 4, "backorder": true}]}`))
		p.do(t, "given", reserve(`{"id": "guest", "identities": ["card"], "lines": [{"line": "1", "sku": "L", "quantity": 2, "location": "berlin"}]}`))
		p.do(t, "given", reserve(`{"id": "lent", "customer": "ann", "lines": [{"line": "1", "sku": "L", "quantity": 2, "location": "lyon"}]}`))
		for _, id := range []string{"waits", "guest", "lent"} {
			p.do(t, "given", transition("confirm", id, ""))
		}
		p.do(t, "given", transition("fulfill", "lent", ""))
		p.do(t, "given", transition("return", "lent", `{"id": "ret", "lines": [{"line": "1", "quantity": 1}], "to": "lyon"}`))
	})
	p, file := r.program, filepath.Join(t.TempDir(), "given-up.jsonl")
	r.reconcile(0, "", "rebuild", "--accept-older-ledger", "--file", file)
	p.do(t, "a rival", reserve(`{"id": "rival", "customer": "eve", "lines": [{"line": "1", "sku": "L", "quantity": 1, "location": "berlin"}]}`))
	stdout, _ := r.reconcile(1, "", "recover", file)
	has(t, stdout, "its units are gone: line 1 needs 2 L from berlin, and 1 are there", "1 of line 1 had come back", "taken up again: 6", "left: 1")
	stdout, _ = r.reconcile(0, "", "recover", "--anywhere", file)
	has(t, stdout, "taken up again: 1 (units: 2), nothing to do: 6, left: 0")
	for id, want := range want {
		if got := p.holds(t, id); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
	p.do(t, "the card has two", reserve(`{"id": "o", "identities": ["card"], "lines": [{"line": "1", "sku": "L", "quantity": 1}]}`).refused(409, "purchase_limit", `"campaign": "drop", "limit": 2, "taken": 2, "identity": "card"`))
	if code, a := audit(t, r.servers...); code != 0 || a.State != "done" || a.Drift != 0 {
		t.Errorf("audit: exit %d: %+v", code, a)
	}
}

// TestGiveUpRefused checks that nothing is dropped unless the file is written, or the operator wants none.
func TestGiveUpRefused(t *testing.T) {
	t.Parallel()
	r := restore(t)
	file := filepath.Join(t.TempDir(), "given-up.jsonl")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"not accepted": {[]string{"rebuild"}, "add --accept-older-ledger"},
		"no folder":    {[]string{"rebuild", "--accept-older-ledger", "--file", filepath.Join(file, "f")}, "nothing was dropped"},
		"it exists":    {[]string{"rebuild", "--accept-older-ledger", "--file", "/dev/full"}, "nothing was dropped"},
		"two flags":    {[]string{"rebuild", "--accept-older-ledger", "--file", file, "--without-file"}, "exclude each other"},
		"too early":    {[]string{"recover", "/dev/null"}, "holdfast doctor"},
		"not a file":   {[]string{"recover", "-"}, "stdin:1: this is not a line of a file"},
	} {
		_, stderr := r.reconcile(2, "{}\n", c.args...)
		if !strings.Contains(stderr, c.want) {
			t.Errorf("%s: %s", name, stderr)
		}
	}
	if n := r.redis.Client(t).HLen(t.Context(), "{holdfast:0}:reservations").Val(); n < 9 {
		t.Fatalf("%d reservations are left in Redis", n)
	}
	stdout, _ := r.reconcile(0, "", "rebuild", "--accept-older-ledger", "--without-file", "--format=json")
	has(t, stdout, `"sales": 5`)
	if strings.Contains(stdout, `"file"`) {
		t.Errorf("there is a file: %s", stdout)
	}
	r.program.do(t, "the copy", stocked("A", "berlin", [6]int{50, 1, 5, 0, 0, 44}))
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
