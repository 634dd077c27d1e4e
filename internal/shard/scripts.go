package shard

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/lua"
)

// generation is the loaded scripts of one epoch.
type generation struct {
	epoch uint64
	sha   map[wire.Verb]string
}

// current returns the loaded generation. It loads one on first use.
func (s *Shard) current(ctx context.Context) (*generation, error) {
	if g := s.generation.Load(); g != nil {
		return g, nil
	}
	return s.reload(ctx, nil)
}

// reload checks which Redis this is and loads the scripts again. Callers that saw the same
// generation fail share one attempt.
func (s *Shard) reload(ctx context.Context, failed *generation) (*generation, error) {
	return Share(ctx, &s.loading, "scripts", func(ctx context.Context) (*generation, error) {
		if g := s.generation.Load(); g != nil && g != failed {
			return g, nil
		}
		ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
		defer cancel()
		if f := s.loadFailure.Load(); f != nil && time.Now().Before(f.until) {
			return nil, f.err
		}
		g, err := s.load(ctx, failed)
		if err != nil {
			s.loadFailure.Store(&loadFailure{err, time.Now().Add(probeEvery + rand.N(probeEvery))})
			return nil, err
		}
		s.generation.Store(g)
		return g, nil
	})
}

// loadFailure is why the scripts could not be loaded. No call tries again before until: every
// call would fail while Redis is rebuilt.
type loadFailure struct {
	err   error
	until time.Time
}

