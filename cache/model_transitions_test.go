package cache

import (
	"errors"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/location"
)

// transition makes a call and compares its outcome and the final state, then repeats it and checks
// that the repeat changes nothing. It reports whether the first call changed anything.
func (p *play) transition(t *rapid.T, what string, r *modelReservation, call func() (Result, error), want error, state State) bool {
	t.Helper()
	result, err := call()
	same(t, what, err, want)
	if err != nil {
		return false
	}
	version := r.version
	if !result.Replay {
		version++
	}
	if result.State != state || result.Version != version {
		t.Fatalf("%s: %s v%d, want %s v%d", what, result.State, result.Version, state, version)
	}
	again, err := call()
	if err != nil || !again.Replay || again.State != state || again.Version != version {
		t.Fatalf("%s again: %+v, %v", what, again, err)
	}
	r.version = version
	return !result.Replay
}

// operated remembers a call that has made a step, if it has an operation's id.
func (p *play) operated(operation string, r *modelReservation, call func() (Result, error)) {
	if operation != "" {
		p.made = append(p.made, madeStep{r, call})
	}
}

// again repeats a step that has an operation's id, whatever happened since: nothing changes.
func (p *play) again(t *rapid.T) {
	if len(p.made) == 0 {
		t.Skip("no step has an id")
	}
	m := rapid.SampledFrom(p.made).Draw(t, "step")
	result, err := m.call()
	if err != nil || !result.Replay || result.Version != m.of.version || result.State != m.of.state {
		t.Fatalf("again: %+v, %v; want %s v%d", result, err, m.of.state, m.of.version)
	}
}

// version draws the reservation's version or, rarely, another, and returns the refusal for that.
func (p *play) version(t *rapid.T, r *modelReservation) (version int64, refusal error) {
	if rapid.IntRange(0, 9).Draw(t, "version") == 9 {
		return r.version + 1, ErrVersionConflict
	}
	return r.version, nil
}

// some draws the units of each line for a call, or all that are left. It returns why a reservation
// that may be changed refuses these units, or nil.
func (p *play) some(t *rapid.T, r *modelReservation) (request TransitionRequest, units map[string]int64, refusal error) {
	request.ID = r.request.ID
	left := r.left()
	units = map[string]int64{}
	for i := range r.lines {
		line := r.lines[i].line
		if n := rapid.Int64Range(0, 4).Draw(t, "units"); n > 0 {
			request.Lines = append(request.Lines, LineQuantity{Line: line, Quantity: n})
			units[line] = n
			if n > left[line] {
				refusal = ErrInvalid
			}
		}
	}
	if len(request.Lines) == 0 || rapid.Bool().Draw(t, "whole") {
		return TransitionRequest{ID: r.request.ID}, left, nil
	}
	if rapid.Bool().Draw(t, "with an id") {
		request.Operation = p.operation()
		return request, units, refusal
	}
	version, other := p.version(t, r)
	request.Version = version
	if other != nil {
		refusal = other
	}
	return request, units, refusal
}

// rest reports whether anything is left after units are taken off.
func (r *modelReservation) rest(units map[string]int64) bool {
	for line, n := range r.left() {
		if n > units[line] {
			return true
		}
	}
	return false
}

func (p *play) confirm(t *rapid.T) {
	_, r := p.pick(t)
	p.pay(t, r)
}

// late confirms a reservation after its deadline, when the same customer has reserved the same
// again.
func (p *play) late(t *rapid.T) {
	_, r := p.pick(t)
	if r.state != StateHeld {
		t.Skip("not held")
	}
	p.pass(r.deadline - p.now)
	_ = p.buy(t, r.request)
	p.check(t)
	if rapid.Bool().Draw(t, "swept") {
		p.sweep(t)
		p.check(t)
	}
	p.pay(t, r)
}

