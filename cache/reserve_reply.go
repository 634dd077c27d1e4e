package cache

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// decodeHeld returns the reservation that a "held" answer made. The answer names only the
// candidates that serve each line; the rest is in the request.
func (c *reserveCall) decodeHeld(a shard.Answer) (Result, error) {
	r := c.request
	res := Reservation{
		ID: r.ID, State: StateHeld, Version: 1,
		CreatedAt: time.UnixMilli(a.Now).UTC(), ExpiresAt: time.UnixMilli(a.Now + c.ttl).UTC(),
		Channel: r.Channel, Customer: r.Customer, Order: r.Order, Lines: make([]Line, len(r.Lines)),
	}
	if channel := c.routing.Channel(); channel != "" {
		res.Channel = channel
	}
	payload := a.Payload
	for i := range r.Lines {
		var part string
		part, payload, _ = strings.Cut(payload, wire.RecordSeparator)
		from, err := c.lines[i].decodeFrom(part, r.Lines[i].Quantity)
		if err != nil {
			return Result{}, fmt.Errorf("reserve %q: %w", r.ID, err)
		}
		l := &r.Lines[i]
		res.Lines[i] = Line{
			Line: l.Line, SKU: l.SKU, Requested: l.Quantity, Quantity: l.Quantity, From: from,
			Components: c.lines[i].components(l.Quantity, from),
		}
	}
	return Result{Reservation: res}, nil
}

// decodeFrom reads "candidate units candidate units …", or one candidate that serves the whole
// quantity.
func (l *reserveLine) decodeFrom(part string, quantity int64) ([]Allocation, error) {
	from := make([]Allocation, 0, 1)
	for f := (wire.FieldReader{Rest: part}); !f.End; {
		name, units := f.Text(), quantity
		if !f.End {
			units = f.Number()
		}
		i := slices.Index(l.names, name)
		if i < 0 || f.Failed {
			return nil, fmt.Errorf("answer %q: %w", part, ErrCorrupt)
		}
		from = append(from, Allocation{Location: l.candidates.IDs[i], Quantity: units})
	}
	return from, nil
}

// components returns what the kits from some locations consist of; nil if the SKU is no kit.
func (l *reserveLine) components(kits int64, from []Allocation) []Component {
	if l.kit == nil {
		return nil
	}
	list := make([]Component, len(l.kit))
	for i, component := range l.kit {
		list[i] = Component{SKU: component.SKU, Quantity: kits * component.Quantity, From: slices.Clone(from)}
		for j := range list[i].From {
			list[i].From[j].Quantity *= component.Quantity
		}
	}
	return list
}

// decodePurchaseLimit reads which purchase limit the customer would exceed.
func (c *reserveCall) decodePurchaseLimit(payload string) error {
	f := wire.FieldReader{Rest: payload}
	i, taken := f.Number()-1, f.Number()
	if f.Failed || i < 0 || i >= int64(len(c.limits)) {
		return fmt.Errorf("reserve %q: answered %q: %w", c.request.ID, payload, ErrCorrupt)
	}
	limit := c.limits[i].limit
	return &PurchaseLimitError{Campaign: limit.ID, Limit: limit.PerCustomer, Taken: taken}
}

// decodeInsufficient reads the shortages of a refusal.
func (c *reserveCall) decodeInsufficient(payload string) error {
	shortages, err := decodeShortages(payload, func(i int) (Shortage, bool) {
		if i < 1 || i > len(c.request.Lines) {
			return Shortage{}, false
		}
		l := &c.request.Lines[i-1]
		return Shortage{Line: l.Line, SKU: l.SKU, Requested: l.Quantity}, true
	})
	if err != nil {
		return fmt.Errorf("reserve %q: %w", c.request.ID, err)
	}
	return &InsufficientError{Shortages: shortages}
}

// decodeShortages reads "line available" for each short line; lineOf returns the line of a number,
// from 1.
func decodeShortages(payload string, lineOf func(int) (Shortage, bool)) ([]Shortage, error) {
	var shortages []Shortage
	for part := range strings.SplitSeq(payload, wire.RecordSeparator) {
		f := wire.FieldReader{Rest: part}
		shortage, ok := lineOf(int(f.Number()))
		shortage.Available = f.Number()
		if !ok || f.Failed {
			return nil, fmt.Errorf("shortage %q: %w", part, ErrCorrupt)
		}
		shortages = append(shortages, shortage)
	}
	return shortages, nil
}

// result reads the record that an answer carries. If the reply of the call that made the record was
// lost, and the call was sent again, the answer is not a replay.
func (s *Store) result(id string, a shard.Answer, replay bool) (Result, error) {
	rec, err := wire.DecodeRecord(a.Payload)
	if err != nil {
		return Result{}, fmt.Errorf("reservation %q: %w", id, err)
	}
	ours := a.Resent != "" && rec.Birth == a.Resent && rec.Version == 1
	return Result{Reservation: ReservationOf(rec, id, a.Now), Replay: replay && !ours, awaited: awaited(rec, id, a.Epoch)}, nil
}
