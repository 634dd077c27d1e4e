package redistest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/testserver"
)

// Replicated is a primary with a replica, and the servers that promote the replica if the primary
// goes: the other masters of a cluster, or sentinels. A primary counts as gone after a second.
type Replicated struct {
	Primary, Replica *Server
	Judges           []*Server
}

// StartReplicatedCluster starts a cluster of three masters, one of which has a replica. Primary is the
// master of key.
func StartReplicatedCluster(tb testing.TB, key string) *Replicated {
	tb.Helper()
	var nodes []*Server
	for range 4 {
		nodes = append(nodes, &Server{testserver.Start(tb, nodeProgram())})
	}
	client := nodes[0].Client(tb)
	slot, err := client.ClusterKeySlot(tb.Context(), key).Result()
	must(tb, err)
	owner := int(slot) * 3 / (slotLast + 1)
	for i := range 3 {
		first, last := (slotLast+1)*i/3, (slotLast+1)*(i+1)/3-1
		must(tb, nodes[i].Client(tb).ClusterAddSlotsRange(tb.Context(), first, last).Err())
		must(tb, nodes[i].Client(tb).Do(tb.Context(), "cluster", "set-config-epoch", i+1).Err())
	}
	for _, node := range nodes[1:] {
		must(tb, client.Do(tb.Context(), "cluster", "meet", "127.0.0.1", node.Port, node.Port+1).Err())
	}
	r := &Replicated{Primary: nodes[owner], Replica: nodes[3]}
	for i, node := range nodes[:3] {
		if i != owner {
			r.Judges = append(r.Judges, node)
		}
	}
	id, err := r.Primary.Client(tb).Do(tb.Context(), "cluster", "myid").Text()
	must(tb, err)
	replica := r.Replica.Client(tb)
	awaitDone(tb, "the replica follows", func(ctx context.Context) error {
		if err := replica.ClusterReplicate(ctx, id).Err(); err != nil { // until it has met the primary
			return err
		}
		return inSync(ctx, replica)
	})
	for _, node := range nodes {
		c := node.Client(tb)
		awaitDone(tb, "every node knows all", func(ctx context.Context) error {
			info, err := c.ClusterInfo(ctx).Result()
			if err == nil && !(strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:4\r")) {
				err = errors.New(info)
			}
			return err
		})
	}
	return r
}

func nodeProgram() testserver.Program {
	args := []string{"--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0"}
	p := program(args, true)
	p.Ready = ready
	return p
}

// SentinelName is the name under which the sentinels of StartSentinels know the primary.
const SentinelName = "main"

// StartSentinels starts a primary, its replica and three sentinels, which know the primary as
// SentinelName.
func StartSentinels(tb testing.TB) *Replicated {
	tb.Helper()
	r := &Replicated{Primary: Start(tb, "--repl-diskless-sync-delay", "0")}
	r.Replica = r.Primary.Follower(tb)
	for range 3 {
		r.Judges = append(r.Judges, &Server{testserver.Start(tb, sentinelProgram(r.Primary))})
	}
	for _, sentinel := range r.Judges {
		c := sentinel.Client(tb)
		awaitDone(tb, "the sentinels know each other", func(ctx context.Context) error {
			about, err := c.Do(ctx, "info", "sentinel").Text()
			if err == nil && !strings.Contains(about, "slaves=1,sentinels=3") {
				err = errors.New(about)
			}
			return err
		})
	}
	return r
}

func sentinelProgram(primary *Server) testserver.Program {
	return testserver.Program{
		Name: "redis-sentinel", Users: []string{"redis", "nobody"}, Ports: 1, Ready: ready,
		Command: func(s *testserver.Server) (*exec.Cmd, error) {
			path := filepath.Join(s.Dir, "sentinel.conf")
			if _, err := os.Stat(path); err != nil { // a sentinel keeps its state there
				text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor %s 127.0.0.1 %d 2\n"+
					"sentinel down-after-milliseconds %[3]s 1000\nsentinel failover-timeout %[3]s 5000\n",
					s.Port, s.Dir, SentinelName, primary.Port)
				if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, 0o666)); err != nil {
					return nil, err
				}
			}
			return exec.Command("redis-server", path, "--sentinel"), nil
		},
	}
}

// Follower starts a replica of the server, and returns when it has its data.
func (s *Server) Follower(tb testing.TB) *Server {
	tb.Helper()
	replica := Start(tb, "--repl-diskless-sync-delay", "0", "--replicaof", "127.0.0.1 "+strconv.Itoa(s.Port))
	client := replica.Client(tb)
	awaitDone(tb, "the replica follows", func(ctx context.Context) error { return inSync(ctx, client) })
	return replica
}

// Promote makes a replica of from a primary of its own. It has everything that from had.
func (s *Server) Promote(tb testing.TB, from *Server) {
	tb.Helper()
	_, err := from.Client(tb).Pipelined(tb.Context(), func(pipe redis.Pipeliner) error {
		pipe.Ping(tb.Context())
		pipe.Do(tb.Context(), "wait", 1, testserver.Timeout.Milliseconds())
		return nil
	})
	must(tb, err)
	must(tb, s.Client(tb).Do(tb.Context(), "replicaof", "no", "one").Err())
}

// inSync returns nil if the replica has received what the primary has sent.
func inSync(ctx context.Context, replica *redis.Client) error {
	about, err := replica.Info(ctx, "replication").Result()
	if err == nil && !strings.Contains(about, "master_link_status:up") {
		err = errors.New(about)
	}
	return err
}

// AwaitPromotion waits until the replica is a primary.
func (r *Replicated) AwaitPromotion(tb testing.TB) {
	tb.Helper()
	replica := r.Replica.Client(tb)
	awaitDone(tb, "the replica is promoted", func(ctx context.Context) error {
		about, err := replica.Info(ctx, "replication").Result()
		if err == nil && !strings.Contains(about, "role:master") {
			err = errors.New(about)
		}
		return err
	})
}

func awaitDone(tb testing.TB, what string, done func(context.Context) error) {
	tb.Helper()
	var err error
	if !testserver.Await(func() bool { err = done(tb.Context()); return err == nil }) {
		tb.Fatalf("%s: %v", what, err)
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
