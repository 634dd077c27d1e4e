package shard

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

// Marking names what an audit looks at in one step: by the fields, and the members, that Redis has.
type Marking struct {
	Audit                                   string
	How                                     wire.How
	Levels, Reservations, Limits, Deadlines []string
}

// Mark has what Redis has of some names appended to the stream, and returns the entry. It changes nothing
// else, and is safe to repeat. One round trip.
func (s *Conn) Mark(ctx context.Context, m Marking) (entry string, err error) {
	args := []any{"", nonce(), m.Audit, string(m.How), len(m.Levels), len(m.Reservations), len(m.Limits), len(m.Deadlines)}
	for _, names := range [][]string{m.Levels, m.Reservations, m.Limits, m.Deadlines} {
		for i := range names {
			args = append(args, &names[i])
		}
	}
	reply, err := s.run(ctx, string(wire.VerbAudit), all(s.keys), args...)
	if err != nil {
		return "", err
	}
	if len(reply) != 3 {
		return "", fmt.Errorf("audit: %w", wire.ErrCorrupt)
	}
	return fmt.Sprint(reply[2]), nil
}

// all lists what an audit reads, as its scripts bind it.
func all(k wire.Keys) []string {
	return []string{k.Stock, k.Levels, k.Reservations, k.Deadlines, k.Limits, k.Events}
}

// Field is a field of a hash of Redis and its value, or a member of deadlines.
type Field struct{ Name, Value string }

// Part is what of Redis is scanned.
type Part int

// The parts.
const (
	PartStock Part = iota
	PartLevels
	PartReservations
	PartLimits
	PartDeadlines
)

// Scan reads some fields of a part; it begins with cursor 0, and has read all there were throughout when
// next is 0. Those that are no levels, limits and so on, but ours, are left out. One round trip.
func (s *Conn) Scan(ctx context.Context, part Part, cursor uint64, count int64) (list []Field, next uint64, err error) {
	var found []string
	if part == PartDeadlines {
		found, next, err = s.conn.ZScan(ctx, s.keys.Deadlines, cursor, "", count).Result()
	} else {
		key := map[Part]string{
			PartStock: s.keys.Stock, PartLevels: s.keys.Levels, PartReservations: s.keys.Reservations, PartLimits: s.keys.Limits,
		}[part]
		found, next, err = s.conn.HScan(ctx, key, cursor, "", count).Result()
	}
	if err != nil {
		return nil, 0, unavailable(err)
	}
	list = make([]Field, 0, len(found)/2)
	for i := 0; i+1 < len(found); i += 2 {
		if !ours(part, found[i]) {
			list = append(list, Field{found[i], found[i+1]})
		}
	}
	return list, next, nil
}

// ours says that a field is there for the scripts' own sake.
func ours(part Part, name string) bool {
	switch part {
	case PartStock:
		return name == wire.FieldEpoch || name == wire.FieldGate || name == wire.FieldLocations || name == wire.FieldExpireUntil
	case PartLevels:
		return name == wire.FieldLocations || name == wire.FieldRemoved || name == wire.FieldCounted || len(name) > 0 && name[:1] == wire.RecordSeparator // the last repair of a limit
	default:
		return false
	}
}

