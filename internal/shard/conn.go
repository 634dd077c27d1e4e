package shard

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/lua"
)

// The errors of a Conn, beside ErrUnavailable and ErrCorrupt.
var (
	ErrFenced  = errors.New("redis is at another epoch") // check it, and rebuild
	ErrStopped = errors.New("the gate is stopped until an operator decides")
)

// Conn is the reconciler's connection to the primary of a shard. It is a single connection, so the
// server that was checked is the server that is changed. After ErrUnavailable it must be closed. It
// is not safe for concurrent use. Checkouts use a Shard instead.
type Conn struct {
	conn   *redis.Conn
	keys   wire.Keys
	verbs  []wire.Verb // whose scripts it loads
	loaded generation
}

// Open returns a connection to the primary of a shard. On a cluster it finds out which node that
// is; else it does no I/O. The last connection may have been lost to a failover. So Open also makes
// the client ask which nodes are the primaries, for the next Open.
func Open(ctx context.Context, client redis.UniversalClient, prefix string, shard int) (*Conn, error) {
	k := wire.KeysOf(prefix, shard)
	if c, ok := client.(*redis.ClusterClient); ok {
		c.ReloadState(ctx)
	}
	node, err := primaryOf(ctx, client, k)
	if err != nil {
		return nil, unavailable(err)
	}
	c := &Conn{conn: node.Conn(), keys: k}
	for _, name := range lua.Names() {
		c.verbs = append(c.verbs, wire.Verb(name))
	}
	return c, nil
}

// Close returns the connection to its pool.
func (c *Conn) Close() { _ = c.conn.Close() }

// Inspect returns which Redis this is. One round trip.
func (c *Conn) Inspect(ctx context.Context) (Identity, error) { return inspect(ctx, c.conn, c.keys) }

// Facts returns the fields of INFO. The embedded engine does not know INFO, and Facts returns
// ErrCorrupt. One round trip.
func (c *Conn) Facts(ctx context.Context) (map[string]string, error) {
	text, err := c.conn.Info(ctx).Result()
	if err != nil {
		return nil, replyError(err)
	}
	return InfoFields(text), nil
}

// Settings returns those settings of the server whose names match a pattern. The user may lack the right
// to read them: then it returns ErrRefused. One round trip.
func (c *Conn) Settings(ctx context.Context, pattern string) (map[string]string, error) {
	settings, err := c.conn.ConfigGet(ctx, pattern).Result()
	if err != nil {
		return nil, replyError(err)
	}
	return settings, nil
}

// run runs a script once and returns its reply of n texts. A reply of one word is an error.
func (c *Conn) run(ctx context.Context, verb wire.Verb, n int, args ...any) ([]string, error) {
	reply, err := c.conn.EvalSha(ctx, c.loaded.sha[verb], c.keys.Of(verb), args...).Slice()
	switch {
	case err != nil && redis.HasErrorPrefix(err, "NOSCRIPT"):
		return nil, fmt.Errorf("%s: %w: %w", verb, ErrFenced, err)
	case err != nil && outcomeOf(err) == ranPartly:
		return nil, fmt.Errorf("%s: %w: %w", verb, wire.ErrCorrupt, err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", verb, unavailable(err))
	case len(reply) == 0:
		return nil, fmt.Errorf("%s: empty reply: %w", verb, wire.ErrCorrupt)
	}
	switch word := reply[0]; word {
	case wire.StatusOK:
		return texts(verb, reply, n)
	case wire.StatusStopped:
		return nil, ErrStopped
	case wire.StatusFenced, wire.StatusLoading, wire.StatusBacklog, wire.StatusRefused:
		return nil, fmt.Errorf("%s answered %q: %w", verb, word, ErrFenced)
	default:
		return nil, fmt.Errorf("%s answered %v: %w", verb, word, wire.ErrCorrupt)
	}
}
