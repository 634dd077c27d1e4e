package cache

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast/holdfast/location"
)

// reroutesMax bounds how often one call is routed again because the locations changed under it.
const reroutesMax = 5

// Reserve takes units out of sale until a deadline: all lines or none. It is safe to repeat: the
// same id with the same request answers the reservation as it is now, and takes nothing again, also
// after it was confirmed, released or expired.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding or ErrBacklogFull, ErrIDConflict,
// *UnknownStockError, *NoLocationError, *InsufficientError. After ErrUnavailable or an ended context
// the outcome is unknown: repeat with the same id.
//
// It costs one round trip, shared with the other calls of its batch; a refusal that may be due to
// overdue reservations or a list of locations that is out of date costs one more each time.
func (s *Store) Reserve(ctx context.Context, r ReserveRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(VerbReserve, started, result.Replay, err) }()
	if err := r.validate(s.options.TTLMax); err != nil {
		return Result{}, err
	}
	call := newReserveCall(&r, s.options.TTL)
	for range reroutesMax {
		known, err := s.locations(ctx)
		if err != nil {
			return Result{}, err
		}
		if err := call.route(known.directory); err != nil {
			return Result{}, err
		}
		a := s.send(ctx, VerbReserve, call)
		if a.err != nil {
			return Result{}, fmt.Errorf("reserve %q: %w", r.ID, a.err)
		}
		stale := a.locations != known.version
		switch a.status {
		case "held":
			return call.held(a)
		case "replay":
			return s.replayed(ctx, &r, a)
		case "insufficient":
			if !stale {
				return Result{}, call.insufficient(a.payload)
			}
			s.catalog.known.CompareAndSwap(known, nil)
		case "no_location":
			if err := s.explain(ctx, call); err != nil {
				return Result{}, err
			}
		default:
			return Result{}, refusal(VerbReserve, r.ID, a)
		}
	}
	return Result{}, fmt.Errorf("reserve %q: %w: the locations keep changing", r.ID, ErrUnavailable)
}

// send queues a request until its answer is final: as long as overdue reservations are being given
// back for it, it is sent again.
func (s *Store) send(ctx context.Context, verb Verb, r request) answer {
	for {
		a := s.queues[verb].do(ctx, r)
		if a.err != nil {
			return a
		}
		s.saw(a.locations)
		if a.status != "more_due" {
			return a
		}
	}
}

// result reads the record that an answer carries. What a batch made whose reply was lost, and found
// again when it was sent once more, is no replay.
func (s *Store) result(id string, a answer, replay bool) (Result, error) {
	rec, err := DecodeRecord(a.payload)
	if err != nil {
		return Result{}, fmt.Errorf("reservation %q: %w", id, err)
	}
	ours := a.resent != "" && rec.Birth == a.resent && rec.Version == 1
	return Result{Reservation: rec.Reservation(id, a.now), Replay: replay && !ours, awaited: rec.awaited(id, a.epoch)}, nil
}

// reserveCall is a ReserveRequest as its script takes it.
type reserveCall struct {
	request *ReserveRequest
	routing location.Request
	ttl     int64         // ms
	shape   string        // ttl_ms split lines
	fixed   string        // fingerprint channel customer order
	head    string        // of the event
	lines   []reserveLine // as the request's
	one     [1]reserveLine
}

type reserveLine struct {
	text       string // line sku requested returned
	quantity   string
	candidates location.Candidates
	levels     []string // the candidates' levels
	numbers    []string // what the batch they were last in numbered them
	oneLevel   [1]string
	oneNumber  [1]string
}

func newReserveCall(r *ReserveRequest, ttl time.Duration) *reserveCall {
	if r.TTL != 0 {
		ttl = r.TTL
	}
	split := r.Split
	if split == "" {
		split = location.SplitLines
	}
	c := &reserveCall{
		request: r, routing: location.Request{Channel: r.Channel, ShipTo: r.ShipTo, Pickup: r.Pickup},
		ttl: ttl.Milliseconds(),
	}
	if c.lines = c.one[:]; len(r.Lines) > 1 {
		c.lines = make([]reserveLine, len(r.Lines))
	}
	t := scratch.Get().(*texts)
	defer scratch.Put(t)
	t.all, t.ends = t.all[:0], t.ends[:0]
	t.add(r.fingerprint(), unitSeparator, string(r.Channel), unitSeparator, r.Customer, unitSeparator, r.Order)
	t.next()
	t.add("reserve", unitSeparator, r.ID, unitSeparator, unitSeparator, "0", unitSeparator, r.extra(), recordSeparator)
	t.next()
	t.number(c.ttl)
	t.add(" ", string(split), " ")
	t.number(int64(len(r.Lines)))
	t.next()
	for i := range r.Lines {
		l := &r.Lines[i]
		t.number(l.Quantity)
		t.next()
		t.add(l.Line, unitSeparator, string(l.SKU), unitSeparator)
		t.number(l.Quantity)
		t.add(unitSeparator, "0")
		t.next()
	}
	parts := t.cut()
	c.fixed, c.head, c.shape = parts.next(), parts.next(), parts.next()
	for i := range c.lines {
		c.lines[i].quantity, c.lines[i].text = parts.next(), parts.next()
	}
	return c
}

