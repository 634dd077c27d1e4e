package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// info is what Redis says of itself.
type info struct {
	cpu     time.Duration // used by its main thread since it started: the limit of one Redis
	pending int64         // keys that are removed, and not freed yet
}

// readInfo costs one round trip, which is itself counted.
func readInfo(ctx context.Context, client *redis.Client) (i info, err error) {
	text, err := client.Info(ctx, "cpu", "memory").Result()
	if err != nil {
		return info{}, fmt.Errorf("redis: info: %w", err)
	}
	user, err1 := infoNumber(text, "used_cpu_user_main_thread")
	system, err2 := infoNumber(text, "used_cpu_sys_main_thread")
	pending, err3 := infoNumber(text, "lazyfree_pending_objects")
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return info{}, err
		}
	}
	cpu := time.Duration((user + system) * float64(time.Second))
	return info{cpu: cpu, pending: int64(pending)}, nil
}

// dataMemory is the bytes that Redis uses, but for those of connections, whose buffers come and go. What
// INFO says of connections is up to a second old, so they are asked for one by one. Two round trips.
func dataMemory(ctx context.Context, client *redis.Client) (int64, error) {
	list, err := client.ClientList(ctx).Result()
	if err != nil {
		return 0, fmt.Errorf("redis: client list: %w", err)
	}
	text, err := client.Info(ctx, "memory").Result()
	if err != nil {
		return 0, fmt.Errorf("redis: info: %w", err)
	}
	used, err := infoNumber(text, "used_memory")
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

func infoNumber(text, name string) (float64, error) {
	for part := range strings.Lines(text) {
		if value, found := strings.CutPrefix(part, name+":"); found {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				return 0, fmt.Errorf("redis: info: %s: %w", name, err)
			}
			return n, nil
		}
	}
	return 0, fmt.Errorf("redis: info names no %s: Redis 7.0 or newer is needed", name)
}
