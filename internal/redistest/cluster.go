package redistest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

const slotLast = 16383

// Cluster is a Redis Cluster of one node, which holds all slots.
type Cluster struct{ *Server }

// StartCluster starts a one-node cluster, as Start starts a server, and returns when it takes
// writes: about two seconds, which a node waits before it trusts itself.
func StartCluster(tb testing.TB, args ...string) *Cluster {
	tb.Helper()
	c := &Cluster{start(tb, args, true)}
	if err := c.form(); err != nil {
		tb.Fatal(err)
	}
	return c
}

// Restart starts the node again, as Server.Restart does, and returns when it takes writes.
func (c *Cluster) Restart() {
	c.tb.Helper()
	c.Server.Restart()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return // has been reported
	}
	if err := c.await(c.process, clusterReady); err != nil {
		c.tb.Error(c.failure("form the cluster again", err))
	}
}

// ClusterClient makes a cluster client that never repeats a command. It is closed with the test.
func (c *Cluster) ClusterClient(tb testing.TB) *redis.ClusterClient {
	tb.Helper()
	client := redis.NewClusterClient(clusterOptions(c.Addr()))
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

// form gives the node all slots and waits until it takes writes.
func (c *Cluster) form() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	client := redis.NewClient(options(c.Addr()))
	defer func() { _ = client.Close() }()
	err := client.ClusterAddSlotsRange(context.Background(), 0, slotLast).Err()
	if err == nil {
		err = c.await(c.process, clusterReady)
	}
	if err != nil {
		return c.failure("form a cluster", err)
	}
	return nil
}

func clusterReady(ctx context.Context, client *redis.Client, _ *process) error {
	info, err := client.ClusterInfo(ctx).Result()
	if err != nil {
		return err
	}
	if !strings.Contains(info, "cluster_state:ok") {
		return errors.New("cluster_state is not ok")
	}
	return nil
}
