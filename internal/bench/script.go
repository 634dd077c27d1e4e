package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// commandsMax is how many commands or keys go to Redis at once outside a measurement.
const commandsMax = 1000

// scripted sells with a script of its own: one EVALSHA for each order.
type scripted struct {
	client *redis.Client
	sha    map[string]string // by text
}

func openScripts(ctx context.Context, e *env, texts ...string) (scripted, error) {
	s := scripted{client: e.connect(e.options.Callers), sha: make(map[string]string)}
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

// pipeline sends the commands that add adds for each i from 0 to n-1.
func (s *scripted) pipeline(ctx context.Context, n int, add func(pipe redis.Pipeliner, i int)) error {
	for from := 0; from < n; from += commandsMax {
		_, err := s.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for i := from; i < min(n, from+commandsMax); i++ {
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

// sum adds up the units that read returns for all SKUs.
func (s *scripted) sum(skus []string, read func(skus []string) *redis.SliceCmd) (total int64, err error) {
	for chunk := range slices.Chunk(skus, commandsMax) {
		values, err := read(chunk).Result()
		if err != nil {
			return 0, err
		}
		for _, v := range values {
			n, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("stock is %v: %w", v, err)
			}
			total += n
		}
	}
	return total, nil
}
