package cache

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/location"
)

// reserve makes a reservation, and if units are missing tries the same request again under a new
// id.
func (p *play) reserve(t *rapid.T) {
	r := ReserveRequest{Split: rapid.SampledFrom([]location.Split{"never", "lines", "units"}).Draw(t, "split"),
		TTL:        time.Duration(9-rapid.IntRange(1, 8).Draw(t, "shorter")) * time.Second,
		Customer:   rapid.SampledFrom([]string{"ann", "ann", "ann", "bob", ""}).Draw(t, "customer"),
		Identities: drawIdentities(t)}
	skus := rapid.SampledFrom([]location.SKU{"TEE", "MUG", "SET"})
	some := rapid.SampledFrom([]string{"", "", "", "", "berlin", "lyon", "lyon berlin", "berlin lyon"})
	r.Prefer = ids(some.Draw(t, "prefer"))
	for i := range rapid.IntRange(1, 3).Draw(t, "lines") {
		r.Lines = append(r.Lines, LineRequest{Line: fmt.Sprint(i), SKU: skus.Draw(t, "sku"), Quantity: rapid.Int64Range(1, 6).Draw(t, "units"),
			Locations: ids(some.Draw(t, "named")), Backorder: rapid.IntRange(0, 3).Draw(t, "backorder") == 3})
	}
	if err := p.buy(t, r); errors.Is(err, ErrInsufficient) {
		_ = p.buy(t, r) // buy checks the answer
	}
}

// drawIdentities draws identities: mostly none.
func drawIdentities(t *rapid.T) []string {
	return rapid.SampledFrom([][]string{nil, nil, nil, nil, {"card"}, {"ann"}, {"bob", "card"}, {"card", "bob"}}).Draw(t, "identities")
}

// wanted is the lines of one request.
type wanted struct {
	*model
	lines  []modelLine
	split  location.Split
	prefer []location.ID
}

// places returns the candidate locations in order, those that the request prefers first.
func (w *wanted) places() (list []location.ID) {
	all := w.model.places()
	for _, at := range slices.Concat(w.prefer, all) {
		if slices.Contains(all, at) && !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	return list
}

// may reports whether the line allows a location.
func (l *modelLine) may(at location.ID) bool {
	return len(l.named) == 0 || slices.Contains(l.named, at)
}

// serves is model.serves for the locations that the line allows.
func (w *wanted) serves(l *modelLine, at location.ID) (units int64, known bool) {
	if !l.may(at) {
		return 0, false
	}
	return w.model.serves(l, at)
}

// refusal returns why the request is refused, or nil; err is the answer that it got. exact is false if
// that depends on the order in which lines are served: then the request may also be insufficient.
func (w *wanted) refusal(b modelBuyer, err error) (want error, exact bool) {
	limited, unknown, nowhere := false, false, false
	closed, over := w.closed(w.lines), w.exceeded(b, w.lines, (*modelLine).asked)
	for i := range w.lines {
		limited = limited || w.lines[i].limited()
		unknown = unknown || w.unknown(&w.lines[i])
		nowhere = nowhere || !slices.ContainsFunc(w.places(), func(at location.ID) bool {
			_, known := w.serves(&w.lines[i], at)
			return known
		})
	}
	switch {
	case limited && len(b.names()) == 0:
		return ErrInvalid, true
	case len(closed) > 0:
		return oneOf(closed, err), true
	case unknown:
		return ErrUnknownStock, true
	case nowhere:
		return ErrNoLocation, true
	case len(over) > 0:
		return oneOf(over, err), true
	case len(w.whole()) > 0:
		return nil, true
	case w.split == location.SplitNever && len(w.lines) > 1:
		return w.together(), true
	default:
		return (&wanted{model: w.model, lines: w.plain(), split: w.split, prefer: w.prefer}).short()
	}
}

// short is refusal for lines that are refused only for lack of units.
func (w *wanted) short() (want error, exact bool) {
	if len(w.lines) == 0 || len(w.whole()) > 0 {
		return nil, true
	}
	if w.split == location.SplitNever {
		return ErrInsufficient, true
	}
	for i := range w.lines {
		if w.alone(&w.lines[i]) < w.lines[i].requested {
			return ErrInsufficient, true
		}
	}
	if !w.enough() {
		return ErrInsufficient, true
	}
	kits := slices.ContainsFunc(w.lines, func(l modelLine) bool { return l.kit })
	named := slices.ContainsFunc(w.lines, func(l modelLine) bool { return len(l.named) > 0 })
	return nil, !w.shared() || w.split == location.SplitUnits && !kits && !named
}

// plain returns the lines that may not be backordered.
func (w *wanted) plain() []modelLine {
	return slices.DeleteFunc(slices.Clone(w.lines), func(l modelLine) bool { return l.backorder })
}

// together returns nil if a location has the plain lines, and levels of the others.
func (w *wanted) together() error {
	for _, at := range w.places() {
		ok, all := true, []portion{}
		for i := range w.lines {
			_, known := w.serves(&w.lines[i], at)
			ok = ok && known
			all = append(all, portion{&w.lines[i], &modelAllocation{at: at}, w.lines[i].requested})
		}
		if ok && w.have(needs(plain(all))) {
			return nil
		}
	}
	return ErrInsufficient
}

// order lists the locations that may serve a line, in the order in which they are tried.
func (w *wanted) order(l *modelLine) []location.ID {
	all := w.places()
	if len(l.named) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(l.named), func(at location.ID) bool { return !slices.Contains(all, at) })
}