// Sizes is how many fields, and members, each part has at one moment, those that are ours left out. One
// round trip.
func (s *Conn) Sizes(ctx context.Context) (sizes [5]int64, err error) {
	var counts [5]*redis.IntCmd
	var stock, levels *redis.SliceCmd
	_, err = s.conn.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		counts[PartStock], counts[PartLevels] = pipe.HLen(ctx, s.keys.Stock), pipe.HLen(ctx, s.keys.Levels)
		counts[PartReservations], counts[PartLimits] = pipe.HLen(ctx, s.keys.Reservations), pipe.HLen(ctx, s.keys.Limits)
		counts[PartDeadlines] = pipe.ZCard(ctx, s.keys.Deadlines)
		stock = pipe.HMGet(ctx, s.keys.Stock, wire.FieldEpoch, wire.FieldGate, wire.FieldLocations, wire.FieldExpireUntil)
		levels = pipe.HMGet(ctx, s.keys.Levels, wire.FieldLocations, wire.FieldRemoved, wire.FieldCounted)
		return nil
	})
	if err != nil {
		return sizes, unavailable(err)
	}
	for i := range counts {
		sizes[i] = counts[i].Val()
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

// Lacking lists those of ids that have no record. One round trip.
func (s *Conn) Lacking(ctx context.Context, ids []string) (lacking []string, err error) {
	records, err := s.conn.HMGet(ctx, s.keys.Reservations, ids...).Result() // faster than HEXISTS for each
	if err != nil {
		return nil, unavailable(err)
	}
	for i, id := range ids {
		if records[i] == nil {
			lacking = append(lacking, id)
		}
	}
	return lacking, nil
}

// RepairItem is one thing to repair; its zero value repairs nothing. It is made where Redis still has what
// the audit's entry saw.
type RepairItem struct {
	finding, name, word string
	rest                []any
}

// AddToLevel adds to what a level counts, unless it was repaired since the entry at p.
func AddToLevel(finding, name string, p wire.Position, add wire.LevelCounts) RepairItem {
	return RepairItem{finding, name, wire.WordAdd, []any{
		strconv.FormatUint(p.Epoch, 10), p.Sequence, add.Available, add.OnHand, add.Committed, add.SafetyStock, add.BackorderLimit,
	}}
}

// SetLevel makes a level that can't be counted from, or that should not be there, what the ledger has; nil
// is that it has none.
func SetLevel(finding string, seen wire.MarkedLevel, to *wire.LevelCounts) RepairItem {
	stock, counts := wire.Text{}, wire.Text{}
	if to != nil {
		stock = wire.Text{There: true, Text: strconv.FormatInt(to.Available, 10)}
		counts = wire.Text{There: true, Text: joinNumbers(to.OnHand, to.Committed, to.SafetyStock, to.BackorderLimit)}
	}
	return RepairItem{finding, seen.Name, wire.WordSet, []any{argument(seen.Available), argument(seen.Counts), argument(stock), argument(counts)}}
}

// SetRecord makes a reservation what the ledger has; nil is that it has none. No counter is moved: what is
// wrong with one is a finding of its own.
func SetRecord(finding, id string, seen wire.Text, to *wire.Record) RepairItem {
	next := wire.Text{}
	if to != nil {
		next = wire.Text{There: true, Text: to.Encode()}
	}
	return RepairItem{finding, id, wire.WordRecord, []any{argument(seen), argument(next)}}
}

// AddToLimit adds to what a limit counts, unless it was repaired since the entry at p.
func AddToLimit(finding, name string, p wire.Position, add int64) RepairItem {
	return RepairItem{finding, name, wire.WordLimit, []any{strconv.FormatUint(p.Epoch, 10), p.Sequence, add}}
}

// SetLimit makes what can't be counted from what the ledger has; 0 is nothing.
func SetLimit(finding, name string, seen wire.Text, to int64) RepairItem {
	next := wire.Text{}
	if to != 0 {
		next = wire.Text{There: true, Text: strconv.FormatInt(to, 10)}
	}
	return RepairItem{finding, name, wire.WordReset, []any{argument(seen), argument(next)}}
}

// Watch has the deadline of a held reservation be among the deadlines.
func Watch(finding, id string) RepairItem { return RepairItem{finding, id, wire.WordWatch, nil} }

// Unwatch takes an id without a record out of a member of deadlines.
func Unwatch(finding, id string, seen wire.MarkedDeadline) RepairItem {
	return RepairItem{finding, id, wire.WordForget, []any{seen.Member, seen.Score.Text}}
}

// argument is a text as the script takes it.
func argument(t wire.Text) string {
	if !t.There {
		return "-"
	}
	return "=" + t.Text
}

// Repair repairs, and says of each item whether anything was changed. It is safe to repeat, also where the
// reply was lost: what was repaired is not repaired again. One round trip.
func (s *Conn) Repair(ctx context.Context, audit, actor string, items []RepairItem) (done []bool, err error) {
	args := []any{"", nonce(), audit, actor, len(items)}
	for i := range items {
		args = append(append(args, items[i].word, items[i].finding, items[i].name), items[i].rest...)
	}
	reply, err := s.run(ctx, string(wire.VerbRepair), all(s.keys), args...)
	if err != nil {
		return nil, err
	}
	if len(reply) != 3+len(items) {
		return nil, fmt.Errorf("%d values answered to %d repairs: %w", len(reply), len(items), wire.ErrCorrupt)
	}
	done = make([]bool, len(items))
	for i := range items {
		done[i] = reply[3+i] == "done"
	}
	return done, nil
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
func (s *Conn) LoadKnown(ctx context.Context, ledger Loader) error {
	return s.known(ctx, ledger, s.Load)
}

// known calls load with the epoch of the ledger's position if Redis has the data that the position
// describes, and tells the reconciler if it has not.
func (s *Conn) known(ctx context.Context, ledger Loader, load func(context.Context, uint64, Identity) error) error {
	return ledger.Loading(ctx, func(ctx context.Context, p wire.Position) error {
		id, err := s.Inspect(ctx)
		if err != nil {
			return err
		}
		why := id.Foreign(p)
		if why == "" {
			there, err := s.LastApplied(ctx, p)
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