func (p *play) pay(t *rapid.T, r *modelReservation) {
	t.Helper()
	lapsed := r.state == StateExpired && !r.unswept // a reservation keeps its units until they are reclaimed
	over := p.model.exceeded(r.buyer, r.lines, (*modelLine).quantity)
	var want error
	switch {
	case r.state == StateReleased || r.state == StateFulfilled:
		want = ErrWrongState
	case lapsed && len(over) > 0:
		want = ErrPurchaseLimit // or another counter, see below
	case lapsed && !p.model.retakes(r):
		want = ErrInsufficient
	}
	call := func() (Result, error) { return p.store.Confirm(p.ctx, TransitionRequest{ID: r.request.ID}) }
	if lapsed && rapid.Bool().Draw(t, "forgotten") {
		late := lateCall(p.bench, r.request.ID, 0)
		p.forget(r.request.ID)
		call = func() (Result, error) { return p.store.transit(p.ctx, late, late.request.refused) }
		if want != nil { // the ledger keeps it
			defer func() { p.client.HSet(p.ctx, p.store.keys.Reservations, r.request.ID, late.record) }()
		}
	}
	if want == ErrPurchaseLimit {
		_, err := call()
		want = oneOf(over, err)
	}
	if !p.transition(t, "confirm", r, call, want, StateConfirmed) {
		return
	}
	if r.state == StateHeld {
		p.model.giveBack(r.all(), StateHeld)
	}
	p.model.take(r.all(), StateConfirmed)
	r.state, r.unswept = StateConfirmed, false
}

// retakes reports whether an expired reservation can have its units again.
func (m *model) retakes(r *modelReservation) bool {
	for name := range needs(r.all()) {
		if m.levels[name] == nil {
			return false
		}
	}
	return m.have(needs(plain(r.all())))
}

func (p *play) release(t *rapid.T) {
	_, r := p.pick(t)
	request, units, want := p.some(t, r)
	state := r.state
	switch {
	case r.state == StateExpired || r.state == StateFulfilled || r.state == StateReleased && len(request.Lines) > 0:
		want = ErrWrongState
	case !r.rest(units):
		state = StateReleased
	}
	call := func() (Result, error) { return p.store.Release(p.ctx, request) }
	if !p.transition(t, "release", r, call, want, state) {
		return
	}
	p.operated(request.Operation, r, call)
	back := r.portions(units, true)
	p.model.giveBack(back, r.state)
	if state == StateReleased { // its lines do not change
		r.state = StateReleased
		return
	}
	for _, b := range back {
		b.from.quantity -= b.units
	}
	r.dropEmpty()
}

// dropEmpty drops the locations without units.
func (r *modelReservation) dropEmpty() {
	for i := range r.lines {
		l := &r.lines[i]
		l.from = slices.DeleteFunc(l.from, func(a modelAllocation) bool { return a.quantity == 0 })
	}
}

func (p *play) fulfill(t *rapid.T) {
	_, r := p.pick(t)
	request, units, want := p.some(t, r)
	state, leaving := r.state, r.portions(units, false)
	short := false
	for name, n := range needs(leaving) {
		short = short || p.model.levels[name] != nil && p.model.levels[name].onHand < n
	}
	switch {
	case r.state == StateFulfilled && len(request.Lines) == 0: // nothing changes
	case r.state != StateConfirmed:
		want = ErrWrongState
	case want == nil && short:
		want = ErrInsufficient
	case !r.rest(units):
		state = StateFulfilled
	}
	call := func() (Result, error) { return p.store.Fulfill(p.ctx, request) }
	if !p.transition(t, "fulfill", r, call, want, state) {
		return
	}
	p.taken = len(plain(leaving)) < len(leaving)
	p.operated(request.Operation, r, call)
	p.model.giveBack(leaving, StateConfirmed)
	for name, n := range needs(leaving) {
		p.model.levels[name].onHand -= n
	}
	for _, out := range leaving {
		out.from.fulfilled += out.units
	}
	r.state = state
}

func (p *play) extend(t *rapid.T) {
	id, r := p.pick(t)
	version, want := p.version(t, r)
	if r.state != StateHeld {
		want = ErrWrongState
	}
	call := func() (Result, error) {
		return p.store.Extend(p.ctx, ExtendRequest{ID: id, TTL: 7 * time.Second, Version: version})
	}
	if p.transition(t, "extend", r, call, want, StateHeld) {
		r.deadline = p.now + 7000
	}
}

