package setup

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/shard"
)

const (
	replicasMax    = 16          // of the replicas that are asked
	replicaTimeout = time.Second // for one replica
)

// What a cluster should have.
const (
	nodeTimeoutMax  = 5000 // cluster-node-timeout, ms
	validityFactor  = "1"  // cluster-replica-validity-factor
	partialCoverage = "no" // cluster-require-full-coverage
)

// examineReplicas asks each replica that the primary knows for its settings: any of them may become the
// primary. facts are those of the primary.
func examineReplicas(ctx context.Context, client redis.UniversalClient, facts map[string]string) []Finding {
	ctx, cancel := context.WithTimeout(ctx, replicaTimeout)
	defer cancel()
	addresses := replicas(facts)
	all := make([]Finding, len(addresses))
	var asking sync.WaitGroup
	for i, address := range addresses {
		asking.Go(func() { all[i] = examineReplica(ctx, client, address, facts) })
	}
	asking.Wait()
	return all
}

// replicas returns the addresses of the replicas that a primary reports, at most replicasMax.
func replicas(facts map[string]string) []string {
	var list []string
	for i := range replicasMax {
		about := map[string]string{}
		for field := range strings.SplitSeq(facts["slave"+strconv.Itoa(i)], ",") {
			name, value, _ := strings.Cut(field, "=")
			about[name] = value
		}
		if about["ip"] != "" {
			list = append(list, net.JoinHostPort(about["ip"], about["port"]))
		}
	}
	return list
}

func examineReplica(ctx context.Context, client redis.UniversalClient, address string, primary map[string]string) Finding {
	name := "redis replica " + address
	replica := redis.NewClient(optionsOf(client, address))
	defer func() { _ = replica.Close() }() // nothing is lost
	text, err := replica.Info(ctx).Result()
	if err != nil {
		return NewFinding(name, "not asked: "+strings.Join(strings.Fields(err.Error()), " "), false, Warn,
			"see there that maxmemory-policy is noeviction, and that the version is "+Server(primary))
	}
	facts := shard.InfoFields(text)
	if facts["slave_priority"] == "0" && primary["cluster_enabled"] != "1" { // it is never promoted
		return NewFinding(name, Server(facts)+", never promoted", true, OK, "")
	}
	if policy := facts["maxmemory_policy"]; policy != "noeviction" {
		return NewFinding(name, "maxmemory-policy "+policy, false, Fail,
			"set maxmemory-policy noeviction there too: it may become the primary, and then delete a counter")
	}
	major := func(facts map[string]string) string { return strings.SplitN(Server(facts), ".", 2)[0] }
	return NewFinding(name, Server(facts)+", noeviction", major(facts) == major(primary), Warn,
		"run the major version of the primary there too, "+Server(primary)+": after a failover an older server may not understand its data")
}

// optionsOf returns the options for another server of the deployment behind client.
func optionsOf(client redis.UniversalClient, address string) *redis.Options {
	o := &redis.Options{Addr: address, Protocol: 2, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true, DisableIdentity: true}
	switch c := client.(type) {
	case *redis.Client:
		like := c.Options()
		o.Username, o.Password, o.TLSConfig = like.Username, like.Password, like.TLSConfig
	case *redis.ClusterClient:
		like := c.Options()
		o.Username, o.Password, o.TLSConfig = like.Username, like.Password, like.TLSConfig
	}
	return o
}

// examineCluster checks the settings of a cluster that decide how soon a dead primary is replaced, and by
// which replica.
func examineCluster(ctx context.Context, client redis.UniversalClient, primary *shard.Conn) []Finding {
	var all []Finding
	if _, follows := client.(*redis.ClusterClient); !follows {
		all = append(all, NewFinding("redis cluster", "redis.url names one node", false, Warn,
			"name two nodes or more, redis://HOST:PORT,HOST:PORT: then a failover to another node is noticed"))
	}
	settings, err := primary.Settings(ctx, "cluster-*")
	if err != nil {
		return append(all, NewFinding("redis cluster settings", "not read: "+err.Error(), false, Warn, fmt.Sprintf(
			"see that cluster-require-full-coverage is %s, cluster-node-timeout at most %d and cluster-replica-validity-factor %s",
			partialCoverage, nodeTimeoutMax, validityFactor)))
	}
	timeout, err := strconv.Atoi(settings["cluster-node-timeout"])
	for _, c := range []struct {
		name string
		good bool
		do   string
	}{
		{"cluster-require-full-coverage", settings["cluster-require-full-coverage"] == partialCoverage,
			"set it to " + partialCoverage + ": otherwise the whole cluster is closed while one of its masters is replaced"},
		{"cluster-node-timeout", err == nil && timeout <= nodeTimeoutMax,
			fmt.Sprintf("set it to %d (ms) or less: a dead primary is not replaced before", nodeTimeoutMax)},
		{"cluster-replica-validity-factor", settings["cluster-replica-validity-factor"] == validityFactor,
			"set it to " + validityFactor + ": then no replica is promoted that lost its primary long ago and lacks many holds"},
	} {
		all = append(all, NewFinding("redis "+c.name, settings[c.name], c.good, Warn, c.do))
	}
	return all
}
