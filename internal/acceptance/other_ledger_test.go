package acceptance

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
)

// TestOtherLedger starts programs over the Redis of one deployment and the Postgres of another: none of them
// changes Redis, unless an operator accepts the loss.
func TestOtherLedger(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startOn(t, redis)
	p.do(t, "given", level("A", "berlin", 5))
	other := redistest.Start(t)
	theirs := startOn(t, other)
	theirs.do(t, "given", level("B", "lyon", 7))
	url, _ := ledgers.Load(other)
	servers := []string{"--redis-url=" + redis.URL(), "--postgres-url=" + url.(string)}
	client := redis.Client(t)
	stock := func() map[string]string {
		t.Helper()
		all, err := client.HGetAll(t.Context(), "{holdfast:0}:stock").Result()
		if err != nil {
			t.Fatal(err)
		}
		delete(all, "expire_until")
		return all
	}
	before := stock()
	if len(before["ledger"]) < 20 {
		t.Errorf("redis does not have the id of its ledger: %v", before)
	}
	for _, command := range [][]string{{"serve", "--http-listen=127.0.0.1:0"}, {"reconcile", "run"}, {"reconcile", "audit"}, {"reconcile", "rebuild", "--accept-older-ledger"}} {
		code, _, stderr := run(t, "", append(command, servers...)...)
		if code != 2 || !strings.Contains(stderr, "redis has the stock of another ledger, "+before["ledger"]) {
			t.Errorf("%v: exit %d: %s", command, code, stderr)
		}
	}
	if code, failed := doctor(t, servers...); code != 1 || len(failed) != 1 || !strings.Contains(failed[0].Seen, "redis has the stock of another ledger") {
		t.Errorf("doctor: exit %d: %+v", code, failed)
	}
	if after := stock(); !maps.Equal(after, before) {
		t.Errorf("redis was changed: %v, want %v", after, before)
	}
	p.do(t, "it still sells", hold("o", "A", 1))

	p.terminate()
	theirs.terminate()
	code, stdout, stderr := run(t, "", append([]string{"reconcile", "rebuild", "--accept-other-ledger"}, servers...)...)
	if code != 0 || !strings.Contains(stdout, "open at epoch 2") {
		t.Fatalf("exit %d: %s %s", code, stdout, stderr)
	}
	after := stock()
	if after["B\x1flyon"] != "7" || after["ledger"] == before["ledger"] {
		t.Errorf("redis has %v", after)
	}
	mine, _ := ledgers.Load(redis)
	code, _, stderr = run(t, "", "serve", "--http-listen=127.0.0.1:0", "--redis-url="+redis.URL(), "--postgres-url="+mine.(string))
	if code != 2 || !strings.Contains(stderr, "redis has the stock of another ledger, "+after["ledger"]) {
		t.Errorf("the ledger from before: exit %d: %s", code, stderr)
	}
}

// TestOtherLedgerWhileServing puts the stock of another ledger under a server: it says so, and changes
// nothing.
func TestOtherLedgerWhileServing(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startOn(t, redis)
	p.do(t, "given", level("A", "berlin", 5))
	client := redis.Client(t)
	if err := client.HSet(t.Context(), "{holdfast:0}:stock", "ledger", "another").Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	await(t, "the log to say so", func() bool { return strings.Contains(p.log(), "redis is left as it is") })
	got, err := client.HMGet(t.Context(), "{holdfast:0}:stock", "ledger", "epoch", "gate", "A\x1fberlin").Result()
	if want := []any{"another", "1", nil, "5"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("redis has %v, want %v; %v", got, want, err)
	}
}

// TestLedgerFromBeforeIDs starts over a Redis, and over a ledger, that an older program made: they get the id
// at the next start.
func TestLedgerFromBeforeIDs(t *testing.T) {
	t.Parallel()
	redis, url := redistest.Start(t), ledger(t)
	ledgers.Store(redis, url)
	p := startOn(t, redis)
	p.do(t, "given", level("A", "berlin", 5))
	p.terminate()
	client := redis.Client(t)
	id := func() string { return client.HGet(t.Context(), "{holdfast:0}:stock", "ledger").Val() }
	was := id()
	if n, err := client.HDel(t.Context(), "{holdfast:0}:stock", "ledger").Result(); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	p = startOn(t, redis)
	await(t, "the id to be noted", func() bool { return id() == was })
	p.do(t, "then", stocked("A", "berlin", [6]int{5, 0, 0, 0, 0, 5}))
	p.terminate()

	pgtest.Exec(t, url, "update positions set ledger_id = ''")
	p = startOn(t, redis)
	p.do(t, "then", stocked("A", "berlin", [6]int{5, 0, 0, 0, 0, 5}))
	if code, _, stderr := run(t, "", "reconcile", "rebuild", "--redis-url="+redis.URL(), "--postgres-url="+url); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if is := id(); is == was || is == "" {
		t.Errorf("the id is %q, was %q", is, was)
	}
}
