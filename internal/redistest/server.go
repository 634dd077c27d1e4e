// Package redistest starts private, real Redis servers for tests. Each runs on free loopback ports, in
// a temporary folder of its own, and ends with the test that started it.
//
// A test that kills, pauses or restarts its server calls Start or StartCluster. A table of cases that
// must give the same answers everywhere calls EachEngine, whose servers the whole test binary shares.
package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/testserver"
)

const slotLast = 16383

// Server is one redis-server of a test.
type Server struct{ *testserver.Server }

// Cluster is a Redis Cluster of one node, which holds all slots.
type Cluster struct{ Server }

// Start starts a redis-server on a free loopback port and returns when it answers. By default it
// persists nothing. The args are command-line options; they follow the defaults and override them:
//
//	redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
//
// The server and its folder are removed after the test. If redis-server is not installed, the test
// fails.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	return &Server{testserver.Start(tb, program(args, false))}
}

// StartCluster starts a one-node cluster, as Start starts a server, and returns when it takes writes.
// That takes about two seconds: a node waits before it trusts itself.
func StartCluster(tb testing.TB, args ...string) *Cluster {
	tb.Helper()
	return &Cluster{Server{testserver.Start(tb, program(args, true))}}
}

// URL returns the server's address as Redis clients take it, "redis://127.0.0.1:port".
func (s *Server) URL() string { return "redis://" + s.Addr() }

func program(args []string, cluster bool) testserver.Program {
	p := testserver.Program{
		Name: "redis-server", Users: []string{"redis", "nobody"}, Ports: 1,
		Command: func(s *testserver.Server) (*exec.Cmd, error) { return command(s, args, cluster) },
		Ready:   ready,
	}
	if cluster {
		p.Ports, p.Ready = 2, clusterReady
	}
	return p
}

func command(s *testserver.Server, args []string, cluster bool) (*exec.Cmd, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("%w; install it with apt-get install redis-server", err)
	}
	line := []string{
		"--port", strconv.Itoa(s.Port), "--bind", "127.0.0.1", "--dir", s.Dir,
		"--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning",
		// Log to standard output, as Redis does before it has read its options.
		"--logfile", "",
	}
	if cluster {
		line = append(line, "--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1",
			"--cluster-port", strconv.Itoa(s.Port+1))
	}
	return exec.Command(path, append(line, args...)...), nil
}

// ready checks that the server at our address is our process, not one of another test binary that
// took the port first, and that it has loaded its data.
func ready(ctx context.Context, s *testserver.Server, pid int) error {
	// The client would log each failure to dial.
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		return err
	}
	_ = conn.Close()
	client := redis.NewClient(options(s.Addr()).Simple())
	defer func() { _ = client.Close() }()
	info, err := client.Info(ctx, "server").Result()
	if err != nil {
		return err
	}
	if !strings.Contains(info, fmt.Sprintf("process_id:%d\r\n", pid)) {
		return errors.New("another server has the port")
	}
	return client.Ping(ctx).Err()
}

// clusterReady gives a new node all slots, and checks that the node takes writes.
func clusterReady(ctx context.Context, s *testserver.Server, pid int) error {
	if err := ready(ctx, s, pid); err != nil {
		return err
	}
	client := redis.NewClient(options(s.Addr()).Simple())
	defer func() { _ = client.Close() }()
	info, err := client.ClusterInfo(ctx).Result()
	if err != nil {
		return err
	}
	if strings.Contains(info, "cluster_slots_assigned:0\r") {
		if err := client.ClusterAddSlotsRange(ctx, 0, slotLast).Err(); err != nil {
			return err
		}
	}
	if !strings.Contains(info, "cluster_state:ok") {
		return errors.New("cluster_state is not ok")
	}
	return nil
}
