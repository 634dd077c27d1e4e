package shard

import (
	"context"
	"strconv"

	"github.com/holdfast/holdfast/internal/wire"
)

// RepairItem is one thing to repair. The script repairs it only if Redis still has what the audit's
// entry saw.
type RepairItem struct {
	finding, name, word string
	rest                []any
}

// AddToLevel adds to the counts of a level, unless the level was repaired after the entry at p.
func AddToLevel(finding, name string, p wire.Position, add wire.LevelCounts) RepairItem {
	return RepairItem{finding, name, wire.WordAdd, []any{
		strconv.FormatUint(p.Epoch, 10), p.Sequence, add.Available, add.OnHand, add.Committed, add.SafetyStock, add.BackorderLimit,
	}}
}

// SetLevel replaces a level that has no valid counts, or that should not exist, with the ledger's
// counts. nil means that the ledger has no such level.
func SetLevel(finding string, seen wire.CheckpointLevel, to *wire.LevelCounts) RepairItem {
	stock, counts := wire.Text{}, wire.Text{}
	if to != nil {
		stock = wire.Text{There: true, Text: strconv.FormatInt(to.Available, 10)}
		counts = wire.Text{There: true, Text: joinNumbers(to.OnHand, to.Committed, to.SafetyStock, to.BackorderLimit)}
	}
	return RepairItem{finding, seen.Name, wire.WordSet, []any{argument(seen.Available), argument(seen.Counts), argument(stock), argument(counts)}}
}

// SetRecord replaces a record with the ledger's. nil means that the ledger has no such
// reservation. It changes no counter, because a wrong counter is a finding of its own.
func SetRecord(finding, id string, seen wire.Text, to *wire.Record) RepairItem {
	next := wire.Text{}
	if to != nil {
		next = wire.Text{There: true, Text: to.Encode()}
	}
	return RepairItem{finding, id, wire.WordRecord, []any{argument(seen), argument(next)}}
}

// AddToLimit adds to the count of a limit, unless the limit was repaired after the entry at p.
func AddToLimit(finding, name string, p wire.Position, add int64) RepairItem {
	return RepairItem{finding, name, wire.WordLimit, []any{strconv.FormatUint(p.Epoch, 10), p.Sequence, add}}
}

// SetLimit replaces the count of a limit that is not a valid number. 0 removes it.
func SetLimit(finding, name string, seen wire.Text, to int64) RepairItem {
	next := wire.Text{}
	if to != 0 {
		next = wire.Text{There: true, Text: strconv.FormatInt(to, 10)}
	}
	return RepairItem{finding, name, wire.WordReset, []any{argument(seen), argument(next)}}
}

// Watch adds the deadline of a held reservation to the deadlines.
func Watch(finding, id string) RepairItem { return RepairItem{finding, id, wire.WordWatch, nil} }

// Unwatch drops an id without a record from a member of deadlines.
func Unwatch(finding, id string, seen wire.CheckpointDeadline) RepairItem {
	return RepairItem{finding, id, wire.WordForget, []any{seen.Member, seen.Score.Text}}
}

// argument returns a text as the script takes it.
func argument(t wire.Text) string {
	if !t.There {
		return "-"
	}
	return "=" + t.Text
}

// Repair repairs items, and returns for each whether it changed anything. It is safe to repeat,
// even if the reply was lost: nothing is repaired twice. One round trip.
func (c *Conn) Repair(ctx context.Context, audit, actor string, items []RepairItem) (done []bool, err error) {
	args := []any{"", nonce(), audit, actor, len(items)}
	for i := range items {
		args = append(append(args, items[i].word, items[i].finding, items[i].name), items[i].rest...)
	}
	reply, err := c.run(ctx, wire.VerbRepair, 3+len(items), args...)
	if err != nil {
		return nil, err
	}
	done = make([]bool, len(items))
	for i := range items {
		done[i] = reply[3+i] == wire.StatusDone
	}
	return done, nil
}