// route finds each line's candidates; too many would keep Redis from everybody else for too long.
func (c *reserveCall) route(d location.Directory) error {
	total := 0
	for i := range c.lines {
		l := &c.lines[i]
		l.candidates = location.Route(d, c.routing, c.line(i))
		if total += len(l.candidates); total > CandidatesMax {
			return &InvalidError{Faults: []Fault{{Path: "/lines", Message: fmt.Sprintf(
				"would be tried at more than %d locations in all: send fewer lines, or pin them", CandidatesMax)}}}
		}
		if l.levels = l.oneLevel[:0]; len(l.candidates) > 1 {
			l.levels = make([]string, 0, len(l.candidates))
		}
		for _, at := range l.candidates {
			l.levels = append(l.levels, levelName(c.request.Lines[i].SKU, at))
		}
	}
	return nil
}

// line is line i as routing takes it.
func (c *reserveCall) line(i int) location.Line {
	l := &c.request.Lines[i]
	return location.Line{Line: l.Line, SKU: l.SKU, Pin: l.Location}
}

// extra is what the ledger keeps and Redis does not, as JSON; "" where there is nothing.
func (r *ReserveRequest) extra() string {
	if r.ShipTo == nil && r.Pickup == "" && r.Split == "" && len(r.Metadata) == 0 {
		return ""
	}
	text, err := json.Marshal(struct {
		ShipTo   *location.Address `json:"ship_to,omitempty"`
		Pickup   location.ID       `json:"pickup,omitempty"`
		Split    location.Split    `json:"split,omitempty"`
		Metadata map[string]string `json:"metadata,omitempty"`
	}{r.ShipTo, r.Pickup, r.Split, r.Metadata})
	if err != nil {
		panic("cache: a validated request is JSON: " + err.Error())
	}
	return string(text)
}

func (c *reserveCall) id() string { return c.request.ID }

func (c *reserveCall) weight() int {
	n := 0
	for i := range c.lines {
		n += 1 + len(c.lines[i].levels)/8
	}
	return n
}

func (c *reserveCall) arguments(b *batch) {
	b.add(c.shape, c.fixed, c.head)
	for i := range c.lines {
		l := &c.lines[i]
		l.numbers = l.oneNumber[:0]
		for _, name := range l.levels {
			l.numbers = append(l.numbers, b.level(name))
		}
		b.add(l.text, l.quantity, strings.Join(l.numbers, " "))
	}
}

// held is the reservation that an answer of that word made. The answer says only which levels serve
// each line: the rest is what was asked for.
func (c *reserveCall) held(a answer) (Result, error) {
	r := c.request
	res := Reservation{
		ID: r.ID, State: StateHeld, Version: 1,
		CreatedAt: time.UnixMilli(a.now).UTC(), ExpiresAt: time.UnixMilli(a.now + c.ttl).UTC(),
		Channel: r.Channel, Customer: r.Customer, Order: r.Order, Lines: make([]Line, len(r.Lines)),
	}
	payload := a.payload
	for i := range r.Lines {
		var part string
		part, payload, _ = strings.Cut(payload, recordSeparator)
		from, err := c.lines[i].from(part, r.Lines[i].Quantity)
		if err != nil {
			return Result{}, fmt.Errorf("reserve %q: %w", r.ID, err)
		}
		l := &r.Lines[i]
		res.Lines[i] = Line{Line: l.Line, SKU: l.SKU, Requested: l.Quantity, Quantity: l.Quantity, From: from}
	}
	return Result{Reservation: res}, nil
}

// from reads "level units level units …", or one level that serves the whole quantity.
func (l *reserveLine) from(part string, quantity int64) ([]Allocation, error) {
	from := make([]Allocation, 0, 1)
	for f := (fieldReader{rest: part}); !f.end; {
		number, units := f.text(), quantity
		if !f.end {
			units = f.number()
		}
		i := slices.Index(l.numbers, number)
		if i < 0 || f.failed {
			return nil, fmt.Errorf("answer %q: %w", part, ErrCorrupt)
		}
		from = append(from, Allocation{Location: l.candidates[i], Quantity: units})
	}
	return from, nil
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
	for part := range strings.SplitSeq(payload, recordSeparator) {
		f := fieldReader{rest: part}
		shortage, ok := about(int(f.number()))
		shortage.Available = f.number()
		if !ok || f.failed {
			return nil, fmt.Errorf("shortage %q: %w", part, ErrCorrupt)
		}
		shortages = append(shortages, shortage)
	}
	return shortages, nil
}

// explain finds out why a line has no candidate: its SKU has no level at all, or none where it may
// come from. It is nil where, by now, every line has one: then the call is worth sending again.
// Two round trips.
func (s *Store) explain(ctx context.Context, c *reserveCall) error {
	known, err := s.readLocations(ctx)
	if err != nil {
		return err
	}
	var unknown []string
	var rejected []location.Rejected
	for i := range c.lines {
		line := c.line(i)
		levels, err := s.levelsAt(ctx, line.SKU, known.directory.Locations)
		if err != nil {
			return err
		}
		has := make(map[location.ID]bool, len(levels))
		for _, l := range levels {
			has[l.Location] = true
		}
		if len(levels) == 0 {
			unknown = append(unknown, line.Line)
			continue
		}
		served := false
		for _, at := range location.Route(known.directory, c.routing, line) {
			served = served || has[at]
		}
		if !served {
			rejected = append(rejected, location.Explain(known.directory, c.routing, line, has)...)
		}
	}
	switch {
	case len(unknown) > 0:
		return &UnknownStockError{Lines: unknown}
	case len(rejected) > 0:
		return &NoLocationError{Rejected: rejected}
	default:
		return nil
	}
}
