package dial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Judged reports whether other servers say which one is the primary: sentinels, or the nodes of a cluster.
func (r *Redis) Judged() bool { return r.endpoint.Primary != "" || r.endpoint.Cluster() }

// errNoMajority says that less than half of those who were asked name the same server.
var errNoMajority = errors.New("no majority names a primary")

// PrimaryRunID asks the sentinels, or the masters of the cluster, which server is the primary of key, and
// asks that server for its run id. More than half of them must name it.
func (r *Redis) PrimaryRunID(ctx context.Context, key string) (string, error) {
	ask := r.askSentinels
	if r.endpoint.Cluster() {
		ask = r.askMasters
	}
	votes, judges := ask(ctx, key)
	address, err := majority(votes, judges)
	if err != nil {
		return "", err
	}
	o := options(r.endpoint, r.secure)
	o.Addrs = []string{address}
	client := redis.NewClient(o.Simple())
	defer func() { _ = client.Close() }()
	text, err := client.Info(ctx, "server").Result()
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "run_id:"); ok {
			return id, nil
		}
	}
	return "", fmt.Errorf("%s has no run id", address)
}

// majority returns the address that more than half of the judges name.
func majority(votes []string, judges int) (string, error) {
	for _, address := range votes {
		if n := len(votes) - len(slices.DeleteFunc(slices.Clone(votes), func(v string) bool { return v == address })); 2*n > judges {
			return address, nil
		}
	}
	return "", fmt.Errorf("%w: of %d, %d answer: %s", errNoMajority, judges, len(votes), strings.Join(votes, ", "))
}

// askSentinels returns the addresses that the sentinels name, and the number of sentinels.
func (r *Redis) askSentinels(ctx context.Context, _ string) (votes []string, judges int) {
	var mu sync.Mutex
	var asking sync.WaitGroup
	for _, host := range r.endpoint.Hosts {
		asking.Go(func() {
			o := options(r.endpoint, r.secure).Simple()
			o.Addr, o.DB, o.Username, o.Password = host, 0, r.endpoint.SentinelUsername, string(r.endpoint.SentinelPassword)
			sentinel := redis.NewSentinelClient(o)
			defer func() { _ = sentinel.Close() }()
			address, err := sentinel.GetMasterAddrByName(ctx, r.endpoint.Primary).Result()
			if err != nil || len(address) != 2 {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			votes = append(votes, net.JoinHostPort(address[0], address[1]))
		})
	}
	asking.Wait()
	return votes, len(r.endpoint.Hosts)
}

// askMasters returns the addresses that the masters of the cluster name, and the number of masters.
func (r *Redis) askMasters(ctx context.Context, key string) (votes []string, judges int) {
	var mu sync.Mutex
	_ = r.Client.(*redis.ClusterClient).ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		mu.Lock()
		judges++
		mu.Unlock()
		slot, err := node.ClusterKeySlot(ctx, key).Result()
		if err != nil {
			return err
		}
		shards, err := node.ClusterShards(ctx).Result()
		for i := range shards {
			if address := r.masterOf(&shards[i], slot); address != "" {
				mu.Lock()
				votes = append(votes, address)
				mu.Unlock()
				break
			}
		}
		return err
	})
	return votes, judges
}

// masterOf returns the address of a shard's master, or "" if the shard has none or does not hold the slot.
func (r *Redis) masterOf(shard *redis.ClusterShard, slot int64) string {
	if !slices.ContainsFunc(shard.Slots, func(s redis.SlotRange) bool { return s.Start <= slot && slot <= s.End }) {
		return ""
	}
	for _, node := range shard.Nodes {
		if node.Role != "master" || node.Health != "online" {
			continue
		}
		port := node.Port
		if r.secure != nil {
			port = node.TLSPort
		}
		return net.JoinHostPort(cmp.Or(node.Endpoint, node.IP), strconv.FormatInt(port, 10))
	}
	return ""
}
