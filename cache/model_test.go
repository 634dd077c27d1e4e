package cache

import (
	"slices"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// model is a Store in plain Go: levels, reservations and purchase limits. From an answer it takes
// only which locations serve a line, after it has checked that they could.
type model struct {
	now          int64
	directory    location.Directory // without channels: no directory
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
	order    string // as it is now
	buyer    modelBuyer
	state    State
	unswept  bool // it is expired, and Redis has not reclaimed its units yet
	version  int64
	deadline int64
	lines    []modelLine
}

// modelBuyer is whom a reservation is for. It has no identities if no purchase limit counts the
// reservation.
type modelBuyer struct {
	customer   string
	identities []string
}

// modelLine is a line by the directory in force when its reservation was made. All its numbers are
// units of the line: kits, if it is one.
type modelLine struct {
	line                string
	sku                 location.SKU
	kit                 bool
	parts               []location.Component // of one unit: the components of a kit, or one of the SKU
	campaigns           []*location.Campaign // that count it
	named               []location.ID        // the only locations that may serve it, in order; empty: all
	backorder           bool
	requested, returned int64
	from                []modelAllocation
}

type modelAllocation struct {
	at                  location.ID
	quantity, fulfilled int64
}

func (a *modelAllocation) left() int64 { return a.quantity - a.fulfilled }

// places returns the candidate locations in order.
func (m *model) places() []location.ID {
	if len(m.directory.Channels) == 0 {
		return []location.ID{"berlin", "lyon"}
	}
	return m.directory.Channels[0].Locations
}

// line returns a line by the current directory.
func (m *model) line(r LineRequest) modelLine {
	l := modelLine{line: r.Line, sku: r.SKU, named: r.Locations, requested: r.Quantity, backorder: r.Backorder, parts: []location.Component{{SKU: r.SKU, Quantity: 1}}}
	for _, kit := range m.directory.Kits {
		if kit.SKU == r.SKU {
			l.kit, l.parts = true, kit.Components
		}
	}
	l.campaigns = m.campaignsOf(&l)
	return l
}

// campaignsOf returns the campaigns that count a line by the current directory.
func (m *model) campaignsOf(l *modelLine) (campaigns []*location.Campaign) {
	for i := range m.directory.Campaigns {
		if c := &m.directory.Campaigns[i]; l.countedBy(c) > 0 {
			campaigns = append(campaigns, c)
		}
	}
	return campaigns
}

func (m *model) Level(sku location.SKU, at location.ID) *modelLevel {
	return m.levels[wire.LevelField(sku, at)]
}

// levelFor returns a level, and makes it if it is missing.
func (m *model) levelFor(sku location.SKU, at location.ID) *modelLevel {
	l := m.Level(sku, at)
	if l == nil {
		l = &modelLevel{}
		m.levels[wire.LevelField(sku, at)] = l
	}
	return l
}

// serves returns how many units of a line a location has. known is false if it lacks a level of one
// of the parts.
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

// take adds portions to the held units of their levels, or to the committed ones if state is not
// held.
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

// expireDue expires the overdue reservations. The Store does so only on demand or in a sweep. A
// caller sees the difference only in the version, and in a late confirm of a reservation whose
// units were not reclaimed.
func (m *model) expireDue() {
	for _, r := range m.reservations {
		if r.state == StateHeld && r.deadline <= m.now {
			m.giveBack(r.all(), StateHeld)
			r.state, r.unswept = StateExpired, true
		}
	}
}

// unswept reports whether Redis has overdue units to reclaim.
func (m *model) unswept() bool {
	for _, r := range m.reservations {
		if r.unswept {
			return true
		}
	}
	return false
}

// portion is the units of a line from one location.
type portion struct {
	line  *modelLine
	from  *modelAllocation
	units int64
}

// all returns everything that a reservation has left.
func (r *modelReservation) all() []portion { return r.portions(r.left(), false) }

// plain returns the portions of lines that may not be backordered.
func plain(list []portion) []portion {
	return slices.DeleteFunc(slices.Clone(list), func(p portion) bool { return p.line.backorder })
}

// left returns the units of each line that are neither fulfilled nor released.
func (r *modelReservation) left() map[string]int64 {
	left := map[string]int64{}
	for i := range r.lines {
		left[r.lines[i].line] = r.lines[i].sum((*modelAllocation).left)
	}
	return left
}

// portions spreads units of lines over their locations, beginning with the first, or with the last.
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

// needs returns the units of each level that portions consist of.
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

// stored returns the state in Redis.
func (r *modelReservation) stored() State {
	if r.unswept {
		return StateHeld
	}
	return r.state
}

// record returns the record that Redis should have, without the limits of its lines: checkLimits
// compares what they count.
func (r *modelReservation) record() wire.Record {
	rec := wire.Record{State: r.stored(), Version: r.version, Expires: r.deadline}
	for _, l := range r.lines {
		for _, part := range l.parts {
			line := wire.RecordLine{Line: l.line, SKU: part.SKU, Requested: l.requested * part.Quantity, Returned: l.returned * part.Quantity, Backorder: l.backorder}
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

// overdue returns the units of each level that Redis counts as held and the model does not: those of
// overdue reservations.
func (m *model) overdue() map[string]int64 {
	var list []portion
	for _, r := range m.reservations {
		if r.unswept {
			list = append(list, r.all()...)
		}
	}
	return needs(list)
}

// backordered returns the units of a line that should be seen to wait: at each location those of
// the part that the most units of the line lack.
func (m *model) backordered(l *modelLine) (units int64) {
	overdue := m.overdue()
	for _, a := range l.from {
		most := int64(0)
		for _, part := range l.parts {
			name := wire.LevelField(part.SKU, a.at)
			lacking := min(a.quantity*part.Quantity, max(0, overdue[name]-m.levels[name].available()))
			most = max(most, (lacking+part.Quantity-1)/part.Quantity)
		}
		units += most
	}
	return min(units, l.quantity()-l.fulfilled())
}

// seen returns the reservation that a caller should see.
func (m *model) seen(r *modelReservation) Reservation {
	res := Reservation{
		ID: r.request.ID, State: r.state, Version: r.version, Customer: r.buyer.customer, Order: r.order, Identities: r.buyer.identities,
	}
	if r.state == StateHeld || r.state == StateExpired {
		res.ExpiresAt = time.UnixMilli(r.deadline)
	}
	for i := range r.lines {
		l := &r.lines[i]
		line := Line{Line: l.line, SKU: l.sku, Requested: l.requested, Quantity: l.quantity(), Fulfilled: l.fulfilled(), Returned: l.returned, Backorder: l.backorder}
		if l.backorder && (r.state == StateHeld || r.state == StateConfirmed) && line.Quantity > line.Fulfilled {
			line.Backordered = m.backordered(l)
		}
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
