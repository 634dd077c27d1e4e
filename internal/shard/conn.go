package shard

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

// What a Shard can find, beside errUnavailable and errCorrupt.
var (
	ErrFenced  = errors.New("redis is not at the epoch it should be") // check it, and rebuild
	ErrStopped = errors.New("the gate is stopped until an operator decides")
)

// Shard is one shard's Redis in the hands of the reconciler: one connection to its primary, so that
// what was checked and what is changed can't be two servers. After errUnavailable it is of no more use.
// It is not safe for concurrent use.
type Conn struct {
	conn *redis.Conn
	keys wire.Keys
	sha  map[string]string // of the scripts, once loaded
}

// OpenShard opens a connection to the primary of a shard. It does no I/O but to find that primary.
func Open(ctx context.Context, client redis.UniversalClient, prefix string, shard int) (*Conn, error) {
	k := wire.KeysOf(prefix, shard)
	node, err := primaryOf(ctx, client, k)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", wire.ErrUnavailable, err)
	}
	return &Conn{conn: node.Conn(), keys: k}, nil
}

// Close gives the connection back.
func (c *Conn) Close() { _ = c.conn.Close() }

// Inspect says which Redis this is. One round trip.
func (c *Conn) Inspect(ctx context.Context) (Identity, error) { return inspect(ctx, c.conn, c.keys) }

// Facts is what Redis says of itself: the fields of INFO; errCorrupt from the embedded engine, which
// says nothing. One round trip.
func (c *Conn) Facts(ctx context.Context) (map[string]string, error) {
	text, err := c.conn.Info(ctx).Result()
	switch {
	case err != nil && outcomeOf(err) == ranPartly:
		return nil, fmt.Errorf("info: %w: %w", wire.ErrCorrupt, err)
	case err != nil:
		return nil, unavailable(err)
	default:
		return infoFields(text), nil
	}
}

// run runs a script and turns a one-word refusal into an error.
func (c *Conn) run(ctx context.Context, name string, k []string, args ...any) ([]any, error) {
	reply, err := c.conn.EvalSha(ctx, c.sha[name], k, args...).Slice()
	switch {
	case err != nil && redis.HasErrorPrefix(err, "NOSCRIPT"):
		return nil, fmt.Errorf("%s: %w: %w", name, ErrFenced, err)
	case err != nil && outcomeOf(err) == ranPartly:
		return nil, fmt.Errorf("%s: %w: %w", name, wire.ErrCorrupt, err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, unavailable(err))
	case len(reply) == 0:
		return nil, fmt.Errorf("%s: empty reply: %w", name, wire.ErrCorrupt)
	}
	switch word := reply[0]; word {
	case "ok":
		return reply, nil
	case wire.GateStopped:
		return nil, ErrStopped
	default: // fenced, loading, refused
		return nil, fmt.Errorf("%s answered %q: %w", name, word, ErrFenced)
	}
}
