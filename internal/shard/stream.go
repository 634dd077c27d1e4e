package shard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

// LastApplied reports whether the stream has the entry at a position, with its nonce. One round
// trip.
func (c *Conn) LastApplied(ctx context.Context, p wire.Position) (bool, error) {
	entries, err := c.conn.XRange(ctx, c.keys.Events, p.EntryID(), p.EntryID()).Result()
	if err != nil {
		return false, fmt.Errorf("read the entry at the position: %w", replyError(err))
	}
	return len(entries) == 1 && entries[0].Values["n"] == p.Nonce, nil
}

// Entries reads at most count entries, beginning with the one at id from. "-" is the first entry.
// One round trip.
func (c *Conn) Entries(ctx context.Context, from string, count int64) ([]redis.XMessage, error) {
	entries, err := c.conn.XRangeN(ctx, c.keys.Events, from, "+", count).Result()
	return entries, unavailable(err)
}

// Last reads the last entry. ok is false if the stream is empty. One round trip.
func (c *Conn) Last(ctx context.Context) (entry redis.XMessage, ok bool, err error) {
	entries, err := c.conn.XRevRangeN(ctx, c.keys.Events, "+", "-", 1).Result()
	if err != nil || len(entries) == 0 {
		return redis.XMessage{}, false, unavailable(err)
	}
	return entries[0], true, nil
}

// Wait returns when the stream has an entry after id, or when the time most has passed. One
// round trip.
func (c *Conn) Wait(ctx context.Context, id string, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most+time.Second) // the extra second is for a Redis that hangs
	defer cancel()
	err := c.conn.XRead(ctx, &redis.XReadArgs{Streams: []string{c.keys.Events, id}, Count: 1, Block: most}).Err()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return unavailable(err)
}
