package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/shard"
)

// ExamineRedis checks how the Redis behind client is set up, and the servers that may take its place. It
// changes nothing. It returns cache.ErrUnavailable if Redis does not answer.
func ExamineRedis(ctx context.Context, client redis.UniversalClient, prefix string) ([]Finding, error) {
	primary, err := shard.Open(ctx, client, prefix, 0)
	if err != nil {
		return nil, err
	}
	defer primary.Close()
	facts, err := primary.Facts(ctx)
	if err != nil {
		return nil, err
	}
	major, err := strconv.Atoi(strings.SplitN(facts["redis_version"], ".", 2)[0])
	if err != nil {
		return nil, fmt.Errorf("redis version %q: %w", facts["redis_version"], cache.ErrCorrupt)
	}
	again, err := shard.Open(ctx, client, prefix, 0) // another connection: the first is still in use
	if err != nil {
		return nil, err
	}
	defer again.Close()
	others, err := again.Facts(ctx)
	if err != nil {
		return nil, err
	}
	maxmemory := facts["maxmemory"] != "0"
	all := []Finding{
		NewFinding("redis version", Server(facts), major >= 7, Fail, "use Redis 7.0 or newer"),
		NewFinding("redis role", facts["role"], facts["role"] == "master", Fail,
			"set redis.url to the primary: a replica takes no reservations"),
		identity(facts, others),
		NewFinding("redis eviction", facts["maxmemory_policy"], facts["maxmemory_policy"] == "noeviction", Fail,
			"set maxmemory-policy noeviction: any other policy may delete a counter"),
		NewFinding("redis persistence", "appendonly "+yes(facts["aof_enabled"]), facts["aof_enabled"] == "1", Warn,
			"set appendonly yes and appendfsync everysec: otherwise a restart loses every hold that is not in the ledger yet"),
		NewFinding("redis memory limit", facts["maxmemory_human"], maxmemory, Warn,
			"set maxmemory below the memory of the machine: then reserve is refused before the machine is full"),
		guard(facts),
	}
	all = append(all, examineReplicas(ctx, client, facts)...)
	if facts["cluster_enabled"] == "1" {
		all = append(all, examineCluster(ctx, client, primary)...)
	}
	return all, nil
}

// AskServer returns the name and the version of the Redis behind client, such as "redis 7.0.15".
func AskServer(ctx context.Context, client redis.UniversalClient, prefix string) (string, error) {
	primary, err := shard.Open(ctx, client, prefix, 0)
	if err != nil {
		return "", err
	}
	defer primary.Close()
	facts, err := primary.Facts(ctx)
	return Server(facts), err
}

// Server returns the name and the version of a server that answered facts to INFO.
func Server(facts map[string]string) string {
	name := cmp.Or(facts["server_name"], "redis")
	return name + " " + cmp.Or(facts[name+"_version"], facts["redis_version"])
}

// identity returns the finding about the fields that tell servers and their histories apart, as two
// connections saw them.
func identity(facts, others map[string]string) Finding {
	const name = "redis identity"
	const use = "use a Redis without a proxy in front: Holdfast must know which server it speaks to"
	for _, field := range []string{"run_id", "master_replid"} {
		switch {
		case facts[field] == "":
			return NewFinding(name, "INFO has no "+field, false, Fail, use)
		case facts[field] != others[field]:
			return NewFinding(name, "two connections lead to servers with another "+field, false, Fail, use)
		}
	}
	return NewFinding(name, "run id and replication id are stable", true, OK, "")
}

// ExamineAccess checks what Redis lets this user do at the moment: whether the user has every right,
// whether Redis takes writes, and whether the gate is open. It writes nothing. It returns cache.ErrUnavailable if Redis does
// not answer.
func ExamineAccess(ctx context.Context, client redis.UniversalClient, prefix string) ([]Finding, error) {
	shard, err := shard.Open(ctx, client, prefix, 0)
	if err != nil {
		return nil, err
	}
	defer shard.Close()
	seen, err := shard.Inspect(ctx)
	if errors.Is(err, cache.ErrRefused) {
		return []Finding{NewFinding("redis rights", err.Error(), false, Fail, allow)}, nil
	}
	if err != nil {
		return nil, err
	}
	rights, writes := shard.CheckRights(ctx, seen), shard.CheckWrites(ctx, seen, true)
	for _, err := range []error{rights, writes} {
		if err != nil && !errors.Is(err, cache.ErrRefused) {
			return nil, err
		}
	}
	return []Finding{
		NewFinding("redis rights", outcome(rights, "the user may run every command"), rights == nil, Fail, allow),
		NewFinding("redis writes", outcome(writes, "taken"), writes == nil, Fail, doWrites(writes)+": until then no reservation is taken"),
		gate(&seen),
	}, nil
}

const allow = "allow the commands and the keys by ACL SETUSER: until then calls are not answered"

// doWrites says what to do if Redis takes no writes.
func doWrites(err error) string {
	switch {
	case reply("OOM")(err) != nil:
		return "raise maxmemory, or lower reservation.retention"
	case reply("NOREPLICAS")(err) != nil:
		return "bring a replica up, or lower min-replicas-to-write"
	case reply("MISCONF")(err) != nil:
		return "free space on the disk of Redis, and read its log"
	default:
		return "correct what the error names"
	}
}

// gate returns the finding about the gate.
func gate(id *shard.Identity) Finding {
	const name = "redis gate"
	switch {
	case id.Stopped():
		return NewFinding(name, "stopped", false, Fail, "the ledger lacks what Redis has: put the right ledger back, or accept the loss with "+
			"`holdfast reconcile rebuild --accept-older-ledger`")
	case id.Closed():
		return NewFinding(name, id.Gate, false, Warn, "wait until `holdfast serve` has rebuilt Redis; start it if none runs")
	default:
		return NewFinding(name, cmp.Or(id.Gate, "open"), id.Gate == "", Warn,
			"reserve waits until the ledger has caught up: check that Postgres is up and fast enough, and that `holdfast serve` runs")
	}
}

func outcome(err error, good string) string {
	if err != nil {
		return err.Error()
	}
	return good
}

// guard returns the finding about min-replicas-to-write.
func guard(facts map[string]string) Finding {
	const name = "redis replicas"
	replicas := facts["connected_slaves"]
	_, set := facts["min_slaves_good_slaves"]
	seen := replicas + " connected, min-replicas-to-write is not set"
	if set {
		seen = replicas + " connected, min-replicas-to-write is set"
	}
	switch single := replicas == "0" || replicas == "1"; {
	case single && set:
		return NewFinding(name, seen, false, Warn,
			"set min-replicas-to-write 0, or add a second replica: after a failover the promoted server has no replica and would refuse every write")
	case !single && !set:
		return NewFinding(name, seen, false, Warn,
			"set min-replicas-to-write 1 and min-replicas-max-lag 1: then a primary that is cut off stops taking holds that would be lost")
	default:
		return NewFinding(name, seen, true, OK, "")
	}
}

func yes(flag string) string {
	if flag == "1" {
		return "yes"
	}
	return "no"
}