// unknown reports whether a part of the line has no level anywhere.
func (m *model) unknown(l *modelLine) bool {
	return slices.ContainsFunc(l.parts, func(part location.Component) bool {
		return m.Level(part.SKU, "berlin") == nil && m.Level(part.SKU, "lyon") == nil
	})
}

// whole lists the locations that could serve all lines together, in the order of the first line.
func (w *wanted) whole() (list []location.ID) {
	for _, at := range w.order(&w.lines[0]) {
		if slices.ContainsFunc(w.lines, func(l modelLine) bool { return !l.may(at) }) {
			continue
		}
		var all []portion
		for i := range w.lines {
			l := &w.lines[i]
			all = append(all, portion{l, &modelAllocation{at: at}, l.requested})
		}
		if w.have(needs(all)) {
			list = append(list, at)
		}
	}
	return list
}

// have reports whether each level has that many units available.
func (m *model) have(units map[string]int64) bool {
	for name, n := range units {
		if l := m.levels[name]; l == nil || l.available() < n {
			return false
		}
	}
	return true
}

// alone returns the most units that the line could have if it were the only one.
func (w *wanted) alone(l *modelLine) (most int64) {
	for _, at := range w.places() {
		some, _ := w.serves(l, at)
		if w.split == location.SplitUnits {
			most += some
		} else {
			most = max(most, some)
		}
	}
	return most
}

// enough reports whether all locations together have enough of each SKU for all lines.
func (w *wanted) enough() bool {
	asked := map[location.SKU]int64{}
	for i := range w.lines {
		for _, part := range w.lines[i].parts {
			asked[part.SKU] += w.lines[i].requested * part.Quantity
		}
	}
	for sku, n := range asked {
		for _, at := range w.places() {
			if l := w.Level(sku, at); l != nil {
				n -= max(0, l.available())
			}
		}
		if n > 0 {
			return false
		}
	}
	return true
}

// shared reports whether two lines want the same SKU.
func (w *wanted) shared() bool {
	seen := map[location.SKU]bool{}
	for i := range w.lines {
		for _, part := range w.lines[i].parts {
			if seen[part.SKU] {
				return true
			}
			seen[part.SKU] = true
		}
	}
	return false
}

// buy reserves under a new id and checks the answer.
func (p *play) buy(t *rapid.T, r ReserveRequest) error {
	t.Helper()
	p.next++
	r.ID = fmt.Sprintf("ord-%03d", p.next)
	w := &wanted{model: p.model, split: r.Split, prefer: r.Prefer}
	for _, l := range r.Lines {
		w.lines = append(w.lines, p.model.line(l))
	}
	result, err := p.store.Reserve(p.ctx, r)
	by := modelBuyer{r.Customer, r.Identities}
	want, exact := w.refusal(by, err)
	if exact || err != nil && !errors.Is(err, ErrInsufficient) {
		same(t, "reserve", err, want)
	}
	if err != nil {
		w.refused(t, err)
		return err
	}
	w.served(t, result)
	by.keep(w.lines)
	made := &modelReservation{request: r, order: r.Order, buyer: by, state: StateHeld, version: 1, deadline: p.now + r.TTL.Milliseconds(), lines: w.lines}
	for i, l := range result.Lines {
		for _, a := range l.From {
			made.lines[i].from = append(made.lines[i].from, modelAllocation{at: a.Location, quantity: a.Quantity})
		}
	}
	if !p.model.have(needs(plain(made.all()))) {
		t.Fatalf("oversold: %s", told(result, nil))
	}
	w.backordered(t, made)
	p.model.take(made.all(), StateHeld)
	seen := Result{Reservation: p.model.seen(made)}
	for i := range seen.Lines { // it depends on which overdue units were reclaimed: check compares it
		seen.Lines[i].Backordered = result.Lines[i].Backordered
	}
	if got, want := told(result, nil), told(seen, nil); got != want {
		t.Fatalf("reserved\n%s\nwant\n%s", got, want)
	}
	p.model.reservations[r.ID] = made
	return nil
}

