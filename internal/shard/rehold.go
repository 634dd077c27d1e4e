package shard

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/internal/wire"
)

// Again is a hold that was taken in a history that is no more, to be taken anew.
type Again struct {
	ID     string
	Record wire.Record // as it was
	Extra  string      // JSON of what Redis does not keep
}

// HoldAgain takes holds anew where they came from, for ttl ms each, all of a hold or nothing of it, and
// returns how many were had. It is safe to repeat. One round trip.
func (c *Conn) HoldAgain(ctx context.Context, list []Again, ttl func(wire.Record) int64) (taken int, err error) {
	b := newBatch(len(list))
	for i := range list {
		b.ids = append(b.ids, list[i].ID)
		list[i].arguments(b, ttl(list[i].Record))
	}
	args := []any{"", nonce(), len(list), len(b.names), len(b.counters), ""}
	k := c.keys
	reply, err := c.run(ctx, string(wire.VerbReserve), k.Of(wire.VerbReserve), b.arguments(args)...)
	if err != nil {
		return 0, err
	}
	if len(reply) != 3+2*len(list) {
		return 0, fmt.Errorf("%d values answered to %d holds: %w", len(reply), len(list), wire.ErrCorrupt)
	}
	for i := range list {
		if reply[3+2*i] == "held" {
			taken++
		}
	}
	return taken, nil
}

// arguments adds a hold as the reserve script takes it.
func (a *Again) arguments(b *Batch, ttl int64) {
	r := a.Record
	lines, limits := asked(&r), limitUses(&r)
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

// asked groups a record's lines as they were asked for: the components of a kit are one. A line that was given
// back is asked for no more.
func asked(r *wire.Record) (lines [][]wire.RecordLine) {
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

// lineAgain is a line as the reserve script takes it: text, quantity, candidates.
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

// limitTaken is what a record takes of a purchase limit.
type limitTaken struct {
	key         wire.LimitKey
	units, most int64
}

// limitUses is what a record takes of each purchase limit that counts it.
func limitUses(r *wire.Record) (list []limitTaken) {
	counts := r.LimitCounts()
	for i := range r.Lines {
		for _, limit := range r.Lines[i].Limits {
			key := wire.LimitKey{Limit: limit.ID, Customer: r.Customer}
			if units, more := counts[key]; more {
				list = append(list, limitTaken{key: key, units: units, most: limit.Most})
				delete(counts, key)
			}
		}
	}
	return list
}
