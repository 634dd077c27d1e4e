package cache

import (
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// model is what a Store should be, in plain Go: levels, reservations, the units that came and went, and what
// customers have of purchase limits. It takes over from an answer only which locations serve a line, after
// checking that they could.
type model struct {
	now          int64
	directory    location.Directory // without channels: there is none
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
	unswept  bool // it is expired, and Redis has not given it back yet
	version  int64
	deadline int64
	lines    []modelLine
}

// modelLine is a line as it was when its reservation was made, whatever has become of the directory. All
// its numbers are units of the line: of a kit, kits.
type modelLine struct {
	line                string
	sku                 location.SKU
	kit                 bool
	parts               []location.Component // what one is: of a kit its components, else one of the SKU
	limits              []modelLimit
	requested, returned int64
	from                []modelAllocation
}

type modelAllocation struct {
	at                  location.ID
	quantity, fulfilled int64
}

func (a *modelAllocation) left() int64 { return a.quantity - a.fulfilled }

// places are the locations that reservations may come from, in order.
func (m *model) places() []location.ID {
	if len(m.directory.Channels) == 0 {
		return []location.ID{"berlin", "lyon"}
	}
	return m.directory.Channels[0].Locations
}

// line is a line as the directory has it now.
func (m *model) line(r LineRequest) modelLine {
	l := modelLine{line: r.Line, sku: r.SKU, requested: r.Quantity, parts: []location.Component{{SKU: r.SKU, Quantity: 1}}}
	for _, kit := range m.directory.Kits {
		if kit.SKU == r.SKU {
			l.kit, l.parts = true, kit.Components
		}
	}
	for _, limit := range m.directory.Limits {
		if each := l.countedBy(limit); each > 0 {
			l.limits = append(l.limits, modelLimit{limit.ID, limit.PerCustomer, each})
		}
	}
	return l
}

func (m *model) Level(sku location.SKU, at location.ID) *modelLevel {
	return m.levels[wire.LevelField(sku, at)]
}

// made is a level, which is made where there is none.
func (m *model) made(sku location.SKU, at location.ID) *modelLevel {
	l := m.Level(sku, at)
	if l == nil {
		l = &modelLevel{}
		m.levels[wire.LevelField(sku, at)] = l
	}
	return l
}

// serves is how many of a line a location has; known says whether it has a level of each of its parts.
func (m *model) serves(l *modelLine, at location.ID) (units int64, known bool) {
	for i, part := range l.parts {
		level := m.Level(part.SKU, at)
		if level == nil {
			return 0, false
		}
		some := max(0, level.available()) / part.Quantity
		if i == 0 || some < units {
			units = some
		}
	}
	return units, true
}

// take adds portions to what their levels have held, or of a confirmed reservation committed.
func (m *model) take(portions []portion, state State) {
	for name, n := range needs(portions) {
		m.Add(name, n, state)
	}
}

// giveBack is the inverse of take.
func (m *model) giveBack(portions []portion, state State) {
	for name, n := range needs(portions) {
		m.Add(name, -n, state)
	}
}

func (m *model) Add(level string, n int64, state State) {
	if state == StateHeld {
		m.levels[level].held += n
	} else {
		m.levels[level].committed += n
	}
}

// lapse gives back what is due. The Store does so when it must, or is told to sweep; whoever looks can
// see no difference but in the version, and in a late confirm of what was not given back yet.
func (m *model) lapse() {
	for _, r := range m.reservations {
		if r.state == StateHeld && r.deadline <= m.now {
			m.giveBack(r.all(), StateHeld)
			r.state, r.unswept = StateExpired, true
		}
	}
}

// unswept says whether Redis has anything to give back.
func (m *model) unswept() bool {
	for _, r := range m.reservations {
		if r.unswept {
			return true
		}
	}
	return false
}

// portion is units of a line that come from one location.
type portion struct {
	line  *modelLine
	from  *modelAllocation
	units int64
}

// all is everything a reservation has left.
func (r *modelReservation) all() []portion { return r.portions(r.left(), false) }

// left is how many of each line are neither fulfilled nor given back.
func (r *modelReservation) left() map[string]int64 {
	left := map[string]int64{}
	for i := range r.lines {
		left[r.lines[i].line] = r.lines[i].sum((*modelAllocation).left)
	}
	return left
}

// portions spreads units of lines over the locations that they come from, from the first on or from the last.
func (r *modelReservation) portions(units map[string]int64, last bool) (list []portion) {
	for i := range r.lines {
		l := &r.lines[i]
		rest := units[l.line]
		for j := range l.from {
			if last {
				j = len(l.from) - 1 - j
			}
			if n := min(rest, l.from[j].left()); n > 0 {
				rest -= n
				list = append(list, portion{l, &l.from[j], n})
			}
		}
	}
	return list
}

// needs is how many units portions are of each level.
func needs(portions []portion) map[string]int64 {
	units := map[string]int64{}
	for _, p := range portions {
		for _, part := range p.line.parts {
			units[wire.LevelField(part.SKU, p.from.at)] += p.units * part.Quantity
		}
	}
	return units
}

func (l *modelLine) sum(of func(*modelAllocation) int64) (units int64) {
	for i := range l.from {
		units += of(&l.from[i])
	}
	return units
}

func (l *modelLine) asked() int64 { return l.requested }

func (l *modelLine) quantity() int64 {
	return l.sum(func(a *modelAllocation) int64 { return a.quantity })
}

func (l *modelLine) fulfilled() int64 {
	return l.sum(func(a *modelAllocation) int64 { return a.fulfilled })
}

// stored is the state that Redis has.
func (r *modelReservation) stored() State {
	if r.unswept {
		return StateHeld
	}
	return r.state
}

// record is a reservation as Redis should have it, without the limits that count its lines: what they
// count shows whether these are right.
func (r *modelReservation) record() wire.Record {
	rec := wire.Record{State: r.stored(), Version: r.version, Expires: r.deadline}
	for _, l := range r.lines {
		for _, part := range l.parts {
			line := wire.RecordLine{Line: l.line, SKU: part.SKU, Requested: l.requested * part.Quantity, Returned: l.returned * part.Quantity}
			if l.kit {
				line.Kit = &wire.RecordKit{SKU: l.sku, Each: part.Quantity}
			}
			for _, a := range l.from {
				line.From = append(line.From, wire.RecordAllocation{Location: a.at, Quantity: a.quantity * part.Quantity, Fulfilled: a.fulfilled * part.Quantity})
			}
			rec.Lines = append(rec.Lines, line)
		}
	}
	return rec
}

// seen is a reservation as a caller should see it.
func (r *modelReservation) seen() Reservation {
	res := Reservation{
		ID: r.request.ID, State: r.state, Version: r.version, ExpiresAt: time.UnixMilli(r.deadline),
	}
	for i := range r.lines {
		l := &r.lines[i]
		line := Line{Line: l.line, SKU: l.sku, Requested: l.requested, Quantity: l.quantity(), Fulfilled: l.fulfilled(), Returned: l.returned}
		for _, a := range l.from {
			line.From = append(line.From, Allocation{a.at, a.quantity})
		}
		for _, part := range l.parts {
			c := Component{SKU: part.SKU, Quantity: line.Quantity * part.Quantity}
			for _, a := range l.from {
				c.From = append(c.From, Allocation{a.at, a.quantity * part.Quantity})
			}
			if l.kit {
				line.Components = append(line.Components, c)
			}
		}
		res.Lines = append(res.Lines, line)
	}
	return res
}