// served checks the locations of the lines. If one location can serve all lines, the first such one
// must.
func (w *wanted) served(t *rapid.T, result Result) {
	t.Helper()
	var places []location.ID
	for i, l := range result.Lines {
		var sum int64
		for _, a := range l.From {
			if sum += a.Quantity; a.Quantity < 1 || !slices.Contains(w.places(), a.Location) || !w.lines[i].may(a.Location) {
				t.Fatalf("line %d: %+v", i, l)
			}
			if !slices.Contains(places, a.Location) {
				places = append(places, a.Location)
			}
		}
		if sum != w.lines[i].requested {
			t.Fatalf("line %d: asked %+v, got %+v", i, w.lines[i], l)
		}
		if len(l.From) > 1 && w.split != location.SplitUnits {
			t.Fatalf("line %d was split: %+v", i, l)
		}
	}
	if w.split == location.SplitNever && len(places) > 1 {
		t.Fatalf("the reservation was split: %+v", result)
	}
	whole := w.whole()
	if len(whole) == 0 || w.unswept() { // overdue units were not yet available
		return
	}
	ranked := len(w.directory.Channels) > 0 && len(w.directory.Channels[0].Rank) > 0
	if len(places) > 1 || !slices.Contains(whole, places[0]) || !ranked && places[0] != whole[0] {
		t.Fatalf("%+v: one of %v could serve all lines", result, whole)
	}
}

// backordered checks lines that may be backordered and share no SKU with another: they have what is
// available, and the rest is at one location.
func (w *wanted) backordered(t *rapid.T, made *modelReservation) {
	t.Helper()
	if w.shared() || w.split == location.SplitNever && len(w.lines) > 1 {
		return
	}
	ranked := len(w.directory.Channels) > 0 && len(w.directory.Channels[0].Rank) > 0
	for i := range made.lines {
		l := &made.lines[i]
		covered, most, over := int64(0), int64(0), []location.ID{}
		for _, a := range l.from {
			there, _ := w.serves(l, a.at)
			if covered += min(a.quantity, there); a.quantity > there {
				over = append(over, a.at)
			}
		}
		order := w.order(l)
		for _, at := range order {
			there, _ := w.serves(l, at)
			most = max(most, there)
		}
		first := slices.IndexFunc(order, func(at location.ID) bool {
			there, known := w.serves(l, at)
			return known && (w.split == location.SplitUnits || there == most)
		})
		if covered != min(l.requested, w.alone(l)) || len(over) > 1 || len(over) == 1 && !ranked && over[0] != order[first] {
			t.Fatalf("line %s has %v, of which %d are there, and %v is backordered; there are %d of %d", l.line, l.from, covered, over,
				w.alone(l), l.requested)
		}
	}
}

// refused checks the units available for each short line of a refusal.
func (w *wanted) refused(t *rapid.T, err error) {
	t.Helper()
	var short *InsufficientError
	if errors.As(err, &short) {
		if len(short.Shortages) == 0 {
			t.Fatalf("%v has no shortages", err)
		}
		exact := len(w.lines) == 1 || w.split != location.SplitNever && !w.shared()
		together := w.split == location.SplitNever && len(w.lines) > 1
		var got, want []string
		for _, s := range short.Shortages {
			got = append(got, fmt.Sprint(s))
			i := slices.IndexFunc(w.lines, func(l modelLine) bool { return l.line == s.Line })
			if there := w.alone(&w.lines[i]); s.Available >= s.Requested || s.Available > there || s.Available < 0 ||
				w.lines[i].backorder && !together {
				t.Fatalf("%v: the model has %d of line %s", err, there, s.Line)
			}
		}
		for i := range w.lines {
			l := &w.lines[i]
			if there := w.alone(l); there < l.requested && !l.backorder {
				want = append(want, fmt.Sprint(Shortage{Line: l.line, SKU: l.sku, Requested: l.requested, Available: there}))
			}
		}
		if exact {
			compare(t, "short are", got, want)
		}
	}
}

func (p *play) replay(t *rapid.T) {
	id, r := p.pick(t)
	result, err := p.store.Reserve(p.ctx, r.request)
	if got, want := told(result, err), "again "+told(Result{Reservation: p.model.seen(r)}, nil); got != want {
		t.Fatalf("%s\nwant\n%s", got, want)
	}
	other := r.request
	other.Order = "another"
	_, err = p.store.Reserve(p.ctx, other)
	same(t, "another request of id "+id, err, ErrIDConflict)
}
