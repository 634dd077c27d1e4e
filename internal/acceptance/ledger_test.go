package acceptance

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	url := "--postgres-url=" + pgtest.Database(t)
	if code, _, stderr := run(t, "", "migrate", "--check", url); code != 2 || !strings.Contains(stderr, "run holdfast migrate") {
		t.Errorf("before: exit %d, %s", code, stderr)
	}
	if code, stdout, stderr := run(t, "", "migrate", url); code != 0 || !strings.HasPrefix(stdout, "applied 0001_ledger\n") {
		t.Errorf("exit %d, %q, %s", code, stdout, stderr)
	}
	for _, args := range [][]string{{"migrate", url}, {"migrate", "--check", url}} {
		if code, stdout, _ := run(t, "", args...); code != 0 || !strings.Contains(stdout, "the tables are as this binary needs them") {
			t.Errorf("%v: exit %d, %q", args, code, stdout)
		}
	}
}

// finding is one finding of doctor.
type finding struct{ Name, Status, Seen, Do string }

// doctor runs doctor and returns the failed checks.
func doctor(t *testing.T, args ...string) (code int, failed []finding) {
	t.Helper()
	code, failed, _ = doctorIn(t, nil, args...)
	return code, failed
}

// doctorIn is doctor with additional environment variables.
func doctorIn(t *testing.T, env []string, args ...string) (code int, failed []finding, stderr string) {
	t.Helper()
	code, stdout, stderr := runIn(t, env, "", append([]string{"doctor", "--format=json"}, args...)...)
	var report struct{ Findings []finding }
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || len(report.Findings) < 2 {
		t.Fatalf("exit %d: %v: %s %s", code, err, stdout, stderr)
	}
	for _, f := range report.Findings {
		if f.Status == "fail" {
			failed = append(failed, f)
		}
		if (f.Status == "ok") != (f.Do == "") {
			t.Errorf("%+v: what is not ok says what to do", f)
		}
	}
	return code, failed, stderr
}

