package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

// servers are the versions of the servers and the settings that decide what survives a crash.
type servers struct {
	Redis      string `json:"redis"`       // version
	AppendOnly string `json:"appendonly"`  // yes or no; "" if Redis does not say
	AppendSync string `json:"appendfsync"` // always, everysec or no; "" if Redis does not say
	Postgres   string `json:"postgres"`    // version
	Commit     string `json:"synchronous_commit"`
	Sync       string `json:"fsync"`
}

func readServers(ctx context.Context, client *redis.Client, conn *pgx.Conn) (s servers, err error) {
	const settings = `
select current_setting('server_version'), current_setting('synchronous_commit'), current_setting('fsync')`
	if err := conn.QueryRow(ctx, settings).Scan(&s.Postgres, &s.Commit, &s.Sync); err != nil {
		return s, fmt.Errorf("postgres: %w", err)
	}
	info := client.InfoMap(ctx, "server")
	if err := info.Err(); err != nil {
		return s, fmt.Errorf("redis: info: %w", err)
	}
	s.Redis = info.Item("Server", "redis_version")
	// A hosted Redis may refuse CONFIG GET.
	if settings, err := client.ConfigGet(ctx, "append*").Result(); err == nil {
		s.AppendOnly, s.AppendSync = settings["appendonly"], settings["appendfsync"]
	}
	return s, nil
}

// inRedis says what a crash of Redis leaves of a thing that it has acknowledged.
func (s *servers) inRedis(thing string) string {
	switch {
	case s.AppendOnly == "no":
		return "nothing (Redis: appendonly no)"
	case s.AppendSync == "always":
		return "the " + thing + " (Redis: appendfsync always)"
	case s.AppendSync == "everysec":
		return "the " + thing + ", except from the last second (Redis: appendfsync everysec)"
	case s.AppendSync == "no":
		return "the " + thing + ", if the system had written it (Redis: appendfsync no)"
	}
	return "the " + thing + ", if Redis had written it"
}

// inPostgres says what a crash of Postgres leaves of a thing that it has acknowledged.
func (s *servers) inPostgres(thing string) string {
	switch {
	case s.Sync == "off":
		return "nothing (Postgres: fsync off)"
	case s.Commit == "off":
		return "the " + thing + ", except from the last moments (Postgres: synchronous_commit off)"
	}
	return "the " + thing + " (Postgres)"
}

// redisUsage is what Redis reports of its own work.
type redisUsage struct {
	cpu     time.Duration // of its main thread since its start: the limit of one Redis
	pending int64         // removed keys whose memory is not freed yet
}

// readRedisUsage takes one round trip, which counts as usage itself.
func readRedisUsage(ctx context.Context, client *redis.Client) (redisUsage, error) {
	info := client.InfoMap(ctx, "cpu", "memory")
	user, err := infoNumber(info, "CPU", "used_cpu_user_main_thread")
	if err != nil {
		return redisUsage{}, err
	}
	system, err := infoNumber(info, "CPU", "used_cpu_sys_main_thread")
	if err != nil {
		return redisUsage{}, err
	}
	pending, err := infoNumber(info, "Memory", "lazyfree_pending_objects")
	cpu := time.Duration((user + system) * float64(time.Second))
	return redisUsage{cpu: cpu, pending: int64(pending)}, err
}

// dataMemory returns the bytes that Redis uses, without those of connections, whose buffers come
// and go. It asks for connections one by one, because INFO reports them up to a second late. Two
// round trips.
func dataMemory(ctx context.Context, client *redis.Client) (int64, error) {
	list, err := client.ClientList(ctx).Result()
	if err != nil {
		return 0, fmt.Errorf("redis: client list: %w", err)
	}
	used, err := infoNumber(client.InfoMap(ctx, "memory"), "Memory", "used_memory")
	if err != nil {
		return 0, err
	}
	bytes := int64(used)
	for field := range strings.FieldsSeq(list) {
		if value, found := strings.CutPrefix(field, "tot-mem="); found {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("redis: client list: %w", err)
			}
			bytes -= n
		}
	}
	return bytes, nil
}

func infoNumber(info *redis.InfoCmd, section, name string) (float64, error) {
	if err := info.Err(); err != nil {
		return 0, fmt.Errorf("redis: info: %w", err)
	}
	value := info.Item(section, name)
	if value == "" {
		return 0, fmt.Errorf("redis: info has no %s: use Redis 7.0 or newer", name)
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return 0, fmt.Errorf("redis: info: %s: %w", name, err)
	}
	return n, nil
}
