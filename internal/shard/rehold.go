package shard

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/internal/wire"
)

// LostHold is a hold from a history that a rebuild dropped, which HoldAgain takes once more.
type LostHold struct {
	ID     string
	Record wire.Record // as it was in that history
	Extra  string      // JSON with the details that Redis does not keep
}

// HoldAgain takes holds from the locations that they came from, for ttl ms each. It takes all of a
// hold or none of it, and returns how many it took. It is safe to repeat. One round trip.
func (c *Conn) HoldAgain(ctx context.Context, list []LostHold, ttl func(wire.Record) int64) (taken int, err error) {
	b := newBatch(len(list))
	for i := range list {
		b.ids = append(b.ids, list[i].ID)
		list[i].arguments(b, ttl(list[i].Record))
	}
	args := []any{"", nonce(), len(list), len(b.levels.names), len(b.counters.names), ""}
	reply, err := c.run(ctx, wire.VerbReserve, 3+2*len(list), b.arguments(args)...)
	if err != nil {
		return 0, err
	}
	for i := range list {
		if reply[3+2*i] == wire.StatusHeld {
			taken++
		}
	}
	return taken, nil
}

// arguments adds a hold as the reserve script takes it.
func (a *LostHold) arguments(b *Batch, ttl int64) {
	r := a.Record
	lines, limits := requested(&r), limitUses(&r)
	b.Add(fmt.Sprintf("%d units %d %d", ttl, len(lines), len(limits)),
		strings.Join([]string{r.Fingerprint, string(r.Channel), r.Customer, r.Order}, wire.UnitSeparator),
		strings.Join([]string{string(wire.VerbReserve), a.ID, "", "0", a.Extra}, wire.UnitSeparator)+wire.RecordSeparator)
	for _, parts := range lines {
		b.Add(lineAgain(b, parts)...)
	}
	for _, l := range limits {
		b.Add(b.Counter(l.key.Name()), strconv.FormatInt(l.units, 10), strconv.FormatInt(l.most, 10))
	}
}

// requested groups a record's lines as they were requested: the components of a kit are one line.
// It leaves out a line whose units were all given back.
func requested(r *wire.Record) (lines [][]wire.RecordLine) {
	for _, l := range r.Lines {
		if len(l.From) == 0 {
			continue
		}
		last := len(lines) - 1
		if l.Kit != nil && last >= 0 && lines[last][0].Line == l.Line {
			lines[last] = append(lines[last], l)
			continue
		}
		lines = append(lines, []wire.RecordLine{l})
	}
	return lines
}

// lineAgain returns a line as the reserve script takes it: text, quantity, candidates.
func lineAgain(b *Batch, parts []wire.RecordLine) []string {
	texts, quantities := make([]string, len(parts)), []string(nil)
	places := make([]string, len(parts[0].From))
	var whole int64
	for i, part := range parts {
		each := int64(1)
		if part.Kit != nil {
			each = part.Kit.Each
			quantities = append(quantities, strconv.FormatInt(each, 10))
		}
		texts[i] = strings.Join([]string{part.Name(), string(part.SKU), strconv.FormatInt(part.Requested, 10), "0"}, wire.UnitSeparator)
		for j, from := range part.From {
			name := b.Level(wire.LevelField(part.SKU, from.Location))
			if i == 0 {
				places[j] = name
				whole += from.Quantity / each
			} else {
				places[j] += "+" + name
			}
		}
	}
	quantity := strings.Join(append([]string{strconv.FormatInt(whole, 10)}, quantities...), " ")
	return []string{strings.Join(texts, wire.RecordSeparator), quantity, strings.Join(places, " ")}
}

// limitUse is what a purchase limit counts of a record.
type limitUse struct {
	key         wire.LimitKey
	units, most int64
}

// limitUses returns what each purchase limit counts of a record.
func limitUses(r *wire.Record) (list []limitUse) {
	counts := r.LimitCounts()
	for i := range r.Lines {
		for _, limit := range r.Lines[i].Limits {
			key := limit.Key(r.Customer)
			if units, more := counts[key]; more {
				list = append(list, limitUse{key: key, units: units, most: limit.Most})
				delete(counts, key)
			}
		}
	}
	return list
}