// move moves what is left of a line to another location; fulfilled units stay.
func (p *play) move(t *rapid.T) {
	id, r := p.pick(t)
	l := &r.lines[rapid.IntRange(0, len(r.lines)-1).Draw(t, "line")]
	to := modelPlaces.Draw(t, "to")
	operation := ""
	version, want := p.version(t, r)
	if want == nil && rapid.Bool().Draw(t, "with an id") {
		operation, version = p.operation(), 0
	}
	leaving := r.portions(map[string]int64{l.line: r.left()[l.line]}, false)
	leaving = slices.DeleteFunc(leaving, func(p portion) bool { return p.from.at == to })
	units := int64(0)
	for _, p := range leaving {
		units += p.units
	}
	there, known := p.model.serves(l, to)
	if l.backorder {
		there = max(there, units)
	}
	switch {
	case r.state != StateHeld && r.state != StateConfirmed:
		want = ErrWrongState
	case want != nil || units == 0: // or nothing changes
	case !known:
		want = ErrNoLocation
	case there < units:
		want = &InsufficientError{Shortages: []Shortage{{Line: l.line, SKU: l.sku, Requested: units, Available: there}}}
	}
	call := func() (result Result, err error) {
		result, err = p.store.Move(p.ctx, MoveRequest{ID: id, Operation: operation, Version: version, Line: l.line, To: to})
		if errors.Is(want, ErrInsufficient) && toldError(err) != toldError(want) {
			t.Fatalf("move: %v, want %v", err, want)
		}
		return result, err
	}
	if !p.transition(t, "move", r, call, want, r.state) {
		return
	}
	p.operated(operation, r, call)
	if units == 0 { // a step with an id is made even if no unit moves
		return
	}
	p.model.giveBack(leaving, r.state)
	for _, p := range leaving {
		p.from.quantity -= p.units
	}
	if !slices.ContainsFunc(l.from, func(a modelAllocation) bool { return a.at == to }) {
		l.from = append(l.from, modelAllocation{at: to})
	}
	i := slices.IndexFunc(l.from, func(a modelAllocation) bool { return a.at == to })
	l.from[i].quantity += units
	p.model.take([]portion{{l, &l.from[i], units}}, r.state)
	r.dropEmpty()
}

// back returns fulfilled units to stock.
func (p *play) back(t *rapid.T) {
	id, r := p.pick(t)
	l := &r.lines[rapid.IntRange(0, len(r.lines)-1).Draw(t, "line")]
	to, n := modelPlaces.Draw(t, "to"), rapid.Int64Range(1, 4).Draw(t, "units")
	shipped := r.state == StateConfirmed || r.state == StateFulfilled || r.state == StateReleased &&
		slices.ContainsFunc(r.lines, func(l modelLine) bool { return l.fulfilled() > 0 })
	var want error
	switch {
	case !shipped:
		want = ErrWrongState
	case n > l.fulfilled()-l.returned:
		want = ErrInvalid
	}
	request := ReturnRequest{ID: p.operation(), Reservation: id, To: to, Lines: []LineQuantity{{l.line, n}}}
	call := func() (Result, error) { return p.store.Return(p.ctx, request) }
	if !p.transition(t, "return", r, call, want, r.state) {
		return
	}
	p.operated(request.ID, r, call)
	l.returned += n
	for _, part := range l.parts {
		p.model.levelFor(part.SKU, to).onHand += n * part.Quantity
	}
}

// unfulfill takes fulfilled units back to the reservation, those of the last location first.
func (p *play) unfulfill(t *rapid.T) {
	id, r := p.pick(t)
	l := &r.lines[rapid.IntRange(0, len(r.lines)-1).Draw(t, "line")]
	to, n := rapid.SampledFrom([]location.ID{"", "", "berlin", "lyon"}).Draw(t, "to"), rapid.Int64Range(1, 4).Draw(t, "units")
	var want error
	switch {
	case r.state != StateConfirmed && r.state != StateFulfilled:
		want = ErrWrongState
	case n > l.fulfilled()-l.returned:
		want = ErrInvalid
	}
	request := UnfulfillRequest{ID: p.operation(), Reservation: id, To: to, Lines: []LineQuantity{{l.line, n}}}
	call := func() (Result, error) { return p.store.Unfulfill(p.ctx, request) }
	if !p.transition(t, "unfulfill", r, call, want, StateConfirmed) {
		return
	}
	p.operated(request.ID, r, call)
	r.state = StateConfirmed
	for i := len(l.from) - 1; i >= 0 && n > 0; i-- {
		some := min(n, l.from[i].fulfilled)
		n -= some
		at := l.from[i].at
		l.from[i].fulfilled -= some
		if to != "" && to != at && some > 0 {
			l.from[i].quantity -= some
			at = to
			l.allocation(to).quantity += some
		}
		for _, part := range l.parts {
			if some > 0 {
				level := p.model.levelFor(part.SKU, at)
				level.onHand += some * part.Quantity
				level.committed += some * part.Quantity
			}
		}
	}
	r.dropEmpty()
}

// allocation returns the allocation of a line at a location, and makes it if there is none.
func (l *modelLine) allocation(at location.ID) *modelAllocation {
	for i := range l.from {
		if l.from[i].at == at {
			return &l.from[i]
		}
	}
	l.from = append(l.from, modelAllocation{at: at})
	return &l.from[len(l.from)-1]
}
