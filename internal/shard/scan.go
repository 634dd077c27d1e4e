package shard

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

// Field is a field of a hash with its value, or a member of deadlines with its score.
type Field struct{ Name, Value string }

// Part is one of the keys that an audit scans.
type Part int

// The parts that Scan reads.
const (
	PartStock Part = iota
	PartLevels
	PartReservations
	PartLimits
	PartDeadlines
)

// Scan reads some fields of a part. The first call passes cursor 0, and each later call passes
// next. When next is 0, every field that was there throughout has been read. Scan leaves out the
// scripts' own fields. One round trip.
func (c *Conn) Scan(ctx context.Context, part Part, cursor uint64, count int64) (list []Field, next uint64, err error) {
	var found []string
	if part == PartDeadlines {
		found, next, err = c.conn.ZScan(ctx, c.keys.Deadlines, cursor, "", count).Result()
	} else {
		key := map[Part]string{
			PartStock: c.keys.Stock, PartLevels: c.keys.Levels, PartReservations: c.keys.Reservations, PartLimits: c.keys.Limits,
		}[part]
		found, next, err = c.conn.HScan(ctx, key, cursor, "", count).Result()
	}
	if err != nil {
		return nil, 0, replyError(err)
	}
	list = make([]Field, 0, len(found)/2)
	for i := 0; i+1 < len(found); i += 2 {
		if !ours(part, found[i]) {
			list = append(list, Field{found[i], found[i+1]})
		}
	}
	return list, next, nil
}

// ours reports whether a field is the scripts' own: not a level or a limit.
func ours(part Part, name string) bool {
	switch part {
	case PartStock:
		return name == wire.FieldEpoch || name == wire.FieldGate || name == wire.FieldLocations || name == wire.FieldExpireUntil ||
			name == wire.FieldLedger || name == wire.FieldUnfinished || name == wire.FieldGraceUntil || name == fieldSealed
	case PartLevels:
		lastRepair := strings.HasPrefix(name, wire.RecordSeparator) // of a limit
		return name == wire.FieldLocations || name == wire.FieldRemoved || name == wire.FieldCounted || name == sealName || lastRepair
	default:
		return name == sealName
	}
}

// Sizes returns the number of fields or members of each part at one moment, indexed by Part. It
// leaves out the scripts' own fields. One round trip.
func (c *Conn) Sizes(ctx context.Context) (sizes [5]int64, err error) {
	var counts [5]*redis.IntCmd
	var stock, levels *redis.SliceCmd
	pipe := c.conn.TxPipeline()
	counts[PartStock], counts[PartLevels] = pipe.HLen(ctx, c.keys.Stock), pipe.HLen(ctx, c.keys.Levels)
	counts[PartReservations], counts[PartLimits] = pipe.HLen(ctx, c.keys.Reservations), pipe.HLen(ctx, c.keys.Limits)
	counts[PartDeadlines] = pipe.ZCard(ctx, c.keys.Deadlines)
	stock = pipe.HMGet(ctx, c.keys.Stock, wire.FieldEpoch, wire.FieldGate, wire.FieldLocations, wire.FieldExpireUntil, fieldSealed, wire.FieldLedger,
		wire.FieldUnfinished, wire.FieldGraceUntil)
	levels = pipe.HMGet(ctx, c.keys.Levels, wire.FieldLocations, wire.FieldRemoved, wire.FieldCounted)
	if err := exec(ctx, pipe); err != nil {
		return sizes, err
	}
	for i := range counts {
		sizes[i] = counts[i].Val()
		if isSealed := stock.Val()[4] != nil; isSealed && Part(i) != PartStock {
			sizes[i]--
		}
	}
	for part, fields := range map[Part]*redis.SliceCmd{PartStock: stock, PartLevels: levels} {
		for _, value := range fields.Val() {
			if value != nil {
				sizes[part]--
			}
		}
	}
	return sizes, nil
}

// Missing returns the ids that have no record. One round trip.
func (c *Conn) Missing(ctx context.Context, ids []string) (missing []string, err error) {
	records := c.conn.HMGet(ctx, c.keys.Reservations, ids...) // faster than HEXISTS for each
	if err := checkReplies(nil, records); err != nil {
		return nil, err
	}
	for i, id := range ids {
		if records.Val()[i] == nil {
			missing = append(missing, id)
		}
	}
	return missing, nil
}
