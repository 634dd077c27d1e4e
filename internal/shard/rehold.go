package shard

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// LostHold is a reservation that a rebuild dropped, which HoldAgain holds once more.
type LostHold struct {
	ID     string
	Record wire.Record // as it was before
	Extra  string      // JSON with the details that Redis does not keep
	TTL    int64       // ms until the deadline

	// Elsewhere lists, for each line by its name, locations to try after those that it came from.
	Elsewhere map[string][]location.ID
}

// The most that HoldAgain sends in one call.
const (
	holdsPerCall     = 64
	holdLinesPerCall = 256
)

// HoldAgain takes the units of each hold from the locations that they came from, all of a hold or none
// of it. It answers each hold as the reserve script does. It is safe to repeat. One round trip for
// holdsPerCall holds or holdLinesPerCall lines.
func (c *Conn) HoldAgain(ctx context.Context, list []LostHold) (answers []Answer, err error) {
	for len(list) > 0 {
		n, lines := 1, len(list[0].Record.Lines)
		for n < min(len(list), holdsPerCall) && lines+len(list[n].Record.Lines) <= holdLinesPerCall {
			lines += len(list[n].Record.Lines)
			n++
		}
		some, err := c.holdAgain(ctx, list[:n], "")
		if err != nil {
			return nil, err
		}
		answers, list = append(answers, some...), list[n:]
	}
	return answers, nil
}

// Records returns the records that Redis has of some reservations, and the time of its clock, Unix ms.
// One round trip.
func (c *Conn) Records(ctx context.Context, ids []string) (found map[string]string, now int64, err error) {
	pipe := c.conn.Pipeline()
	records, at := pipe.HMGet(ctx, c.keys.Reservations, ids...), pipe.Time(ctx)
	if err := exec(ctx, pipe); err != nil {
		return nil, 0, err
	}
	found = map[string]string{}
	for i, id := range ids {
		if text, there := records.Val()[i].(string); there {
			found[id] = text
		}
	}
	return found, at.Val().UnixMilli(), nil
}

// TryHold returns what HoldAgain would answer to a hold of an unknown id now, and changes nothing. One
// round trip.
func (c *Conn) TryHold(ctx context.Context, hold LostHold) (Answer, error) {
	hold.ID = ""
	answers, err := c.holdAgain(ctx, []LostHold{hold}, modeDry)
	if err != nil {
		return Answer{}, err
	}
	return answers[0], nil
}

func (c *Conn) holdAgain(ctx context.Context, list []LostHold, mode string) ([]Answer, error) {
	b := newBatch(len(list))
	for i := range list {
		b.ids = append(b.ids, list[i].ID)
		list[i].arguments(b)
	}
	args := []any{"", nonce(), len(list), len(b.levels.names), len(b.counters.names), mode}
	reply, err := c.run(ctx, wire.VerbReserve, 3+2*len(list), b.arguments(args)...)
	if err != nil {
		return nil, err
	}
	answers := make([]Answer, len(list))
	for i := range answers {
		answers[i] = Answer{Status: reply[3+2*i], Payload: reply[4+2*i]}
	}
	return answers, nil
}

// arguments adds a hold as the reserve script takes it.
func (a *LostHold) arguments(b *Batch) {
	r := a.Record
	r.Lines = slices.Clone(r.Lines)
	for i := range r.Lines { // no unit has left yet
		r.Lines[i].Returned = 0
	}
	lines, limits := requested(&r), limitUses(&r)
	shape := fmt.Sprintf("%d units %d %d", a.TTL, len(lines), len(limits))
	if slices.ContainsFunc(r.Lines, func(l wire.RecordLine) bool { return l.Backorder }) {
		shape += " backorder"
	}
	b.Add(shape,
		strings.Join([]string{r.Fingerprint, string(r.Channel), r.Customer, r.Order}, wire.UnitSeparator),
		strings.Join([]string{string(wire.VerbReserve), a.ID, "", "0", a.Extra}, wire.UnitSeparator)+wire.RecordSeparator)
	for _, parts := range lines {
		b.Add(lineAgain(b, parts, a.Elsewhere[parts[0].Line])...)
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
func lineAgain(b *Batch, parts []wire.RecordLine, elsewhere []location.ID) []string {
	var at []location.ID
	for _, from := range parts[0].From {
		at = append(at, from.Location)
	}
	for _, id := range elsewhere {
		if !slices.Contains(at, id) {
			at = append(at, id)
		}
	}
	texts, quantities := make([]string, len(parts)), []string{strconv.FormatInt(quantity(parts), 10)}
	places := make([]string, len(at))
	for i, part := range parts {
		if part.Kit != nil {
			quantities = append(quantities, strconv.FormatInt(part.Kit.Each, 10))
		}
		texts[i] = strings.Join([]string{part.Name(), string(part.SKU), strconv.FormatInt(part.Requested, 10), "0"}, wire.UnitSeparator)
		for j, id := range at {
			name := b.Level(wire.LevelField(part.SKU, id))
			if i == 0 {
				places[j] = name
			} else {
				places[j] += "+" + name
			}
		}
	}
	return []string{strings.Join(texts, wire.RecordSeparator), strings.Join(quantities, " "), strings.Join(places, " ")}
}

// quantity returns the units that a requested line has, or its kits.
func quantity(parts []wire.RecordLine) (whole int64) {
	each := int64(1)
	if parts[0].Kit != nil {
		each = parts[0].Kit.Each
	}
	for _, from := range parts[0].From {
		whole += from.Quantity / each
	}
	return whole
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
			key, counted := limit.Key(r.Customer)
			if units, more := counts[key]; more && counted {
				list = append(list, limitUse{key: key, units: units, most: limit.Most})
				delete(counts, key)
			}
		}
	}
	return list
}
