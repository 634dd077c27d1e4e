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

// generation is the scripts of one epoch, as loaded.
type generation struct {
	epoch uint64
	sha   map[wire.Verb]string
}

// current is the loaded generation; on first use it loads one.
func (s *Shard) current(ctx context.Context) (*generation, error) {
	if g := s.generation.Load(); g != nil {
		return g, nil
	}
	return s.reload(ctx, nil)
}

// reload checks whose data Redis has and loads the scripts again; callers that saw the same
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

// loadFailure is why the scripts could not be loaded, and until when nobody tries again: every call
// meets it while Redis is rebuilt.
type loadFailure struct {
	err   error
	until time.Time
}

// Share has callers that want the same at once share one attempt at it. The attempt does not end with
// the caller that happened to begin it, and no caller waits longer than its own context.
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

// load checks whose data Redis has and loads the scripts of its epoch, on one connection to the
// primary: what was checked and what is loaded can't be two servers.
func (s *Shard) load(ctx context.Context, before *generation) (*generation, error) {
	node, err := s.Node(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", wire.ErrUnavailable, err)
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
	return loadScripts(ctx, conn, epoch, id.real())
}

// loadKnown loads the scripts of the epoch that the ledger's position names, if Redis has the data that
// the position describes. The gate does not matter here: each script reads it.
func (s *Shard) loadKnown(ctx context.Context, conn *redis.Conn) (g *generation, err error) {
	one := &Conn{conn: conn, keys: s.Keys}
	err = one.known(ctx, s.config.Ledger, func(ctx context.Context, epoch uint64, id Identity) error {
		g, err = loadScripts(ctx, conn, epoch, id.real())
		return err
	})
	if errors.Is(err, wire.ErrNotDurable) {
		return nil, fmt.Errorf("%w: the ledger can't be asked whose data Redis has: %w", wire.ErrRebuilding, err)
	}
	return g, err
}

// loadScripts loads those of an epoch's scripts that Redis does not have. Two round trips.
func loadScripts(ctx context.Context, conn *redis.Conn, epoch uint64, real bool) (*generation, error) {
	names := make([]string, len(wire.Verbs))
	for i, verb := range wire.Verbs {
		names[i] = string(verb)
	}
	shas, err := loadNamed(ctx, conn, names, epoch, real)
	if err != nil {
		return nil, err
	}
	g := &generation{epoch: epoch, sha: make(map[wire.Verb]string, len(wire.Verbs))}
	for i, verb := range wire.Verbs {
		g.sha[verb] = shas[i]
	}
	return g, nil
}

// storedEpoch reads the epoch. Where there is none and initialise says so, it makes the first.
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

// Loader is what loading scripts needs of the ledger.
type Loader interface {
	// Loading calls check with the shard's position while no other process loads scripts.
	Loading(ctx context.Context, check func(context.Context, wire.Position) error) error
	// Suspect tells the reconciler that Redis may not be what the position says. It does not block.
	Suspect()
}

// LoadKnown loads the scripts if Redis has the data that the ledger's position describes. Refusals:
// errRebuilding.
func (c *Conn) LoadKnown(ctx context.Context, ledger Loader) error {
	return c.known(ctx, ledger, c.Load)
}

// known calls load with the epoch of the ledger's position if Redis has the data that the position
// describes, and tells the reconciler if it has not.
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
				why = "its last applied event is not the ledger's"
			}
		}
		if why != "" {
			ledger.Suspect()
			return fmt.Errorf("%w: %s", wire.ErrRebuilding, why)
		}
		return load(ctx, p.Epoch, id)
	})
}

// Load loads those of an epoch's scripts that are missing, the verbs' too. Two round trips.
func (c *Conn) Load(ctx context.Context, epoch uint64, id Identity) error {
	names := lua.Names()
	shas, err := loadNamed(ctx, c.conn, names, epoch, id.real())
	if err != nil {
		return err
	}
	c.sha = make(map[string]string, len(names))
	for i, name := range names {
		c.sha[name] = shas[i]
	}
	return nil
}

// loadNamed loads scripts by name, those that Redis has not, and returns their SHA-1s.
func loadNamed(ctx context.Context, conn *redis.Conn, names []string, epoch uint64, real bool) ([]string, error) {
	texts, shas := make([]string, len(names)), make([]string, len(names))
	for i, name := range names {
		text, err := lua.Text(name, epoch, real)
		if err != nil {
			return nil, err
		}
		texts[i], shas[i] = text, fmt.Sprintf("%x", sha1.Sum([]byte(text))) // what Redis names it by
	}
	there, err := conn.ScriptExists(ctx, shas...).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: look for the scripts: %w", wire.ErrUnavailable, err)
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
	return shas, nil
}
