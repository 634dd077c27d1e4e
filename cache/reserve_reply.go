package cache

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// held is the reservation that an answer of that word made. The answer says only which candidates serve
// each line: the rest is what was asked for.
func (c *reserveCall) held(a shard.Answer) (Result, error) {
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
		from, err := c.lines[i].from(part, r.Lines[i].Quantity)
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

// from reads "candidate units candidate units …", or one candidate that serves the whole quantity.
func (l *reserveLine) from(part string, quantity int64) ([]Allocation, error) {
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

// components is what kits from some locations consist of.
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

// overLimit reads which purchase limit is exceeded.
func (c *reserveCall) overLimit(payload string) error {
	f := wire.FieldReader{Rest: payload}
	i, taken := f.Number()-1, f.Number()
	if f.Failed || i < 0 || i >= int64(len(c.limits)) {
		return fmt.Errorf("reserve %q: answered %q: %w", c.request.ID, payload, ErrCorrupt)
	}
	limit := c.limits[i].limit
	return &PurchaseLimitError{Campaign: limit.ID, Limit: limit.PerCustomer, Taken: taken}
}

// insufficient reads the shortages of a refusal.
func (c *reserveCall) insufficient(payload string) error {
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

// decodeShortages reads "line available", line by line; about says which line a number means.
func decodeShortages(payload string, about func(int) (Shortage, bool)) ([]Shortage, error) {
	var shortages []Shortage
	for part := range strings.SplitSeq(payload, wire.RecordSeparator) {
		f := wire.FieldReader{Rest: part}
		shortage, ok := about(int(f.Number()))
		shortage.Available = f.Number()
		if !ok || f.Failed {
			return nil, fmt.Errorf("shortage %q: %w", part, ErrCorrupt)
		}
		shortages = append(shortages, shortage)
	}
	return shortages, nil
}
