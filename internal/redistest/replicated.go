package redistest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// masters is the number of masters of a replicated cluster.
const masters = 3

// StartReplicatedCluster starts a cluster of three masters, one of which has a replica. Primary is the
// master of key.
func StartReplicatedCluster(tb testing.TB, key string) *Replicated {
	tb.Helper()
	return startReplicated(tb, key, 1)
}

// StartCluster6 is StartReplicatedCluster with a replica for each master. The nodes keep their data over a
// restart.
func StartCluster6(tb testing.TB, key string) *Replicated {
	tb.Helper()
	return startReplicated(tb, key, masters, "--appendonly", "yes")
}

func startReplicated(tb testing.TB, key string, replicas int, args ...string) *Replicated {
	tb.Helper()
	var nodes []*Server
	for range masters + replicas {
		nodes = append(nodes, &Server{testserver.Start(tb, nodeProgram(args))})
	}
	client := nodes[0].Client(tb)
	slot, err := client.ClusterKeySlot(tb.Context(), key).Result()
	must(tb, err)
	owner := int(slot) * masters / (slotLast + 1)
	for i, node := range nodes[:masters] {
		first, last := (slotLast+1)*i/masters, (slotLast+1)*(i+1)/masters-1
		must(tb, node.Client(tb).ClusterAddSlotsRange(tb.Context(), first, last).Err())
		must(tb, node.Client(tb).Do(tb.Context(), "cluster", "set-config-epoch", i+1).Err())
	}
	for _, node := range nodes[1:] {
		must(tb, client.Do(tb.Context(), "cluster", "meet", "127.0.0.1", node.Port, node.Port+1).Err())
	}
	r := &Replicated{Primary: nodes[owner], Replica: nodes[masters]}
	r.Judges = slices.Delete(slices.Clone(nodes[:masters]), owner, owner+1)
	for i, of := range append([]*Server{r.Primary}, r.Judges...)[:replicas] {
		nodes[masters+i].follow(tb, of)
	}
	for _, node := range nodes {
		c := node.Client(tb)
		awaitDone(tb, "every node knows all", func(ctx context.Context) error {
			info, err := c.ClusterInfo(ctx).Result()
			if err == nil && !(strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d\r", len(nodes)))) {
				err = errors.New(info)
			}
			return err
		})
	}
	return r
}

// follow makes a node of a cluster a replica of another.
func (s *Server) follow(tb testing.TB, master *Server) {
	tb.Helper()
	id, replica := master.nodeID(tb), s.Client(tb)
	awaitDone(tb, "the replica follows", func(ctx context.Context) error {
		if err := replica.ClusterReplicate(ctx, id).Err(); err != nil { // until it has met the master
			return err
		}
		return inSync(ctx, replica)
	})
}

// nodeID returns the name of a node in its cluster.
func (s *Server) nodeID(tb testing.TB) string {
	tb.Helper()
	id, err := s.Client(tb).Do(tb.Context(), "cluster", "myid").Text()
	must(tb, err)
	return id
}

// MoveSlot moves the slot of a key from one master to another, key by key.
func (r *Replicated) MoveSlot(tb testing.TB, key string, from, to *Server) {
	tb.Helper()
	ctx, source, target := tb.Context(), from.Client(tb), to.Client(tb)
	slot, err := source.ClusterKeySlot(ctx, key).Result()
	must(tb, err)
	must(tb, target.Do(ctx, "cluster", "setslot", slot, "importing", from.nodeID(tb)).Err())
	must(tb, source.Do(ctx, "cluster", "setslot", slot, "migrating", to.nodeID(tb)).Err())
	for {
		keys, err := source.ClusterGetKeysInSlot(ctx, int(slot), 1).Result()
		must(tb, err)
		if len(keys) == 0 {
			break
		}
		must(tb, source.Migrate(ctx, "127.0.0.1", strconv.Itoa(to.Port), keys[0], 0, testserver.Timeout).Err())
	}
	for _, master := range append([]*Server{to, from}, r.Judges...) { // the new master first
		must(tb, master.Client(tb).Do(ctx, "cluster", "setslot", slot, "node", to.nodeID(tb)).Err())
	}
}

func nodeProgram(more []string) testserver.Program {
	args := append([]string{"--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0"}, more...)
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

// AwaitSwitch waits until every sentinel that runs names the replica as the primary.
func (r *Replicated) AwaitSwitch(tb testing.TB) {
	tb.Helper()
	for _, sentinel := range r.Judges {
		if sentinel.Pid() == 0 {
			continue
		}
		c := sentinel.Client(tb)
		awaitDone(tb, "the sentinels name the replica", func(ctx context.Context) error {
			address, err := c.Do(ctx, "sentinel", "get-master-addr-by-name", SentinelName).StringSlice()
			if err == nil && (len(address) != 2 || address[1] != strconv.Itoa(r.Replica.Port)) {
				err = fmt.Errorf("%v", address)
			}
			return err
		})
	}
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
