package setup_test

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/reconcile/setup"
)

// examine returns the findings about a Redis by name, each as "status: seen".
func examine(t *testing.T, client redis.UniversalClient) map[string]string {
	t.Helper()
	findings, err := setup.ExamineRedis(t.Context(), client, "holdfast")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, f := range findings {
		if _, twice := seen[f.Name]; twice {
			t.Errorf("%s is found twice", f.Name)
		}
		seen[f.Name] = string(f.Status) + ": " + f.Seen
		if (f.Status == setup.OK) != (f.Do == "") {
			t.Errorf("%+v: what is not ok says what to do", f)
		}
	}
	return seen
}

// want checks that a finding begins with a text.
func want(t *testing.T, seen map[string]string, name, begin string) {
	t.Helper()
	if !strings.HasPrefix(seen[name], begin) || (begin == "" && seen[name] != "") {
		t.Errorf("%s: %q, want %q", name, seen[name], begin)
	}
}

func set(t *testing.T, s *redistest.Server, name, value string) {
	t.Helper()
	if err := s.Client(t).ConfigSet(t.Context(), name, value).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestExamineRedis_Replicas(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t, "--repl-diskless-sync-delay", "0")
	client := primary.Client(t)
	seen := examine(t, client)
	want(t, seen, "redis identity", "ok: ")
	want(t, seen, "redis replicas", "ok: 0 connected, min-replicas-to-write is not set")
	want(t, seen, "redis version", "ok: redis "+strings.Split(client.InfoMap(t.Context(), "server").Item("Server", "redis_version"), "\r")[0])

	one := primary.Follower(t)
	found := "redis replica " + one.Addr()
	seen = examine(t, client)
	want(t, seen, "redis replicas", "ok: 1 connected, min-replicas-to-write is not set")
	want(t, seen, found, "ok: redis ")
	set(t, primary, "min-replicas-to-write", "1")
	want(t, examine(t, client), "redis replicas", "warn: 1 connected, min-replicas-to-write is set")
	set(t, one, "maxmemory-policy", "allkeys-lru")
	want(t, examine(t, client), found, "fail: maxmemory-policy allkeys-lru")
	set(t, one, "replica-priority", "0")
	want(t, examine(t, client), found, "ok: redis ")
	set(t, one, "requirepass", "secret")
	want(t, examine(t, client), found, "warn: not asked: NOAUTH")

	two := primary.Follower(t)
	seen = examine(t, client)
	want(t, seen, "redis replicas", "ok: 2 connected, min-replicas-to-write is set")
	want(t, seen, "redis replica "+two.Addr(), "ok: ")
	set(t, primary, "min-replicas-to-write", "0")
	want(t, examine(t, client), "redis replicas", "warn: 2 connected, min-replicas-to-write is not set")
}

func TestExamineRedis_Cluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	client := c.ClusterClient(t)
	seen := examine(t, client)
	want(t, seen, "redis cluster", "")
	want(t, seen, "redis cluster-require-full-coverage", "warn: yes")
	want(t, seen, "redis cluster-node-timeout", "warn: 15000")
	want(t, seen, "redis cluster-replica-validity-factor", "warn: 10")
	set(t, &c.Server, "cluster-require-full-coverage", "no")
	set(t, &c.Server, "cluster-node-timeout", "5000")
	set(t, &c.Server, "cluster-replica-validity-factor", "1")
	seen = examine(t, client)
	want(t, seen, "redis cluster-require-full-coverage", "ok: no")
	want(t, seen, "redis cluster-node-timeout", "ok: 5000")
	want(t, seen, "redis cluster-replica-validity-factor", "ok: 1")
	want(t, examine(t, c.Client(t)), "redis cluster", "warn: redis.url names one node")
	if err := client.Do(t.Context(), "acl", "setuser", "default", "-config").Err(); err != nil {
		t.Fatal(err)
	}
	seen = examine(t, client)
	want(t, seen, "redis cluster settings", "warn: not read: ")
	want(t, seen, "redis cluster-node-timeout", "")
}

// A proxy that leads each connection to another server is refused.
func TestExamineRedis_Proxy(t *testing.T) {
	t.Parallel()
	servers := []*redistest.Server{redistest.Start(t), redistest.Start(t)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var taken atomic.Int64
	go func() {
		for {
			here, err := listener.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", servers[taken.Add(1)%2].Addr())
			if err != nil {
				_ = here.Close()
				continue
			}
			go func() { _, _ = io.Copy(there, here); _ = there.Close() }()
			go func() { _, _ = io.Copy(here, there); _ = here.Close() }()
		}
	}()
	client := redis.NewClient(&redis.Options{Addr: listener.Addr().String(), MaxRetries: -1, Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { _ = client.Close() })
	want(t, examine(t, client), "redis identity", "fail: two connections lead to servers with another run_id")
}

func TestServer(t *testing.T) {
	for _, c := range []struct {
		facts map[string]string
		want  string
	}{
		{map[string]string{"redis_version": "7.0.15"}, "redis 7.0.15"},
		{map[string]string{"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "8.0.1"}, "valkey 8.0.1"},
		{map[string]string{"redis_version": "7.4.0", "server_name": "other"}, "other 7.4.0"},
	} {
		if got := setup.Server(c.facts); got != c.want {
			t.Errorf("%v is %q, want %q", c.facts, got, c.want)
		}
	}
}
