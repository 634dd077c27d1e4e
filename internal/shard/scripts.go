package shard

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/lua"
)

// generation is the loaded scripts of one epoch.
type generation struct {
	epoch uint64
	sha   map[wire.Verb]string
}

// current returns the loaded generation. It loads one on first use, and if a later epoch has begun.
func (s *Shard) current(ctx context.Context) (*generation, error) {
	g := s.generation.Load()
	if g != nil && s.superseded(g) == nil {
		return g, nil
	}
	return s.reload(ctx, g)
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
	result := group.DoChan(what, func() (got any, err error) {
		defer wire.Recovered(&err)
		return attempt(context.WithoutCancel(ctx))
	})
	select {
	case r := <-result:
		if r.Err != nil {
			return none, r.Err
		}
		return r.Val.(T), nil
	case <-ctx.Done():
		return none, fmt.Errorf("load %s: %w", what, context.Cause(ctx))
	}
}

// load checks which Redis this is and loads the scripts of its epoch. It does both on one
// connection to the primary, so the server that was checked is the server that gets the scripts.
func (s *Shard) load(ctx context.Context, before *generation) (g *generation, err error) {
	node, err := s.Node(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	c := &Conn{conn: node.Conn(), keys: s.Keys, verbs: wire.Verbs}
	defer func() { lookAgain(s.client, err); c.Close() }()
	if s.config.Ledger == nil {
		err = c.loadStored(ctx, before)
		return &c.loaded, err
	}
	if err := c.conn.Ping(ctx).Err(); err != nil { // a process without Redis must not hold the ledger's lock
		return nil, unavailable(err)
	}
	err = c.LoadKnown(ctx, s.config.Ledger)
	if errors.Is(err, wire.ErrNotDurable) {
		err = fmt.Errorf("%w: the ledger can't say whether this is its Redis: %w", wire.ErrRebuilding, err)
	}
	return &c.loaded, err
}

// loadStored loads the scripts of the stored epoch. If there is none, and this process knew none
// before, it begins the first one.
func (c *Conn) loadStored(ctx context.Context, before *generation) error {
	id, err := c.Inspect(ctx)
	if err == nil && id.Epoch == 0 && before == nil {
		if err := c.conn.HSetNX(ctx, c.keys.Stock, wire.FieldEpoch, "1").Err(); err != nil {
			return unavailable(err)
		}
		id, err = c.Inspect(ctx)
	}
	switch {
	case err != nil:
		return err
	case id.Epoch == 0:
		return fmt.Errorf("%w: Redis has lost its data", wire.ErrRebuilding)
	case before != nil && id.Epoch < before.epoch:
		return fmt.Errorf("%w: Redis is at epoch %d, this process at %d", wire.ErrRebuilding, id.Epoch, before.epoch)
	default:
		return c.Load(ctx, id.Epoch, id)
	}
}

// Loader is the part of the ledger that loading scripts needs.
type Loader interface {
	// Loading calls check with the shard's position while it holds the script-loading lock.
	Loading(ctx context.Context, check func(context.Context, wire.Position) error) error
	// Epoch returns the shard's epoch, 0 before there is one.
	Epoch(ctx context.Context) (uint64, error)
	// Suspect tells the reconciler that Redis may not be what the position says. It does not block.
	Suspect()
}

// LoadKnown loads the scripts if this is the Redis that the ledger's position describes. If not, it
// tells the reconciler and returns ErrRebuilding, or ErrRefused while a Redis takes no writes. It does not check the gate, because each script
// reads it. Meanwhile the reconciler may apply entries and trim the one at the position, so it looks
// again until the position stays.
func (c *Conn) LoadKnown(ctx context.Context, ledger Loader) error {
	var seen wire.Position
	why := ""
	look := func(ctx context.Context, p wire.Position) error {
		id, err := c.Inspect(ctx)
		if err != nil {
			return err
		}
		if why, err = c.foreign(ctx, id, p); err != nil {
			return err
		}
		if why == "" {
			return c.Load(ctx, p.Epoch, id)
		}
		if p == seen {
			if id.Primary {
				if err := c.CheckWrites(ctx, id, false); err != nil { // nobody can rebuild it now
					return err
				}
			}
			ledger.Suspect()
			return fmt.Errorf("%w: %s", wire.ErrRebuilding, why)
		}
		seen = p
		return nil
	}
	err := ledger.Loading(ctx, look)
	for err == nil && why != "" {
		err = ledger.Loading(ctx, look)
	}
	return err
}

// foreign returns why this Redis is not the one that a position describes, or "" if it is.
func (c *Conn) foreign(ctx context.Context, id Identity, p wire.Position) (string, error) {
	if why := id.Foreign(p); why != "" {
		return why, nil
	}
	there, err := c.LastApplied(ctx, p)
	if err == nil && !there {
		return "it lacks the entry that the ledger applied last", nil
	}
	return "", err
}

// Load loads the missing scripts of an epoch. Two round trips.
func (c *Conn) Load(ctx context.Context, epoch uint64, id Identity) error {
	texts, shas, sha := make([]string, len(c.verbs)), make([]string, len(c.verbs)), make(map[wire.Verb]string, len(c.verbs))
	for i, verb := range c.verbs {
		text, err := lua.Text(string(verb), epoch, id.real())
		if err != nil {
			return err
		}
		texts[i], shas[i] = text, fmt.Sprintf("%x", sha1.Sum([]byte(text))) // the name of a script in Redis
		sha[verb] = shas[i]
	}
	there := c.conn.ScriptExists(ctx, shas...)
	if err := checkReplies(nil, there); err != nil {
		return fmt.Errorf("check for the scripts: %w", err)
	}
	pipe := c.conn.Pipeline()
	for i, text := range texts {
		if !there.Val()[i] {
			pipe.ScriptLoad(ctx, text)
		}
	}
	if err := exec(ctx, pipe); err != nil {
		return fmt.Errorf("load the scripts: %w", err)
	}
	c.loaded = generation{epoch, sha}
	return nil
}
