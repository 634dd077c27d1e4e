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
	memory  int64         // bytes that its data takes
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
	memory, err3 := infoNumber(text, "used_memory")
	pending, err4 := infoNumber(text, "lazyfree_pending_objects")
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return info{}, err
		}
	}
	cpu := time.Duration((user + system) * float64(time.Second))
	return info{cpu: cpu, memory: int64(memory), pending: int64(pending)}, nil
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