// TestUnsafeSetups checks that serve refuses each set-up that would lose sales and says what to do, and that
// doctor finds it.
func TestUnsafeSetups(t *testing.T) {
	t.Parallel()
	good, primary := redistest.Start(t), redistest.Start(t)
	database := func(t *testing.T, change string) string {
		t.Helper()
		url := ledger(t)
		if change != "" {
			pgtest.Exec(t, url, change)
		}
		return url
	}
	for name, c := range map[string]struct {
		redis    *redistest.Server
		postgres func(t *testing.T) string
		prefix   string
		want     string
	}{
		"evicting Redis": {redistest.Start(t, "--maxmemory-policy", "allkeys-lru"), ledger, "", "set maxmemory-policy noeviction"},
		"a replica":      {redistest.Start(t, "--replicaof", strings.Replace(primary.Addr(), ":", " ", 1)), ledger, "", "set redis.url to the primary"},
		"no tables":      {good, func(t *testing.T) string { return pgtest.Database(t) }, "", "run holdfast migrate"},
		"newer tables": {good, func(t *testing.T) string {
			return database(t, "insert into schema_migrations (version, name, checksum) values (9999, '9999_more', 'x')")
		}, "", "run the newer holdfast"},
		"synchronous_commit off": {good, func(t *testing.T) string {
			return database(t, "do $$ begin execute 'alter database ' || current_database() || ' set synchronous_commit = off'; end $$")
		}, "", "set synchronous_commit to on"},
		"another prefix": {good, func(t *testing.T) string {
			return database(t, `insert into positions (shard, epoch, sequence, nonce, run_id, replication_id, shards, prefix, seen_at)
				values (0, 1, 1, 'n', 'r', 'h', 1, 'theirs', now())`)
		}, "ours", `set redis.prefix to "theirs"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"--redis-url=" + c.redis.URL(), "--postgres-url=" + c.postgres(t)}
			if c.prefix != "" {
				args = append(args, "--redis-prefix="+c.prefix)
			}
			for _, command := range [][]string{{"serve", "--http-listen=127.0.0.1:0"}, {"reconcile", "run"}} {
				code, _, stderr := run(t, "", append(command, args...)...)
				if code != 2 || !strings.Contains(stderr, c.want) {
					t.Errorf("%v: exit %d: %s", command, code, stderr)
				}
			}
			code, failed := doctor(t, args...)
			if code != 1 || len(failed) != 1 || !strings.Contains(failed[0].Do, c.want) {
				t.Errorf("doctor: exit %d: %+v", code, failed)
			}
		})
	}
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	redis, url := redistest.Start(t), ledger(t)
	args := []string{"--redis-url=" + redis.URL(), "--postgres-url=" + url}
	if code, failed := doctor(t, args...); code != 0 || failed != nil {
		t.Errorf("exit %d: %+v", code, failed)
	}
	code, stdout, _ := run(t, "", append([]string{"doctor"}, args...)...)
	if code != 0 || !strings.Contains(stdout, "warn") || !strings.Contains(stdout, "appendonly yes") {
		t.Errorf("exit %d:\n%s", code, stdout)
	}
	redis.Kill()
	if code, failed := doctor(t, args...); code != 1 || len(failed) != 1 || failed[0].Name != "redis" {
		t.Errorf("without Redis: exit %d: %+v", code, failed)
	}
	if code, _, stderr := run(t, "", "doctor"); code != 2 || !strings.Contains(stderr, "redis.url is empty") {
		t.Errorf("with nothing: exit %d: %s", code, stderr)
	}
}

// TestRebuildCommand rebuilds a running deployment as an operator would: everything is as before.
func TestRebuildCommand(t *testing.T) {
	t.Parallel()
	redis, url := redistest.Start(t), ledger(t)
	ledgers.Store(redis, url)
	p := startOn(t, redis)
	p.do(t, "given", level("A", "berlin", 5))
	p.do(t, "given", hold("o", "A", 1))
	code, stdout, stderr := run(t, "", "reconcile", "rebuild", "--redis-url="+redis.URL(), "--postgres-url="+url)
	if code != 0 || !strings.Contains(stdout, "redis is rebuilt and open at epoch 2") {
		t.Fatalf("exit %d: %s %s", code, stdout, stderr)
	}
	p.comesBack(t, transition("confirm", "o", "").is(200, reservation("o", "confirmed", 2, line("1", "A", 1, 1, 0, "berlin"), durable)))
	p.do(t, "then", stocked("A", "berlin", [6]int{5, 0, 1, 0, 0, 4}))
}

// TestPostgresGone kills Postgres: durable calls answer 503 at once, and reserve goes on. When Postgres is
// back, everything reaches it.
func TestPostgresGone(t *testing.T) {
	t.Parallel()
	redis, postgres := redistest.Start(t), pgtest.Start(t)
	if code, _, stderr := run(t, "", "migrate", "--postgres-url="+postgres.URL()); code != 0 {
		t.Fatal(stderr)
	}
	ledgers.Store(redis, postgres.URL())
	p := startOn(t, redis)
	p.do(t, "given", level("A", "berlin", 5))
	p.do(t, "given", hold("o", "A", 1))
	p.do(t, "given", stocked("A", "berlin", [6]int{5, 1, 0, 0, 0, 4}))
	postgres.Kill()
	confirm := transition("confirm", "o", "")
	p.do(t, "when", confirm.refused(503, "not_durable_yet", ""))
	p.do(t, "when", put("/v1/stock/A/berlin", `{"id": "c", "on_hand": 9}`).refused(503, "not_durable_yet", ""))
	p.do(t, "when", get("/v1/reservations").refused(503, "not_durable_yet", ""))
	p.do(t, "when", read("unknown").refused(503, "not_durable_yet", ""))
	p.do(t, "when", read("o").is(200, reservation("o", "confirmed", 2, line("1", "A", 1, 1, 0, "berlin"), "")))
	p.do(t, "when", hold("next", "A", 1))
	p.do(t, "when", get("/v1/stock/A"))
	p.do(t, "when", get("/readyz").is(200, `{"status": "ok", "degraded": ["<text>"]}`))
	postgres.Restart()
	p.comesBack(t, confirm.is(200, reservation("o", "confirmed", 2, line("1", "A", 1, 1, 0, "berlin"), durable)).replayed())
	p.do(t, "then", stocked("A", "berlin", [6]int{5, 1, 1, 0, 0, 3}))
	p.do(t, "then", get("/readyz").is(200, `{"status": "ok", "degraded": []}`))
}

// TestProgramStopped stops one of two programs (SIGSTOP): the other confirms within 5 s, and still confirms
// when the first one goes on.
func TestProgramStopped(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	one := startOn(t, redis)
	one.do(t, "given", level("A", "berlin", 100))
	two := startOn(t, redis)
	one.signal(syscall.SIGSTOP)
	began := time.Now()
	two.do(t, "when", hold("a", "A", 1))
	two.comesBack(t, transition("confirm", "a", ""))
	if took := time.Since(began); took > 5*time.Second+busy {
		t.Errorf("it took %v", took)
	}
	one.signal(syscall.SIGCONT)
	two.do(t, "then", hold("b", "A", 1))
	two.comesBack(t, transition("confirm", "b", ""))
	one.do(t, "then", hold("c", "A", 1))
	one.comesBack(t, transition("confirm", "c", ""))
	one.do(t, "then", stocked("A", "berlin", [6]int{100, 0, 3, 0, 0, 97}))
}
