package shard

import (
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

// Names lists what Read reads.
type Names struct{ Levels, Reservations []string }

// Reading has the values of some names in Redis at one moment, and the entries of the stream from a
// position on.
type Reading struct {
	Levels  []wire.CheckpointLevel
	Records []wire.Text // one for each id
	// Deadlines has the score of each id among the deadlines, Unix ms; 0 if no member is that id
	// alone.
	Deadlines []float64
	Epoch     uint64 // as stored; 0 if there is none
	Open      bool   // no rebuild is under way, so the data is what the stream says
	Entries   []redis.XMessage
}

// Read reads some names, and at most count entries beginning with the one at a position, at one
// moment. It runs no script and writes nothing. One round trip.
func (c *Conn) Read(ctx context.Context, at wire.Position, n Names, count int64) (r Reading, err error) {
	var stock, levels, records *redis.SliceCmd
	var scores *redis.FloatSliceCmd
	var entries *redis.XMessageSliceCmd
	pipe := c.conn.TxPipeline()
	stock = pipe.HMGet(ctx, c.keys.Stock, append([]string{wire.FieldEpoch, wire.FieldGate}, n.Levels...)...)
	if len(n.Levels) > 0 {
		levels = pipe.HMGet(ctx, c.keys.Levels, n.Levels...)
	}
	if len(n.Reservations) > 0 {
		records = pipe.HMGet(ctx, c.keys.Reservations, n.Reservations...)
		scores = pipe.ZMScore(ctx, c.keys.Deadlines, n.Reservations...)
	}
	entries = pipe.XRangeN(ctx, c.keys.Events, at.EntryID(), "+", count)
	if err := exec(ctx, pipe); err != nil {
		return r, err
	}
	units := stock.Val()
	gate := textOf(units[1])
	r.Epoch, _ = strconv.ParseUint(textOf(units[0]).Text, 10, 64)
	r.Open = !gate.There || gate.Text == wire.GateOpen || gate.Text == wire.GateBacklog
	r.Entries = entries.Val()
	r.Levels = make([]wire.CheckpointLevel, len(n.Levels))
	for i, name := range n.Levels {
		r.Levels[i] = wire.CheckpointLevel{Name: name, Available: textOf(units[i+2]), Counts: textOf(levels.Val()[i])}
	}
	if len(n.Reservations) > 0 {
		r.Records, r.Deadlines = make([]wire.Text, len(n.Reservations)), scores.Val()
	}
	for i := range r.Records {
		r.Records[i] = textOf(records.Val()[i])
	}
	return r, nil
}

// textOf returns one value of an HMGET reply.
func textOf(value any) wire.Text {
	text, there := value.(string)
	return wire.Text{There: there, Text: text}
}

// Deadline is when the deadlines should have a reservation.
type Deadline struct {
	ID      string
	Expires int64 // Unix ms
}

// Unwatched returns the ids of those that are missing among the deadlines. One round trip.
func (c *Conn) Unwatched(ctx context.Context, list []Deadline) (ids []string, err error) {
	members := map[int64]*redis.StringSliceCmd{}
	pipe := c.conn.Pipeline()
	for _, d := range list {
		if members[d.Expires] == nil {
			at := strconv.FormatInt(d.Expires, 10)
			members[d.Expires] = pipe.ZRangeByScore(ctx, c.keys.Deadlines, &redis.ZRangeBy{Min: at, Max: at})
		}
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	watched := make(map[Deadline]bool, len(list))
	for at, found := range members {
		for _, member := range found.Val() {
			for _, id := range wire.DeadlineIDs(member) {
				watched[Deadline{id, at}] = true
			}
		}
	}
	for _, d := range list {
		if !watched[d] {
			ids = append(ids, d.ID)
		}
	}
	return ids, nil
}
