package acceptance

import (
	"strings"
	"testing"

	"github.com/holdfast/holdfast/internal/redistest"
)

// redisRefuses are settings by which a Redis answers but takes no holds, the word that names the cause, and
// the setting that ends it.
var redisRefuses = []struct {
	name, word string
	set, back  []any
}{
	{"memory is full", "OOM", []any{"config", "set", "maxmemory", "1mb"}, []any{"config", "set", "maxmemory", "0"}},
	{"a replica is missing", "NOREPLICAS", []any{"config", "set", "min-replicas-to-write", "1"}, []any{"config", "set", "min-replicas-to-write", "0"}},
	{"scripts are not allowed", "NOPERM", []any{"acl", "setuser", "default", "-@scripting"}, []any{"acl", "setuser", "default", "+@all"}},
	{"keys are not allowed", "NOPERM", []any{"acl", "setuser", "default", "resetkeys", "~other:*"}, []any{"acl", "setuser", "default", "~*"}},
	{"writes are not allowed", "NOPERM", []any{"acl", "setuser", "default", "-@write"}, []any{"acl", "setuser", "default", "+@all"}},
	{"one command is not allowed", "hset", []any{"acl", "setuser", "default", "-hset"}, []any{"acl", "setuser", "default", "+@all"}},
}

// A Redis that answers but takes no holds: /readyz, doctor and one log line name the cause, callers are told
// that nothing was changed, and everything goes on by itself when it is over.
func TestRedisRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range redisRefuses[:4] {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t)
			p := startOn(t, redis)
			p.do(t, "given", level("A", "berlin", 5))
			admin := redis.Client(t)
			if err := admin.Do(t.Context(), c.set...).Err(); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if got := p.send(t, hold("o", "A", 1)); got.status != 503 || !strings.Contains(string(got.body), "nothing was changed") {
					t.Errorf("a hold: %d %s", got.status, got.body)
				}
			}
			if got := p.send(t, get("/readyz")); got.status != 503 || !strings.Contains(string(got.body), c.word) {
				t.Errorf("/readyz: %d %s", got.status, got.body)
			}
			p.diagnosed(t, redis, c.word)
			if n := strings.Count(p.log(), "redis refuses calls"); n != 1 {
				t.Errorf("%d lines in the log:\n%s", n, p.log())
			}
			if err := admin.Do(t.Context(), c.back...).Err(); err != nil {
				t.Fatal(err)
			}
			p.comesBack(t, hold("o", "A", 1).is(200, "").replayed())
			p.do(t, "then", get("/readyz"))
		})
	}
}

// diagnosed checks that doctor exits 1 and names a word.
func (p *program) diagnosed(t *testing.T, redis *redistest.Server, word string) {
	t.Helper()
	url, _ := ledgers.Load(redis)
	code, failed := doctor(t, "--redis-url="+redis.URL(), "--postgres-url="+url.(string))
	text := ""
	for _, f := range failed {
		text += f.Name + ": " + f.Seen + ": " + f.Do + "\n"
	}
	if code != 1 || !strings.Contains(text, word) {
		t.Errorf("doctor: exit %d: %s", code, text)
	}
}

// A server whose Redis user lacks a right starts, says which, and uses up no epoch. It opens when the user
// gets the right.
func TestRedisRightsAreMissing(t *testing.T) {
	t.Parallel()
	for _, c := range redisRefuses[2:] {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t)
			admin := redis.Client(t)
			if err := admin.Do(t.Context(), c.set...).Err(); err != nil {
				t.Fatal(err)
			}
			url := ledger(t)
			ledgers.Store(redis, url)
			p := startAs(t, onRedis, "--redis-url="+redis.URL(), "--postgres-url="+url)
			await(t, "the log to name the cause", func() bool { return strings.Contains(p.log(), c.word) })
			if c.name == "keys are not allowed" && !strings.Contains(p.log(), "~{holdfast:0}:*") {
				t.Errorf("the log does not name the keys:\n%s", p.log())
			}
			if got := p.send(t, get("/readyz")); got.status != 503 {
				t.Errorf("/readyz: %d %s", got.status, got.body)
			}
			p.diagnosed(t, redis, c.word)
			if err := admin.Do(t.Context(), c.back...).Err(); err != nil {
				t.Fatal(err)
			}
			p.comesBack(t, get("/readyz"))
			if epoch := admin.HGet(t.Context(), "{holdfast:0}:stock", "epoch").Val(); epoch != "1" {
				t.Errorf("epoch %s: an attempt without rights used one up", epoch)
			}
		})
	}
}
