package cache

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// operation is one case: given a stock and earlier calls, when a call is made, then this is its answer,
// and this is everything that Redis holds.
type operation struct {
	name   string
	stock  string                // given: SKU@location=on hand
	given  []func(*bench) string // given: earlier calls; their answers are not checked
	when   func(*bench) string
	answer string
	state  string // whole; "" means that the call changed nothing
}

// run runs the case on every engine.
func (o operation) run(t *testing.T) {
	t.Helper()
	t.Run(o.name, func(t *testing.T) {
		redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
			b := newBench(t, e.Client, Options{TTL: 10 * time.Second})
			b.stock(o.stock)
			for _, call := range o.given {
				call(b)
			}
			before, events := b.state(0), len(b.events())
			equal(t, "answer", o.when(b), o.answer)
			if o.state == "" {
				equal(t, "state", b.state(0), before)
			} else {
				equal(t, "state", b.state(events), o.state)
			}
		})
	})
}

// events returns the events of the stream, in order.
func (b *bench) events() []wire.Event {
	b.tb.Helper()
	entries, err := b.client.XRange(b.ctx, b.store.keys.Events, "-", "+").Result()
	if err != nil {
		b.tb.Fatal(err)
	}
	var events []wire.Event
	for _, e := range entries {
		entry, err := wire.DecodeEntry(e.ID, e.Values)
		if err != nil {
			b.tb.Fatal(err)
		}
		events = append(events, entry.Events...)
	}
	return events
}

// told returns an answer in words.
func told(r Result, err error) string {
	if err != nil {
		return toldError(err)
	}
	text := string(r.State)
	if r.Replay {
		text = "again " + text
	}
	text += fmt.Sprintf(" v%d", r.Version)
	if !r.ExpiresAt.IsZero() {
		text += " until " + seconds(r.ExpiresAt.UnixMilli())
	}
	for _, l := range r.Lines {
		text += fmt.Sprintf(" | %s %s %d/%d", l.Line, l.SKU, l.Quantity, l.Requested)
		for _, a := range l.From {
			text += fmt.Sprintf(" %s:%d", a.Location, a.Quantity)
		}
		if l.Fulfilled > 0 {
			text += fmt.Sprintf(" fulfilled %d", l.Fulfilled)
		}
		if l.Returned > 0 {
			text += fmt.Sprintf(" returned %d", l.Returned)
		}
		if l.Backorder {
			text += fmt.Sprintf(" backordered %d", l.Backordered)
		}
		for _, c := range l.Components {
			text += fmt.Sprintf(" + %s %d", c.SKU, c.Quantity)
			for _, a := range c.From {
				text += fmt.Sprintf(" %s:%d", a.Location, a.Quantity)
			}
		}
	}
	return text
}

func toldError(err error) string {
	text := outcomeOf(err)
	var short *InsufficientError
	var unknown *UnknownStockError
	var none *NoLocationError
	var limit *PurchaseLimitError
	var sold *CampaignSoldOutError
	var closed *NotOnSaleError
	var state *WrongStateError
	var version *VersionError
	var invalid *InvalidError
	var used *InUseError
	var left *FulfilledError
	switch {
	case errors.As(err, &short):
		for _, s := range short.Shortages {
			text += fmt.Sprintf(" | %s %s %d of %d", s.Line, s.SKU, s.Available, s.Requested)
		}
	case errors.As(err, &unknown):
		text += " | " + strings.Join(unknown.Lines, " ")
	case errors.As(err, &none):
		for _, r := range none.Rejected {
			text += fmt.Sprintf(" | %s %s %s", r.Line, r.Location, r.Reason)
		}
	case errors.As(err, &limit):
		text += fmt.Sprintf(" | %s %d of %d", limit.Campaign, limit.Taken, limit.Limit)
	case errors.As(err, &sold):
		text += fmt.Sprintf(" | %s %d of %d", sold.Campaign, sold.Taken, sold.Total)
	case errors.As(err, &closed):
		text += fmt.Sprintf(" | %s starts in %v", closed.Campaign, closed.Wait())
	case errors.As(err, &state):
		text += " " + string(state.State)
	case errors.As(err, &version):
		text += fmt.Sprintf(" %s %d", version.SKU, version.Current)
	case errors.As(err, &used):
		text += fmt.Sprintf(" | %s %d %d", used.What, used.Held, used.Committed)
	case errors.As(err, &left):
		for _, l := range left.Lines {
			text += fmt.Sprintf(" | %s %d of %d", l.Line, l.Fulfilled, l.Requested)
		}
	case errors.As(err, &invalid):
		for _, f := range invalid.Faults {
			text += " | " + f.Path + " " + f.Message
		}
	}
	return text
}

func reserve(r ReserveRequest) func(*bench) string {
	return func(b *bench) string { return told(b.store.Reserve(b.ctx, r)) }
}

func split(r ReserveRequest, way location.Split) ReserveRequest {
	r.Split = way
	return r
}

func confirm(id string, version int64) func(*bench) string {
	return func(b *bench) string {
		return told(b.store.Confirm(b.ctx, TransitionRequest{ID: id, Version: version}))
	}
}

