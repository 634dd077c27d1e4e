package redistest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// UsedCPU is the processor time that the main thread of a Redis has used since it started, user
// and system: what a benchmark divides by its operations, since that thread is the limit of one
// Redis. miniredis has none to report, which is an error. One round trip, itself counted.
func UsedCPU(ctx context.Context, client redis.Cmdable) (time.Duration, error) {
	info, err := client.Info(ctx, "cpu").Result()
	if err != nil {
		return 0, fmt.Errorf("info cpu: %w", err)
	}
	var used time.Duration
	for _, name := range []string{"used_cpu_user_main_thread", "used_cpu_sys_main_thread"} {
		part, err := infoSeconds(info, name)
		if err != nil {
			return 0, fmt.Errorf("info cpu: %w", err)
		}
		used += part
	}
	return used, nil
}

func infoSeconds(info, name string) (time.Duration, error) {
	for line := range strings.Lines(info) {
		value, found := strings.CutPrefix(line, name+":")
		if !found {
			continue
		}
		seconds, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		return time.Duration(seconds * float64(time.Second)), nil
	}
	return 0, fmt.Errorf("no %s", name)
}
