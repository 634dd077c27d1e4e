package redistest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// UsedCPU returns the processor time, user and system, that the main thread of a Redis has used since
// it started. That thread is the limit of one Redis, so a benchmark divides this by its operations.
// It returns an error on miniredis. It takes one round trip, which counts too.
func UsedCPU(ctx context.Context, client redis.Cmdable) (time.Duration, error) {
	info, err := client.Info(ctx, "cpu").Result()
	if err != nil {
		return 0, fmt.Errorf("info cpu: %w", err)
	}
	var used time.Duration
	for _, name := range []string{"used_cpu_user_main_thread", "used_cpu_sys_main_thread"} {
		_, rest, _ := strings.Cut(info, "\n"+name+":")
		value, _, _ := strings.Cut(rest, "\r")
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("info cpu: %s: %w", name, err)
		}
		used += time.Duration(seconds * float64(time.Second))
	}
	return used, nil
}