// parts reads "line:units …".
func parts(list string) (lines []LineQuantity) {
	for item := range strings.FieldsSeq(list) {
		line, units, _ := strings.Cut(item, ":")
		o := order("", line+":X:"+units)
		lines = append(lines, LineQuantity{Line: line, Quantity: o.Lines[0].Quantity})
	}
	return lines
}

func release(id string, version int64, list string) func(*bench) string {
	return func(b *bench) string {
		return told(b.store.Release(b.ctx, TransitionRequest{ID: id, Version: version, Lines: parts(list)}))
	}
}

func fulfill(id string, version int64, list string) func(*bench) string {
	return func(b *bench) string {
		return told(b.store.Fulfill(b.ctx, TransitionRequest{ID: id, Version: version, Lines: parts(list)}))
	}
}

func extend(id string, ttl time.Duration, version int64) func(*bench) string {
	return func(b *bench) string {
		return told(b.store.Extend(b.ctx, ExtendRequest{ID: id, TTL: ttl, Version: version}))
	}
}

// moveTo calls Move.
func moveTo(id string, version int64, line string, to location.ID) func(*bench) string {
	return func(b *bench) string {
		return told(b.store.Move(b.ctx, MoveRequest{ID: id, Version: version, Line: line, To: to}))
	}
}

// direct makes the store use a directory.
func direct(d location.Directory) func(*bench) string {
	return func(b *bench) string {
		rules, err := location.Compile(d)
		if err != nil {
			b.tb.Fatal(err)
		}
		b.store.Direct(rules)
		return ""
	}
}

// after moves the clock on.
func after(d time.Duration) func(*bench) string {
	return func(b *bench) string {
		b.now += d.Milliseconds()
		return ""
	}
}

func expire(b *bench) string {
	expired, more, err := b.store.Expire(b.ctx)
	if err != nil {
		return toldError(err)
	}
	return fmt.Sprintf("expired %d more %t", expired, more)
}

func calls(list ...func(*bench) string) []func(*bench) string { return list }

// runAnswer is run for a case that is about the answer. It checks that a refusal changes nothing, and
// the invariants.
func (o operation) runAnswer(t *testing.T) {
	t.Helper()
	t.Run(o.name, func(t *testing.T) {
		redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
			b := newBench(t, e.Client, Options{TTL: 10 * time.Second})
			b.stock(o.stock)
			for _, call := range o.given {
				call(b)
			}
			before := b.state(0)
			answer := o.when(b)
			equal(t, "answer", answer, o.answer)
			if _, refused, _ := strings.Cut(o.answer, "_"); refused != "" {
				equal(t, "state", b.state(0), before)
			}
			b.invariants()
		})
	})
}

func describeAllocation(a Allocation) string { return fmt.Sprintf("%s:%d", a.Location, a.Quantity) }

// invariants checks what must hold after every step, over everything that Redis holds. Held is the sum
// over held reservations, committed the sum over confirmed lines not yet fulfilled, and available
// follows from the other counts. On hand is never below zero.
func (b *bench) invariants() {
	b.tb.Helper()
	held, committed := map[string]int64{}, map[string]int64{}
	limited := map[string]string{}
	counts := map[wire.LimitKey]int64{}
	records, err := b.client.HGetAll(b.ctx, b.store.keys.Reservations).Result()
	if err != nil {
		b.tb.Fatal(err)
	}
	for id, text := range records {
		rec, err := wire.DecodeRecord(text)
		if err != nil {
			b.tb.Fatalf("%s: %v", id, err)
		}
		for key, units := range rec.LimitCounts() {
			counts[key] += units
		}
		for _, l := range rec.Lines {
			for _, a := range l.From {
				switch name := wire.LevelField(l.SKU, a.Location); rec.State {
				case StateHeld:
					held[name] += a.Quantity
				case StateConfirmed:
					committed[name] += a.Quantity - a.Fulfilled
				}
			}
		}
	}
	for key, units := range counts {
		if units != 0 {
			limited[key.Name()] = fmt.Sprint(units)
		}
	}
	if got := b.client.HGetAll(b.ctx, b.store.keys.Limits).Val(); !maps.Equal(got, limited) {
		b.tb.Errorf("limits count %v; the reservations say %v", got, limited)
	}
	page, err := b.store.LevelPage(b.ctx, LevelFilter{Limit: LevelPageMax})
	if err != nil {
		b.tb.Fatal(err)
	}
	for _, l := range page.Levels {
		name := wire.LevelField(l.SKU, l.Location)
		if l.Held != held[name] || l.Committed != committed[name] {
			b.tb.Errorf("%s@%s: held %d, committed %d; its reservations say %d, %d", l.SKU, l.Location,
				l.Held, l.Committed, held[name], committed[name])
		}
		if sum := l.OnHand - l.Held - l.Committed - l.SafetyStock + l.BackorderLimit; l.Available != sum || l.OnHand < 0 {
			b.tb.Errorf("%s@%s: %+v", l.SKU, l.Location, l)
		}
	}
}
