package shard

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

// sealName is a field of each hash, and a member of deadlines, that no id and no level can have. The
// stock has the field sealed as long as the others must have theirs. So a key that was deleted by
// hand is noticed, even if scripts have written to it since.
const (
	sealName    = "{seal}"
	fieldSealed = "sealed"
)

// sealed lists the hashes that have a seal.
func sealed(k wire.Keys) []string { return []string{k.Levels, k.Reservations, k.Operations, k.Limits} }

// damage returns which key was deleted or has another type than the scripts wrote, or "". unsealed
// says that no seals were written yet. It looks again before it names a key, because a rebuild may
// begin, or the keys be sealed, while it looks. One round trip, or two.
func damage(ctx context.Context, client redis.Cmdable, k wire.Keys) (why string, unsealed bool, err error) {
	for range 2 {
		if why, unsealed, err = lookForDamage(ctx, client, k); err != nil || why == "" {
			break
		}
	}
	return why, unsealed, err
}

func lookForDamage(ctx context.Context, client redis.Cmdable, k wire.Keys) (why string, unsealed bool, err error) {
	pipe := client.Pipeline()
	var keys []string
	var replies []redis.Cmder
	for _, key := range sealed(k) {
		keys, replies = append(keys, key), append(replies, pipe.HGet(ctx, key, sealName))
	}
	keys = append(keys, k.Deadlines, k.Events, k.Stock)
	isSealed := pipe.HGet(ctx, k.Stock, fieldSealed)
	replies = append(replies, pipe.ZScore(ctx, k.Deadlines, sealName), pipe.XLen(ctx, k.Events), isSealed)
	if _, err := pipe.Exec(ctx); err != nil && !isReply(err) && !errors.Is(err, redis.Nil) {
		return "", false, replyError(err)
	}
	unsealed = errors.Is(isSealed.Err(), redis.Nil)
	for i, reply := range replies {
		switch err := reply.Err(); {
		case err == nil, errors.Is(err, redis.Nil) && unsealed:
		case errors.Is(err, redis.Nil):
			return keys[i] + " was deleted", false, nil
		case redis.HasErrorPrefix(err, "WRONGTYPE"):
			return keys[i] + " has another type than the scripts wrote", false, nil
		default:
			return "", false, replyError(err)
		}
	}
	return "", unsealed, nil
}

// Damage returns ErrRebuilding, and tells the reconciler, if a key was deleted by hand or has another
// type. It returns nil without a ledger, from which alone Redis can be rebuilt. One round trip.
func (s *Shard) Damage(ctx context.Context) error {
	if s.config.Ledger == nil {
		return nil
	}
	node, err := s.Node(ctx)
	if err != nil {
		return unavailable(err)
	}
	why, _, err := damage(ctx, node, s.Keys)
	if why != "" {
		s.config.Ledger.Suspect()
		return fmt.Errorf("%w: %s", wire.ErrRebuilding, why)
	}
	return err
}

// damaged returns the error of Damage, or err if nothing is damaged. A key of another type may have
// been replaced since it made a script fail: that is ErrRebuilding too.
func (s *Shard) damaged(ctx context.Context, err error) error {
	found := s.Damage(ctx)
	switch {
	case errors.Is(found, wire.ErrRebuilding):
		return found
	case s.config.Ledger != nil && redis.HasErrorPrefix(err, "WRONGTYPE"):
		return fmt.Errorf("%w: %w", wire.ErrRebuilding, err)
	}
	return err
}

// Damage returns which key was deleted by hand or has another type, or "". It seals keys that were not
// sealed yet, unless Redis takes no writes. Two round trips at most.
func (c *Conn) Damage(ctx context.Context) (why string, err error) {
	why, unsealed, err := damage(ctx, c.conn, c.keys)
	if err != nil || !unsealed {
		return why, err
	}
	pipe := c.conn.TxPipeline()
	for _, key := range sealed(c.keys) {
		pipe.HSet(ctx, key, sealName, "1")
	}
	pipe.ZAdd(ctx, c.keys.Deadlines, redis.Z{Score: 1 << 52, Member: sealName}) // never due
	pipe.HSet(ctx, c.keys.Stock, fieldSealed, "1")
	if err := exec(ctx, pipe); err != nil && !errors.Is(err, wire.ErrRefused) {
		return "", err
	}
	return "", nil
}

// Whole reports whether every key is there, with its seal. A replica that was promoted while it loaded a
// snapshot lacks some. One round trip, or two.
func (c *Conn) Whole(ctx context.Context) (bool, error) {
	why, unsealed, err := damage(ctx, c.conn, c.keys)
	return why == "" && !unsealed, err
}

// DropOtherTypes deletes the keys that have another type than the scripts wrote: no script can read
// them, nor delete them. It returns their names. Two round trips at most.
func (c *Conn) DropOtherTypes(ctx context.Context) (dropped string, err error) {
	k := c.keys
	keys, types := append(sealed(k), k.Stock, k.Deadlines, k.Events), []string{"hash", "hash", "hash", "hash", "hash", "zset", "stream"}
	pipe := c.conn.Pipeline()
	for _, key := range keys {
		pipe.Type(ctx, key)
	}
	replies, err := pipe.Exec(ctx)
	if err := checkReplies(err, replies...); err != nil {
		return "", err
	}
	var other []string
	for i, reply := range replies {
		if is := reply.(*redis.StatusCmd).Val(); is != types[i] && is != "none" {
			other = append(other, keys[i])
		}
	}
	if len(other) == 0 {
		return "", nil
	}
	return strings.Join(other, ", "), unavailable(c.conn.Unlink(ctx, other...).Err())
}
