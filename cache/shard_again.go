package cache

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Again is a hold that was taken in a history that is no more, to be taken anew.
type Again struct {
	ID     string
	Record Record // as it was
	Extra  string // JSON of what Redis does not keep
}

// HoldAgain takes holds anew where they came from, for ttl ms each, all of a hold or nothing of it, and
// returns how many were had. It is safe to repeat. One round trip.
func (s *Shard) HoldAgain(ctx context.Context, list []Again, ttl func(Record) int64) (taken int, err error) {
	b := newBatch(len(list))
	for i := range list {
		b.ids = append(b.ids, list[i].ID)
		list[i].arguments(b, ttl(list[i].Record))
	}
	args := []any{"", nonce(), len(list), len(b.names)}
	for _, part := range [][]string{b.ids, b.names, b.body} {
		for _, text := range part {
			args = append(args, text)
		}
	}
	k := s.keys
	reply, err := s.run(ctx, string(VerbReserve), k.of(VerbReserve), args...)
	if err != nil {
		return 0, err
	}
	if len(reply) != 3+2*len(list) {
		return 0, fmt.Errorf("%d values answered to %d holds: %w", len(reply), len(list), ErrCorrupt)
	}
	for i := range list {
		if reply[3+2*i] == "held" {
			taken++
		}
	}
	return taken, nil
}

// arguments adds a hold as the reserve script takes it.
func (a *Again) arguments(b *batch, ttl int64) {
	r := a.Record
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	b.add(fmt.Sprintf("%d units %d", ttl, len(r.Lines)),
		strings.Join([]string{r.Fingerprint, string(r.Channel), r.Customer, r.Order}, unitSeparator),
		strings.Join([]string{string(VerbReserve), a.ID, "", "0", a.Extra}, unitSeparator)+recordSeparator)
	for _, l := range r.Lines {
		var units int64
		places := make([]string, len(l.From))
		for i, from := range l.From {
			units += from.Quantity
			places[i] = b.level(levelName(l.SKU, from.Location))
		}
		b.add(strings.Join([]string{l.Line, string(l.SKU), number(l.Requested), "0"}, unitSeparator), number(units), strings.Join(places, " "))
	}
}
