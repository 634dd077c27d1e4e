package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// fillMax is how many commands go to Redis at once where nothing is measured.
const fillMax = 1000

// scripted sells by a script of its own, called by itself, one EVALSHA an order.
type scripted struct {
	client *redis.Client
	sha    map[string]string
}

func openScripts(ctx context.Context, r *rig, texts ...string) (scripted, error) {
	s := scripted{client: r.connect(r.options.Callers), sha: make(map[string]string)}
	for _, text := range texts {
		sha, err := s.client.ScriptLoad(ctx, text).Result()
		if err != nil {
			return s, errors.Join(fmt.Errorf("load a script: %w", err), s.client.Close())
		}
		s.sha[text] = sha
	}
	return s, nil
}

func (s *scripted) run(ctx context.Context, text string, keys []string, args ...any) *redis.Cmd {
	return s.client.EvalSha(ctx, s.sha[text], keys, args...)
}

func (s *scripted) close(context.Context) error { return s.client.Close() }

// pipeline sends commands for 0 to n-1, so many at once.
func (s *scripted) pipeline(ctx context.Context, n int, add func(pipe redis.Pipeliner, i int)) error {
	for from := 0; from < n; from += fillMax {
		_, err := s.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for i := from; i < min(n, from+fillMax); i++ {
				add(pipe, i)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sum adds up what commands answer.
func sum(values []any) (total int64, err error) {
	for _, v := range values {
		n, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("stock is %v: %w", v, err)
		}
		total += n
	}
	return total, nil
}
