package cache

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
)

// model is what a Store should be, in plain Go: levels, reservations and the units that came and
// went. It takes over from an answer only which locations serve a line, after checking that they
// could.
type model struct {
	now          int64
	levels       map[string]*modelLevel
	reservations map[string]*modelReservation
}

type modelLevel struct {
	onHand, held, committed, safety, backorder int64
}

func (l *modelLevel) available() int64 {
	return l.onHand - l.held - l.committed - l.safety + l.backorder
}

type modelReservation struct {
	request  ReserveRequest
	state    State
	version  int64
	deadline int64
	lines    []modelLine
}

type modelLine struct {
	sku      location.SKU
	from     []modelAllocation
	returned int64
}

type modelAllocation struct {
	at                  location.ID
	quantity, fulfilled int64
}

func (m *model) level(sku location.SKU, at location.ID) *modelLevel {
	return m.levels[levelName(sku, at)]
}

// each calls do for every allocation of r.
func (r *modelReservation) each(m *model, do func(l *modelLevel, a *modelAllocation)) {
	for i := range r.lines {
		for j := range r.lines[i].from {
			do(m.level(r.lines[i].sku, r.lines[i].from[j].at), &r.lines[i].from[j])
		}
	}
}

// lapse gives back what is due. The Store does so when it must, or is told to sweep; whoever looks can
// see no difference but in the version, and in a late confirm of what was not given back yet.
func (m *model) lapse() {
	for _, r := range m.reservations {
		if r.state == StateHeld && r.deadline <= m.now {
			r.each(m, func(l *modelLevel, a *modelAllocation) { l.held -= a.quantity })
			r.state = StateExpired
		}
	}
}

// TestModel makes random calls on a Store on real Redis and on the model, and compares every answer,
// the levels and the invariants after each.
func TestModel(t *testing.T) {
	modelled(t, Options{TTL: 10 * time.Second}, func(*play) {})
}

// modelled is TestModel with Stores of other options; begin is given each before it is called.
func modelled(t *testing.T, options Options, begin func(*play)) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		if e.Name != "redis" {
			return
		}
		rapid.Check(t, func(rt *rapid.T) {
			e.Flush(t)
			b := newBench(t, e.Client, options)
			defer func() { _ = b.store.Close(b.ctx) }()
			p := &play{bench: b, model: &model{now: b.now, levels: map[string]*modelLevel{}, reservations: map[string]*modelReservation{}}}
			begin(p)
			rt.Repeat(map[string]func(*rapid.T){
				"reserve": p.reserve, "replay": p.replay, "confirm": p.confirm, "release": p.release,
				"fulfill": p.fulfill, "extend": p.extend, "adjust": p.adjust, "remove": p.remove, "transfer": p.transfer, "return": p.back, "wait": p.wait, "sweep": p.sweep,
				"": p.check,
			})
		})
	})
}

// play is a Store and its model side by side.
type play struct {
	*bench
	model *model
	next  int
}

var (
	modelSKUs   = rapid.SampledFrom([]location.SKU{"TEE", "MUG"})
	modelPlaces = rapid.SampledFrom([]location.ID{"berlin", "lyon"})
)

func (p *play) wait(t *rapid.T) {
	p.now += rapid.Int64Range(1, 6000).Draw(t, "ms")
	p.model.now = p.now
}

func (p *play) sweep(t *rapid.T) {
	due := 0
	for id, r := range p.model.reservations {
		if p.stored(t, id).State == StateHeld && r.deadline <= p.now {
			due++
		}
	}
	for more := true; more; {
		var expired int
		var err error
		if expired, more, err = p.store.Expire(p.ctx); err != nil {
			t.Fatal(err)
		}
		due -= expired
	}
	if due != 0 {
		t.Fatalf("%d too few were expired", due)
	}
}