// Share makes concurrent callers that want the same thing share one attempt. The attempt goes on if
// the caller that began it leaves, and no caller waits longer than its own context.
func Share[T any](ctx context.Context, group *singleflight.Group, what string, attempt func(context.Context) (T, error)) (T, error) {
	var none T
	result := group.DoChan(what, func() (any, error) { return attempt(context.WithoutCancel(ctx)) })
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

// load checks which Redis this is and loads the scripts of its epoch. It does both on one
// connection to the primary, so the server that was checked is the server that gets the scripts.
func (s *Shard) load(ctx context.Context, before *generation) (*generation, error) {
	node, err := s.Node(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	conn := node.Conn()
	defer func() { _ = conn.Close() }()
	id, err := inspect(ctx, conn, s.Keys)
	if err != nil {
		return nil, err
	}
	if s.config.Ledger != nil {
		return s.loadKnown(ctx, conn)
	}
	epoch, err := s.storedEpoch(ctx, conn, before == nil)
	if err != nil {
		return nil, err
	}
	if before != nil && epoch < before.epoch {
		return nil, fmt.Errorf("%w: Redis is at epoch %d, this process at %d", wire.ErrRebuilding, epoch, before.epoch)
	}
	return loadGeneration(ctx, conn, epoch, id.real())
}

// loadKnown loads the scripts of the ledger's epoch if this is the Redis that the ledger's position
// describes. It does not check the gate, because each script reads it.
func (s *Shard) loadKnown(ctx context.Context, conn *redis.Conn) (g *generation, err error) {
	one := &Conn{conn: conn, keys: s.Keys}
	err = one.known(ctx, s.config.Ledger, func(ctx context.Context, epoch uint64, id Identity) error {
		g, err = loadGeneration(ctx, conn, epoch, id.real())
		return err
	})
	if errors.Is(err, wire.ErrNotDurable) {
		return nil, fmt.Errorf("%w: the ledger can't say whether this is its Redis: %w", wire.ErrRebuilding, err)
	}
	return g, err
}

// loadGeneration loads the missing scripts of an epoch for a Store's verbs. Two round trips.
func loadGeneration(ctx context.Context, conn *redis.Conn, epoch uint64, real bool) (*generation, error) {
	sha, err := loadScripts(ctx, conn, wire.Verbs, epoch, real)
	if err != nil {
		return nil, err
	}
	return &generation{epoch, sha}, nil
}

// storedEpoch reads the epoch. If there is none, it writes the first one if initialise is true.
func (s *Shard) storedEpoch(ctx context.Context, conn *redis.Conn, initialise bool) (uint64, error) {
	text, err := conn.HGet(ctx, s.Keys.Stock, wire.FieldEpoch).Result()
	if errors.Is(err, redis.Nil) {
		if !initialise {
			return 0, fmt.Errorf("%w: Redis has lost its data", wire.ErrRebuilding)
		}
		if err := conn.HSetNX(ctx, s.Keys.Stock, wire.FieldEpoch, "1").Err(); err != nil {
			return 0, fmt.Errorf("%w: initialise: %w", wire.ErrUnavailable, err)
		}
		text, err = conn.HGet(ctx, s.Keys.Stock, wire.FieldEpoch).Result()
	}
	if err != nil {
		return 0, fmt.Errorf("%w: read epoch: %w", wire.ErrUnavailable, err)
	}
	epoch, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: epoch %q", wire.ErrCorrupt, text)
	}
	return epoch, nil
}

// Loader is the part of the ledger that loading scripts needs.
type Loader interface {
	// Loading calls check with the shard's position while it holds the script-loading lock.
	Loading(ctx context.Context, check func(context.Context, wire.Position) error) error
	// Suspect tells the reconciler that Redis may not be what the position says. It does not block.
	Suspect()
}

// LoadKnown loads the scripts if this is the Redis that the ledger's position describes. If not, it
// returns ErrRebuilding.
func (c *Conn) LoadKnown(ctx context.Context, ledger Loader) error {
	return c.known(ctx, ledger, c.Load)
}

// known calls load with the epoch of the ledger's position if this is the Redis that the position
// describes. If not, it tells the reconciler and returns ErrRebuilding.
func (c *Conn) known(ctx context.Context, ledger Loader, load func(context.Context, uint64, Identity) error) error {
	return ledger.Loading(ctx, func(ctx context.Context, p wire.Position) error {
		id, err := c.Inspect(ctx)
		if err != nil {
			return err
		}
		why := id.Foreign(p)
		if why == "" {
			there, err := c.LastApplied(ctx, p)
			if err != nil {
				return err
			}
			if !there {
				why = "it lacks the entry that the ledger applied last"
			}
		}
		if why != "" {
			ledger.Suspect()
			return fmt.Errorf("%w: %s", wire.ErrRebuilding, why)
		}
		return load(ctx, p.Epoch, id)
	})
}

// Load loads the missing scripts of an epoch, of all verbs. Two round trips.
func (c *Conn) Load(ctx context.Context, epoch uint64, id Identity) error {
	var verbs []wire.Verb
	for _, name := range lua.Names() {
		verbs = append(verbs, wire.Verb(name))
	}
	sha, err := loadScripts(ctx, c.conn, verbs, epoch, id.real())
	if err != nil {
		return err
	}
	c.sha = sha
	return nil
}

// loadScripts loads the scripts of verbs that Redis lacks, and returns the SHA-1 of each.
func loadScripts(ctx context.Context, conn *redis.Conn, verbs []wire.Verb, epoch uint64, real bool) (map[wire.Verb]string, error) {
	texts, shas, sha := make([]string, len(verbs)), make([]string, len(verbs)), make(map[wire.Verb]string, len(verbs))
	for i, verb := range verbs {
		text, err := lua.Text(string(verb), epoch, real)
		if err != nil {
			return nil, err
		}
		texts[i], shas[i] = text, fmt.Sprintf("%x", sha1.Sum([]byte(text))) // the name of a script in Redis
		sha[verb] = shas[i]
	}
	there, err := conn.ScriptExists(ctx, shas...).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: check for the scripts: %w", wire.ErrUnavailable, err)
	}
	_, err = conn.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, text := range texts {
			if !there[i] {
				pipe.ScriptLoad(ctx, text)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: load the scripts: %w", wire.ErrUnavailable, err)
	}
	return sha, nil
}
