package shard

import (
	"context"
	"fmt"
	"strconv"

	"github.com/holdfast/holdfast/internal/wire"
)

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
func (c *Conn) Repair(ctx context.Context, audit, actor string, items []RepairItem) (done []bool, err error) {
	args := []any{"", nonce(), audit, actor, len(items)}
	for i := range items {
		args = append(append(args, items[i].word, items[i].finding, items[i].name), items[i].rest...)
	}
	reply, err := c.run(ctx, string(wire.VerbRepair), all(c.keys), args...)
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
