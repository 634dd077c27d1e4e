package cache

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/lua"
)

// generation is the scripts of one epoch, as loaded.
type generation struct {
	epoch uint64
	sha   map[Verb]string
}

// redisMajorMin is the oldest Redis that refuses a script whole when memory is out.
const redisMajorMin = 7

// current is the loaded generation; on first use it loads one.
func (s *Store) current(ctx context.Context) (*generation, error) {
	if g := s.generation.Load(); g != nil {
		return g, nil
	}
	return s.reload(ctx, nil)
}

// reload checks whose data Redis has and loads the scripts again; callers that saw the same
// generation fail share one attempt.
func (s *Store) reload(ctx context.Context, failed *generation) (*generation, error) {
	return share(ctx, s, "scripts", func(ctx context.Context) (*generation, error) {
		if g := s.generation.Load(); g != nil && g != failed {
			return g, nil
		}
		ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
		defer cancel()
		g, err := s.load(ctx, failed)
		if err == nil {
			s.generation.Store(g)
		}
		return g, err
	})
}

// share has callers that want the same at once share one attempt at it. The attempt does not end with
// the caller that happened to begin it, and no caller waits longer than its own context.
func share[T any](ctx context.Context, s *Store, what string, attempt func(context.Context) (T, error)) (T, error) {
	var none T
	result := s.loading.DoChan(what, func() (any, error) { return attempt(context.WithoutCancel(ctx)) })
	select {
	case r := <-result:
		if r.Err != nil {
			return none, r.Err
		}
		return r.Val.(T), nil
	case <-ctx.Done():
		return none, fmt.Errorf("load %s: %w", what, ctx.Err())
	}
}

// load reads the stored epoch and loads that generation's scripts, on one connection to the
// primary. An empty Redis is initialised, but never one that had data before: nobody may sell from
// counters that are gone.
func (s *Store) load(ctx context.Context, before *generation) (*generation, error) {
	node, err := s.node(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	conn := node.Conn()
	defer func() { _ = conn.Close() }()
	real, err := isRealRedis(ctx, conn)
	if err != nil {
		return nil, err
	}
	epoch, err := s.storedEpoch(ctx, conn, before == nil)
	if err != nil {
		return nil, err
	}
	if before != nil && epoch < before.epoch {
		return nil, fmt.Errorf("%w: Redis is at epoch %d, this process at %d", ErrRebuilding, epoch, before.epoch)
	}
	g := &generation{epoch: epoch, sha: make(map[Verb]string, len(Verbs))}
	for _, verb := range Verbs {
		text, err := lua.Text(string(verb), epoch, real)
		if err != nil {
			return nil, err
		}
		if g.sha[verb], err = conn.ScriptLoad(ctx, text).Result(); err != nil {
			return nil, fmt.Errorf("%w: load script %s: %w", ErrUnavailable, verb, err)
		}
	}
	return g, nil
}

// storedEpoch reads the epoch. Where there is none and initialise says so, it makes the first.
func (s *Store) storedEpoch(ctx context.Context, conn *redis.Conn, initialise bool) (uint64, error) {
	text, err := conn.HGet(ctx, s.keys.stock, fieldEpoch).Result()
	if errors.Is(err, redis.Nil) {
		if !initialise {
			return 0, fmt.Errorf("%w: Redis has lost its data", ErrRebuilding)
		}
		if err := conn.HSetNX(ctx, s.keys.stock, fieldEpoch, "1").Err(); err != nil {
			return 0, fmt.Errorf("%w: initialise: %w", ErrUnavailable, err)
		}
		text, err = conn.HGet(ctx, s.keys.stock, fieldEpoch).Result()
	}
	if err != nil {
		return 0, fmt.Errorf("%w: read epoch: %w", ErrUnavailable, err)
	}
	epoch, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: epoch %q", ErrCorrupt, text)
	}
	return epoch, nil
}

// isRealRedis tells a Redis server from the embedded one, which answers INFO server with an error,
// and refuses a Redis that is too old.
func isRealRedis(ctx context.Context, conn *redis.Conn) (bool, error) {
	info, err := conn.Info(ctx, "server").Result()
	if err != nil {
		if isReply(err) && outcomeOf(err) == ranPartly {
			return false, nil
		}
		return false, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "redis_version:"); ok {
			major, err := strconv.Atoi(strings.SplitN(v, ".", 2)[0])
			if err == nil && major < redisMajorMin {
				return false, fmt.Errorf("%w: Redis %s is too old, at least %d.0 is needed", ErrUnavailable, v, redisMajorMin)
			}
		}
	}
	return true, nil
}

// node is the primary that holds the keys.
func (s *Store) node(ctx context.Context) (*redis.Client, error) {
	switch c := s.client.(type) {
	case *redis.Client:
		return c, nil
	case *redis.ClusterClient:
		return c.MasterForKey(ctx, s.keys.stock)
	default:
		return nil, fmt.Errorf("client of type %T", s.client)
	}
}