// stored is the record Redis has.
func (p *play) stored(t *rapid.T, id string) Record {
	t.Helper()
	text, err := p.store.client.HGet(p.ctx, p.store.keys.reservations, id).Result()
	if err != nil {
		t.Fatal(err)
	}
	rec, err := DecodeRecord(text)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func (p *play) adjust(t *rapid.T) {
	c := Change{SKU: modelSKUs.Draw(t, "sku"), Location: modelPlaces.Draw(t, "at")}
	l := p.model.level(c.SKU, c.Location)
	n := rapid.Int64Range(0, 20).Draw(t, "units")
	var want error
	switch kind := rapid.SampledFrom([]string{"count", "delta", "policy"}).Draw(t, "kind"); {
	case kind == "count":
		c.OnHand = &n
	case kind == "delta":
		n -= 8
		if n == 0 {
			n = 1
		}
		c.Delta = &n
		if l == nil && n < 0 {
			want = ErrNotFound
		} else if l != nil && l.onHand+n < 0 {
			want = ErrInsufficient
		}
	default:
		safety, backorder := n/4, n%3
		c.SafetyStock, c.BackorderLimit = &safety, &backorder
	}
	p.next++
	_, err := p.store.Adjust(p.ctx, AdjustRequest{ID: fmt.Sprintf("op-%d", p.next), Changes: []Change{c}})
	same(t, "adjust", err, want)
	if want != nil {
		return
	}
	if l == nil {
		l = &modelLevel{}
		p.model.levels[levelName(c.SKU, c.Location)] = l
	}
	if c.OnHand != nil {
		l.onHand = *c.OnHand
	}
	l.onHand += deref(c.Delta)
	if c.SafetyStock != nil {
		l.safety, l.backorder = *c.SafetyStock, *c.BackorderLimit
	}
}

func (p *play) remove(t *rapid.T) {
	sku, at := modelSKUs.Draw(t, "sku"), modelPlaces.Draw(t, "at")
	p.model.lapse()
	l := p.model.level(sku, at)
	var want error
	switch {
	case l == nil:
		want = ErrNotFound
	case l.held != 0 || l.committed != 0:
		want = ErrInUse
	}
	_, err := p.store.Remove(p.ctx, RemoveRequest{SKU: sku, Location: at})
	same(t, "remove", err, want)
	if err == nil {
		delete(p.model.levels, levelName(sku, at))
	}
}

func (p *play) transfer(t *rapid.T) {
	sku, from, to := modelSKUs.Draw(t, "sku"), location.ID("berlin"), location.ID("lyon")
	if rapid.Bool().Draw(t, "back") {
		from, to = to, from
	}
	n := rapid.Int64Range(1, 9).Draw(t, "units")
	p.model.lapse()
	l := p.model.level(sku, from)
	var want error
	switch {
	case l == nil:
		want = ErrNotFound
	case min(l.onHand, l.available()-l.backorder) < n:
		want = ErrInsufficient
	}
	p.next++
	_, err := p.store.Transfer(p.ctx, TransferRequest{ID: fmt.Sprintf("op-%d", p.next), SKU: sku, From: from, To: to, Quantity: n})
	same(t, "transfer", err, want)
	if err != nil {
		return
	}
	if p.model.level(sku, to) == nil {
		p.model.levels[levelName(sku, to)] = &modelLevel{}
	}
	l.onHand -= n
	p.model.level(sku, to).onHand += n
}

func same(t *rapid.T, what string, got, want error) {
	t.Helper()
	if Outcome(got) != Outcome(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// reserve has a buyer come, and where there is too little for one, another who wants the same.
func (p *play) reserve(t *rapid.T) {
	r := ReserveRequest{Split: rapid.SampledFrom([]location.Split{"never", "lines", "units"}).Draw(t, "split"),
		TTL: time.Duration(rapid.IntRange(1, 8).Draw(t, "ttl")) * time.Second}
	for i := range rapid.IntRange(1, 3).Draw(t, "lines") {
		r.Lines = append(r.Lines, LineRequest{Line: fmt.Sprint(i), SKU: modelSKUs.Draw(t, "sku"), Quantity: rapid.Int64Range(1, 6).Draw(t, "units")})
	}
	if err := p.buy(t, r); errors.Is(err, ErrInsufficient) {
		_ = p.buy(t, r) // buy has checked what it answers
	}
}

// buy reserves under an id of its own.
func (p *play) buy(t *rapid.T, r ReserveRequest) error {
	t.Helper()
	p.next++
	r.ID = fmt.Sprintf("ord-%d", p.next)
	p.model.lapse()
	result, err := p.store.Reserve(p.ctx, r)
	if err != nil {
		p.refused(t, r, err)
		return err
	}
	made := &modelReservation{request: r, state: StateHeld, version: 1, deadline: p.now + r.TTL.Milliseconds()}
	places := map[location.ID]bool{}
	for i, l := range result.Lines {
		line := modelLine{sku: l.SKU}
		var sum int64
		for _, a := range l.From {
			line.from = append(line.from, modelAllocation{at: a.Location, quantity: a.Quantity})
			sum += a.Quantity
			places[a.Location] = true
			level := p.model.level(l.SKU, a.Location)
			level.held += a.Quantity
			if level.available() < 0 || a.Quantity < 1 {
				t.Fatalf("oversold: %s at %s: %+v", l.SKU, a.Location, level)
			}
		}
		if sum != r.Lines[i].Quantity || l.SKU != r.Lines[i].SKU {
			t.Fatalf("line %d: asked %+v, got %+v", i, r.Lines[i], l)
		}
		if len(l.From) > 1 && r.Split != location.SplitUnits {
			t.Fatalf("line %d was split: %+v", i, l)
		}
		made.lines = append(made.lines, line)
	}
	if r.Split == location.SplitNever && len(places) > 1 {
		t.Fatalf("the reservation was split: %+v", result)
	}
	if !result.ExpiresAt.Equal(time.UnixMilli(made.deadline)) || result.Replay || result.Version != 1 {
		t.Fatalf("%+v", result)
	}
	p.model.reservations[r.ID] = made
	return nil
}

// refused checks that a refusal was due: the SKU has no level, or each shortage is true.
func (p *play) refused(t *rapid.T, r ReserveRequest, err error) {
	t.Helper()
	total, largest := map[location.SKU]int64{}, map[location.SKU]int64{}
	known, asked := map[location.SKU]bool{}, map[location.SKU]int64{}
	for name, l := range p.model.levels {
		sku, _, _ := splitLevel(name)
		known[sku] = true
		total[sku] += max(0, l.available())
		largest[sku] = max(largest[sku], l.available())
	}
	unknown := false
	for _, l := range r.Lines {
		unknown = unknown || !known[l.SKU]
		asked[l.SKU] += l.Quantity
	}
	switch Outcome(err) {
	case "unknown_stock":
		if !unknown {
			t.Fatalf("%v, but all have levels", err)
		}
	case "insufficient_stock":
		short := shortages(t, err)
		if unknown || len(short) == 0 {
			t.Fatalf("%v: unknown %t", err, unknown)
		}
		for _, s := range short {
			if s.Available >= s.Requested || s.Available > total[s.SKU] || s.Available < 0 {
				t.Fatalf("%v: there are %d of %s", err, total[s.SKU], s.SKU)
			}
		}
		if len(r.Lines) == 1 && r.Split != location.SplitUnits && short[0].Available != max(0, largest[r.Lines[0].SKU]) {
			t.Fatalf("%v: the largest is %d", err, largest[r.Lines[0].SKU])
		}
		enough := true
		for sku, n := range asked {
			enough = enough && n <= total[sku]
		}
		if enough && r.Split == location.SplitUnits {
			t.Fatalf("%v: but in parts there is enough: %v of %v", err, asked, total)
		}
	default:
		t.Fatal(err)
	}
}

func shortages(t *rapid.T, err error) []Shortage {
	t.Helper()
	for e := err; e != nil; {
		if short, ok := e.(*InsufficientError); ok {
			return short.Shortages
		}
		u, ok := e.(interface{ Unwrap() error })
		if !ok {
			break
		}
		e = u.Unwrap()
	}
	t.Fatalf("%v has no shortages", err)
	return nil
}

// pick draws one of the reservations made so far.
func (p *play) pick(t *rapid.T) (string, *modelReservation) {
	ids := make([]string, 0, len(p.model.reservations))
	for id := range p.model.reservations {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		t.Skip("nothing reserved yet")
	}
	slices.Sort(ids)
	id := rapid.SampledFrom(ids).Draw(t, "id")
	return id, p.model.reservations[id]
}

func (p *play) replay(t *rapid.T) {
	id, r := p.pick(t)
	p.model.lapse()
	result, err := p.store.Reserve(p.ctx, r.request)
	if err != nil || !result.Replay || result.State != r.state {
		t.Fatalf("%v, %+v, want %s", err, result, r.state)
	}
	other := r.request
	other.Order = "another"
	_, err = p.store.Reserve(p.ctx, other)
	same(t, "another request of id "+id, err, ErrIDConflict)
}

// transition compares the outcome, and the state it leaves.
func (p *play) transition(t *rapid.T, what string, r *modelReservation, result Result, err error, want error, state State) bool {
	t.Helper()
	same(t, what, err, want)
	if err != nil {
		return false
	}
	if result.State != state {
		t.Fatalf("%s: %s, want %s", what, result.State, state)
	}
	r.version = result.Version
	return true
}

func (p *play) confirm(t *rapid.T) {
	id, r := p.pick(t)
	p.model.lapse()
	var want error
	kept := p.stored(t, id).State == StateHeld // what was not given back keeps its units
	enough := true
	needs := map[*modelLevel]int64{}
	r.each(p.model, func(l *modelLevel, a *modelAllocation) { needs[l] += a.quantity })
	for l, n := range needs {
		enough = enough && (kept || l != nil && l.available() >= n)
	}
	switch {
	case r.state == StateReleased || r.state == StateFulfilled:
		want = ErrWrongState
	case r.state == StateExpired && !enough:
		want = ErrInsufficient
	}
	result, err := p.store.Confirm(p.ctx, TransitionRequest{ID: id})
	if p.transition(t, "confirm", r, result, err, want, StateConfirmed) && r.state != StateConfirmed {
		r.each(p.model, func(l *modelLevel, a *modelAllocation) {
			if r.state == StateHeld {
				l.held -= a.quantity
			}
			l.committed += a.quantity
		})
		r.state = StateConfirmed
	}
}

func (p *play) release(t *rapid.T) {
	id, r := p.pick(t)
	p.model.lapse()
	var want error
	if r.state == StateExpired || r.state == StateFulfilled {
		want = ErrWrongState
	}
	result, err := p.store.Release(p.ctx, TransitionRequest{ID: id})
	if p.transition(t, "release", r, result, err, want, StateReleased) && r.state != StateReleased {
		r.each(p.model, func(l *modelLevel, a *modelAllocation) {
			if r.state == StateHeld {
				l.held -= a.quantity
			} else {
				l.committed -= a.quantity - a.fulfilled
			}
		})
		r.state = StateReleased
	}
}

func (p *play) fulfill(t *rapid.T) {
	id, r := p.pick(t)
	p.model.lapse()
	var want error
	short := false
	needs := map[*modelLevel]int64{}
	r.each(p.model, func(l *modelLevel, a *modelAllocation) { needs[l] += a.quantity - a.fulfilled })
	for l, n := range needs {
		short = short || l != nil && l.onHand < n
	}
	switch {
	case r.state != StateConfirmed && r.state != StateFulfilled:
		want = ErrWrongState
	case r.state == StateConfirmed && short:
		want = ErrInsufficient
	}
	result, err := p.store.Fulfill(p.ctx, TransitionRequest{ID: id})
	if p.transition(t, "fulfill", r, result, err, want, StateFulfilled) && r.state != StateFulfilled {
		r.each(p.model, func(l *modelLevel, a *modelAllocation) {
			l.onHand -= a.quantity - a.fulfilled
			l.committed -= a.quantity - a.fulfilled
			a.fulfilled = a.quantity
		})
		r.state = StateFulfilled
	}
}

func (p *play) back(t *rapid.T) {
	id, r := p.pick(t)
	p.model.lapse()
	i := rapid.IntRange(0, len(r.lines)-1).Draw(t, "line")
	line, n := &r.lines[i], rapid.Int64Range(1, 4).Draw(t, "units")
	to := modelPlaces.Draw(t, "to")
	out := -line.returned
	for _, a := range line.from {
		out += a.fulfilled
	}
	var want error
	switch {
	case r.state != StateConfirmed && r.state != StateFulfilled:
		want = ErrWrongState
	case n > out:
		want = ErrInvalid
	}
	p.next++
	request := ReturnRequest{ID: fmt.Sprintf("op-%d", p.next), Reservation: id, To: to, Lines: []LineQuantity{{r.request.Lines[i].Line, n}}}
	result, err := p.store.Return(p.ctx, request)
	if !p.transition(t, "return", r, result, err, want, r.state) {
		return
	}
	line.returned += n
	if p.model.level(line.sku, to) == nil {
		p.model.levels[levelName(line.sku, to)] = &modelLevel{}
	}
	p.model.level(line.sku, to).onHand += n
	again, err := p.store.Return(p.ctx, request)
	if err != nil || !again.Replay || again.Lines[i].Returned != line.returned || again.Version != result.Version {
		t.Fatalf("returned again: %+v, %v", again, err)
	}
}

func (p *play) extend(t *rapid.T) {
	id, r := p.pick(t)
	p.model.lapse()
	var want error
	if r.state != StateHeld {
		want = ErrWrongState
	}
	result, err := p.store.Extend(p.ctx, ExtendRequest{ID: id, TTL: 7 * time.Second})
	if p.transition(t, "extend", r, result, err, want, StateHeld) {
		r.deadline = p.now + 7000
	}
}

// check compares levels and reservations with the model's, and looks at the invariants. What is
// overdue and was not given back yet counts as given back.
func (p *play) check(t *rapid.T) {
	p.model.lapse()
	p.invariants()
	lapsed := map[string]int64{}
	for id, r := range p.model.reservations {
		res, err := p.store.Reservation(p.ctx, id)
		if err != nil || res.State != r.state {
			t.Fatalf("%s is %s, %v; want %s", id, res.State, err, r.state)
		}
		if r.state == StateExpired && p.stored(t, id).State == StateHeld {
			for _, line := range r.lines {
				for _, a := range line.from {
					lapsed[levelName(line.sku, a.at)] += a.quantity
				}
			}
		}
	}
	page, err := p.store.LevelPage(p.ctx, LevelFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, l := range page.Levels {
		back := lapsed[levelName(l.SKU, l.Location)]
		got = append(got, fmt.Sprint(l.SKU, l.Location, l.OnHand, l.Held-back, l.Committed, l.SafetyStock, l.BackorderLimit, l.Available+back))
	}
	for name, l := range p.model.levels {
		sku, at, _ := splitLevel(name)
		want = append(want, fmt.Sprint(sku, at, l.onHand, l.held, l.committed, l.safety, l.backorder, l.available()))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("levels:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
