package cache

import (
	"errors"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// amending is an amend of a reservation, by the rules of the documentation.
type amending struct {
	*model
	of      *modelReservation
	request AmendRequest
	lines   []modelLine             // as they will be, but for what grown lines take
	grown   map[string]*grownLine   // lines that are new or get more units, by name
	invalid bool                    // the request does not fit the lines
	below   bool                    // a line would have fewer units than have left
	left    bool                    // units are left to ship
	before  map[wire.LimitKey]int64 // what limits count of the reservation
	after   map[wire.LimitKey]int64 // what they would count
}

// grownLine is a line that gets more units.
type grownLine struct {
	modelLine
	had  int64
	want int64
}

// places returns the candidates of a grown line: where it has units, then those of the channel.
func (g *grownLine) places(m *model) (list []location.ID) {
	for i := range g.from {
		list = append(list, g.from[i].at)
	}
	for _, at := range m.places() {
		if !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	return list
}

// amending works out what a request changes.
func (m *model) amending(r *modelReservation, request AmendRequest) *amending {
	a := &amending{model: m, of: r, request: request, grown: map[string]*grownLine{}, before: r.counts(r.state)}
	for i := range r.lines {
		l := r.lines[i]
		l.from = slices.Clone(l.from)
		n := slices.IndexFunc(request.Lines, func(q LineAmendment) bool { return q.Line == l.line })
		if n < 0 {
			a.lines = append(a.lines, l)
			continue
		}
		asked := request.Lines[n]
		a.invalid = a.invalid || asked.SKU != "" && asked.SKU != l.sku || asked.Backorder && !l.backorder
		a.below = a.below || asked.Quantity < l.fulfilled()
		l.requested = asked.Quantity
		had := l.quantity()
		for j := len(l.from) - 1; j >= 0; j-- {
			l.from[j].quantity -= max(0, min(l.from[j].left(), l.quantity()-asked.Quantity))
		}
		l.from = slices.DeleteFunc(l.from, func(a modelAllocation) bool { return a.quantity == 0 })
		if asked.Quantity > had {
			l.campaigns = m.campaignsOf(&l)
			a.grown[l.line] = &grownLine{l, had, asked.Quantity}
		}
		if asked.Quantity > 0 {
			a.lines = append(a.lines, l)
		}
	}
	for _, asked := range request.Lines {
		if slices.ContainsFunc(r.lines, func(l modelLine) bool { return l.line == asked.Line }) {
			continue
		}
		if asked.SKU == "" || asked.Quantity == 0 {
			a.invalid = true
			continue
		}
		l := m.line(LineRequest{Line: asked.Line, SKU: asked.SKU, Quantity: asked.Quantity, Backorder: asked.Backorder})
		a.grown[l.line] = &grownLine{l, 0, asked.Quantity}
		a.lines = append(a.lines, l)
	}
	a.after = counts(r.buyer, a.lines, a.quantityOf)
	units := int64(0)
	for i := range a.lines {
		units += a.quantityOf(&a.lines[i])
		a.left = a.left || a.quantityOf(&a.lines[i]) > a.lines[i].fulfilled()
	}
	a.invalid = a.invalid || units == 0
	return a
}

// quantityOf returns the units that a line will have.
func (a *amending) quantityOf(l *modelLine) int64 {
	if g := a.grown[l.line]; g != nil {
		return g.want
	}
	return l.quantity()
}

// exceeded returns the refusal for each counter that grown lines would exceed.
func (a *amending) exceeded() (over []string) {
	taken := a.taken()
	for _, g := range a.grown {
		for key, most := range g.most(a.of.buyer) {
			if more := a.after[key] - a.before[key]; more > 0 && taken[key]+more > most {
				over = append(over, toldError(limitError(key, most, taken[key])))
			}
		}
	}
	return over
}

// refusal returns why the amend is refused before any units are looked for, or nil; err is the answer
// that it got.
func (a *amending) refusal(err error) error {
	limited, unknown, nowhere := false, false, false
	var grown []modelLine
	for _, g := range a.grown {
		grown = append(grown, g.modelLine)
		limited = limited || g.limited()
		unknown = unknown || a.unknown(&g.modelLine)
		nowhere = nowhere || !slices.ContainsFunc(g.places(a.model), func(at location.ID) bool {
			_, known := a.serves(&g.modelLine, at)
			return known
		})
	}
	switch {
	case a.of.state != StateHeld && a.of.state != StateConfirmed:
		return ErrWrongState
	case a.request.Version != 0 && a.request.Version != a.of.version:
		return ErrVersionConflict
	case a.invalid:
		return ErrInvalid
	case a.below:
		return ErrFulfilled
	case limited && len(a.of.buyer.names()) == 0:
		return ErrInvalid
	case len(a.closed(grown)) > 0:
		return oneOf(a.closed(grown), err)
	case unknown:
		return ErrUnknownStock
	case nowhere:
		return ErrNoLocation
	case len(a.exceeded()) > 0:
		return oneOf(a.exceeded(), err)
	default:
		return nil
	}
}

// portionsOf returns the units of lines that have not left.
func portionsOf(lines []modelLine) []portion {
	r := &modelReservation{lines: lines}
	return r.all()
}

// kept runs f while the levels have what the reservation will keep, and nothing of what it gives
// back. The rerouted lines keep nothing.
func (a *amending) kept(rerouted map[string]bool, f func()) {
	kept := slices.DeleteFunc(slices.Clone(a.lines), func(l modelLine) bool { return rerouted[l.line] })
	a.giveBack(a.of.all(), a.of.state)
	a.take(portionsOf(kept), a.of.state)
	f()
	a.giveBack(portionsOf(kept), a.of.state)
	a.take(a.of.all(), a.of.state)
}

// inPlace returns the lines if each grown line can have what it lacks where it has units already, in
// the order of its locations. Else ok is false.
func (a *amending) inPlace() (lines []modelLine, ok bool) {
	var taken []portion
	for i := range a.lines {
		l := a.lines[i]
		l.from = slices.Clone(l.from)
		lines = append(lines, l)
	}
	ok = true
	a.kept(nil, func() {
		for _, asked := range a.request.Lines {
			i := slices.IndexFunc(lines, func(l modelLine) bool { return l.line == asked.Line })
			if i < 0 || a.grown[asked.Line] == nil {
				continue
			}
			l := &lines[i]
			for j := range l.from {
				some, _ := a.serves(l, l.from[j].at)
				if some = min(some, asked.Quantity-l.quantity()); some > 0 {
					l.from[j].quantity += some
					more := []portion{{l, &modelAllocation{at: l.from[j].at}, some}}
					a.take(more, a.of.state)
					taken = append(taken, more...)
				}
			}
			ok = ok && l.quantity() == asked.Quantity
		}
		a.giveBack(taken, a.of.state)
	})
	return lines, ok
}

// reachable returns the most units that a grown line could have if it were the only one.
func (a *amending) reachable(g *grownLine) (most int64) {
	a.kept(nil, func() {
		most = g.quantity()
		for i := range g.from {
			some, _ := a.serves(&g.modelLine, g.from[i].at)
			most += some
		}
		for _, at := range g.places(a.model) {
			here := slices.ContainsFunc(g.from, func(a modelAllocation) bool { return a.at == at })
			if some, _ := a.serves(&g.modelLine, at); !here && a.of.request.Split == location.SplitUnits {
				most += some
			}
		}
	})
	if g.fulfilled() == 0 && a.of.request.Split != location.SplitUnits {
		a.kept(map[string]bool{g.line: true}, func() {
			for _, at := range g.places(a.model) {
				if some, _ := a.serves(&g.modelLine, at); a.mayMoveTo(g, at) {
					most = max(most, some)
				}
			}
		})
	}
	return most
}

// mayMoveTo reports whether a line may be served from a location as far as other lines decide.
func (a *amending) mayMoveTo(g *grownLine, at location.ID) bool {
	elsewhere, there := false, false
	for i := range a.lines {
		for j := range a.lines[i].from {
			if a.lines[i].line != g.line {
				there = there || a.lines[i].from[j].at == at
				elsewhere = true
			}
		}
	}
	return a.of.request.Split != location.SplitNever || there || !elsewhere
}

// mayWait reports whether a line that may be backordered can take units that are not there.
func (a *amending) mayWait(g *grownLine) bool {
	return len(g.from) > 0 || slices.ContainsFunc(g.places(a.model), func(at location.ID) bool {
		_, known := a.serves(&g.modelLine, at)
		return known && a.mayMoveTo(g, at)
	})
}

// served checks the locations that the result names.
func (a *amending) served(t *rapid.T, lines []modelLine) {
	t.Helper()
	for i := range lines {
		l, before := &lines[i], &a.lines[i]
		g := a.grown[l.line]
		if g == nil {
			if fmt.Sprint(l.from) != fmt.Sprint(before.from) {
				t.Fatalf("line %s is served by %+v, want %+v", l.line, l.from, before.from)
			}
			continue
		}
		if l.quantity() != g.want || l.fulfilled() != before.fulfilled() {
			t.Fatalf("line %s is %+v, want %d", l.line, l.from, g.want)
		}
		stays := len(before.from) > 0 && len(l.from) >= len(before.from)
		for j := range l.from {
			if !slices.Contains(g.places(a.model), l.from[j].at) {
				t.Fatalf("line %s is served by %+v, may be by %v", l.line, l.from, g.places(a.model))
			}
			if j < len(before.from) && (l.from[j].at != before.from[j].at || l.from[j].quantity < before.from[j].quantity) {
				stays = false
			}
		}
		if units := a.of.request.Split == location.SplitUnits; !stays && before.fulfilled() > 0 ||
			!stays && len(before.from) > 0 && units || !units && len(l.from) > max(1, len(before.from)) || !units && !stays && len(l.from) > 1 {
			t.Fatalf("line %s was served by %+v, and is by %+v", l.line, before.from, l.from)
		}
	}
	if a.of.request.Split == location.SplitNever {
		a.together(t, lines)
	}
}

// together checks that lines which must come from one location go where the others are.
func (a *amending) together(t *rapid.T, lines []modelLine) {
	t.Helper()
	kept, grown := map[location.ID]bool{}, map[location.ID]bool{}
	for i := range lines {
		for j := range lines[i].from {
			at := lines[i].from[j].at
			if a.grown[lines[i].line] == nil || j < len(a.lines[i].from) && a.lines[i].from[j].at == at {
				kept[at] = true
			} else {
				grown[at] = true
			}
		}
	}
	for at := range grown {
		if len(kept) > 0 && !kept[at] || len(grown) > 1 && len(kept) == 0 {
			t.Fatalf("lines come from %v and %v", kept, grown)
		}
	}
}

// amend changes the lines of a reservation, then repeats the call after the answer.
func (p *play) amend(t *rapid.T) {
	id, r := p.pick(t)
	request := p.drawAmend(t, id, r)
	a := p.model.amending(r, request)
	result, err := p.store.Amend(p.ctx, request)
	want := a.refusal(err)
	var exact []modelLine
	inPlace := false
	if want == nil {
		exact, inPlace = a.inPlace()
	}
	decided := want != nil || inPlace
	for _, g := range a.grown {
		if len(a.grown) == 1 && !decided {
			decided = true
			if a.reachable(g) < g.want && !(g.backorder && a.mayWait(g)) {
				want = ErrInsufficient
			}
		}
	}
	unswept := p.model.unswept()
	if decided || !errors.Is(err, ErrInsufficient) {
		same(t, "amend", err, want)
	}
	if err != nil {
		return
	}
	lines := slices.Clone(a.lines)
	for i := range lines {
		if a.grown[lines[i].line] == nil {
			continue
		}
		gone := lines[i].from
		lines[i].from = nil
		for _, from := range result.Lines[i].From {
			at := modelAllocation{at: from.Location, quantity: from.Quantity}
			if j := slices.IndexFunc(gone, func(a modelAllocation) bool { return a.at == from.Location }); j >= 0 {
				at.fulfilled = gone[j].fulfilled
			}
			lines[i].from = append(lines[i].from, at)
		}
	}
	if inPlace && !unswept {
		lines = exact
	} else {
		a.served(t, lines)
	}
	state := r.state
	p.model.giveBack(r.all(), state)
	if r.lines = lines; !a.left && r.state == StateConfirmed {
		r.state = StateFulfilled
	}
	r.buyer.keep(r.lines)
	p.model.take(r.all(), state)
	r.version++
	seen := Result{Reservation: p.model.seen(r)}
	for i := range seen.Lines { // it depends on which overdue units were reclaimed: check compares it
		seen.Lines[i].Backordered = result.Lines[i].Backordered
	}
	if got, want := told(result, nil), told(seen, nil); got != want {
		t.Fatalf("amended\n%s\nwant\n%s", got, want)
	}
	again, err := p.store.Amend(p.ctx, request)
	if got, want := told(again, err), "again "+told(seen, nil); got != want {
		t.Fatalf("again\n%s\nwant\n%s", got, want)
	}
	request.Lines[0].Quantity++
	_, err = p.store.Amend(p.ctx, request)
	same(t, "another amend of the same id", err, ErrIDConflict)
}

// drawAmend draws an amend of a reservation.
func (p *play) drawAmend(t *rapid.T, id string, r *modelReservation) AmendRequest {
	request := AmendRequest{ID: id, Operation: p.operation(), Split: r.request.Split}
	for i := range r.lines {
		if n := rapid.Int64Range(-4, 8).Draw(t, "units"); n >= 0 {
			request.Lines = append(request.Lines, LineAmendment{Line: r.lines[i].line, Quantity: n})
		}
	}
	if rapid.IntRange(0, 2).Draw(t, "add") == 0 || len(request.Lines) == 0 {
		sku := rapid.SampledFrom([]location.SKU{"TEE", "MUG", "SET", "TEE", "MUG", "SET", ""}).Draw(t, "sku")
		line := rapid.SampledFrom([]string{"new", "newer"}).Draw(t, "line")
		if !slices.ContainsFunc(request.Lines, func(l LineAmendment) bool { return l.Line == line }) {
			request.Lines = append(request.Lines, LineAmendment{Line: line, SKU: sku, Quantity: rapid.Int64Range(1, 4).Draw(t, "new units"), Backorder: rapid.IntRange(0, 3).Draw(t, "backorder") == 3})
		}
	}
	switch rapid.IntRange(0, 9).Draw(t, "version") {
	case 8:
		request.Version = r.version
	case 9:
		request.Version = r.version + 1
	}
	return request
}
