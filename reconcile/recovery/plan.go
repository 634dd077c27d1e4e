package recovery

import (
	"fmt"
	"slices"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// plan is what a lost reservation needs. Its steps are taken in the order of the fields.
type plan struct {
	hold      bool                 // take its units
	unfulfill []cache.LineQuantity // these units were taken back before they reached the customer
	release   []cache.LineQuantity // give back these units, which were given back before
	cancel    bool                 // give back all units
	confirm   bool
	amend     []cache.LineAmendment // lines that were added, removed or got more units
	fulfill   []cache.LineQuantity  // these units have left
	rest      bool                  // all units that are left have left
	describe  bool                  // it was for another customer, order or identities
	notes     []string              // what a person must see to
	over      string                // why there is nothing to do, if there are no steps
}

// steps reports whether there is something to do.
func (p *plan) steps() bool {
	return p.hold || p.cancel || p.confirm || p.rest || p.describe || len(p.unfulfill)+len(p.release)+len(p.amend)+len(p.fulfill) > 0
}

// lineCount counts a line's units, or its kits.
type lineCount struct {
	line                          string
	sku                           location.SKU // the kit's, of a kit
	quantity, fulfilled, returned int64
	at                            []string // locations
	backorder                     bool
}

// linesOf counts the lines of a record. All components of a kit have the same counts of kits.
func linesOf(r *wire.Record) (list []lineCount) {
	for i := range r.Lines {
		l := &r.Lines[i]
		if n := len(list); n > 0 && l.Kit != nil && list[n-1].line == l.Line {
			continue
		}
		sku, each := l.SKU, int64(1)
		if l.Kit != nil {
			sku, each = l.Kit.SKU, l.Kit.Each
		}
		c := lineCount{line: l.Line, sku: sku, returned: l.Returned / each, backorder: l.Backorder}
		for _, from := range l.From {
			c.quantity += from.Quantity / each
			c.fulfilled += from.Fulfilled / each
			c.at = append(c.at, string(from.Location))
		}
		list = append(list, c)
	}
	return list
}

// fresh returns a lost reservation as it is when its units are held again.
func fresh(r *wire.Record) wire.Record {
	now := *r
	now.State, now.Version, now.Lines = cache.StateHeld, 1, slices.Clone(r.Lines)
	for i := range now.Lines {
		l := &now.Lines[i]
		l.Returned, l.From = 0, slices.Clone(l.From)
		for j := range l.From {
			l.From[j].Fulfilled = 0
		}
	}
	return now
}

// planOf returns what a lost reservation needs. now is the reservation as Redis and the ledger have it,
// or nil; at is the time, Unix ms. left says why nothing can be done, or is "".
func planOf(l *Lost, now *wire.Record, at int64) (p plan, left string) {
	want := l.Record
	switch {
	case now != nil && ledger.Archived(now):
		return plan{over: "it was archived"}, ""
	case now != nil && (now.Fingerprint != want.Fingerprint || now.Transition == wire.TransitionConflict):
		return plan{}, "its id belongs to another reservation now"
	case now != nil: // it is taken up where it stands
	case unitsOf(want) == 0 || !isSale(want.State) && want.State != cache.StateHeld:
		return plan{over: "it has no units"}, ""
	case want.State == cache.StateHeld && want.Expires <= at:
		return plan{over: "its deadline has passed"}, ""
	default:
		p.hold = true
		held := fresh(want)
		now = &held
	}
	// A reservation that nobody has changed since it was given up.
	asGivenUp := now.CreationNonce == want.CreationNonce && now.Version == l.LedgerVersion
	switch {
	case !isSale(want.State) && want.State != cache.StateHeld:
		return planRelease(want, now, asGivenUp)
	case now.State == cache.StateReleased && isSale(want.State):
		return plan{}, "it was released since then"
	case now.State == cache.StateReleased || now.State == cache.StateExpired && !isSale(want.State):
		return plan{over: "it is " + string(now.State)}, ""
	}
	p.confirm = isSale(want.State) && !isSale(now.State)
	p.planLines(linesOf(want), linesOf(now), asGivenUp || p.hold, want.State == cache.StateFulfilled)
	p.describe = asGivenUp && !p.hold && !isSameBuyer(want, now)
	if p.rest = want.State == cache.StateFulfilled && now.State != cache.StateFulfilled; p.rest {
		p.fulfill = nil
	}
	if !p.steps() {
		p.over = "it is " + string(now.State)
	}
	return p, ""
}

// planRelease returns the plan of a reservation that was released or expired.
func planRelease(want, now *wire.Record, asGivenUp bool) (p plan, left string) {
	switch {
	case ledger.Resolved(now.State):
		return plan{over: "it is " + string(now.State)}, ""
	case want.State == cache.StateExpired:
		return plan{over: "it ends at its deadline"}, ""
	case !asGivenUp:
		return plan{}, fmt.Sprintf("it was released, and is %s since: look which is right", now.State)
	default:
		return plan{cancel: true}, ""
	}
}

// isSameBuyer reports whether two records are for the same customer, order and identities.
func isSameBuyer(a, b *wire.Record) bool {
	return a.Customer == b.Customer && a.Order == b.Order && slices.Equal(a.Identities(), b.Identities())
}

// planLines plans what the lines need. same says that nobody has changed the reservation since, left
// that all its units had left: a release of the others would end it as released.
func (p *plan) planLines(want, now []lineCount, same, left bool) {
	for _, w := range want {
		i := slices.IndexFunc(now, func(n lineCount) bool { return n.line == w.line })
		n := lineCount{line: w.line, at: w.at}
		if i >= 0 {
			n = now[i]
		}
		p.planUnits(w, n, i >= 0, same, left)
		if w.returned > n.returned {
			p.notes = append(p.notes, fmt.Sprintf("%d of line %s had come back: add them to the stock", w.returned-n.returned, w.line))
		}
		if same && w.quantity <= n.quantity && !slices.Equal(w.at, n.at) {
			p.notes = append(p.notes, fmt.Sprintf("line %s comes from %v and came from %v: move it", w.line, n.at, w.at))
		}
	}
	for _, n := range now {
		if n.quantity > 0 && !slices.ContainsFunc(want, func(w lineCount) bool { return w.line == n.line }) {
			p.change(same, cache.LineAmendment{Line: n.line}, n.quantity)
		}
	}
}

// planUnits plans what the units of one line need. known says that the reservation has the line.
func (p *plan) planUnits(want, now lineCount, known, same, left bool) {
	units := func(n int64) cache.LineQuantity { return cache.LineQuantity{Line: want.line, Quantity: n} }
	switch more := now.quantity - want.quantity; {
	case more > 0 && same && !left:
		p.release = append(p.release, units(more))
	case more > 0 && !same:
		p.notes = append(p.notes, fmt.Sprintf("line %s has %d and had %d: release the rest if it is not wanted", want.line, now.quantity, want.quantity))
	case more != 0 && known:
		p.change(same, cache.LineAmendment{Line: want.line, Quantity: want.quantity}, now.quantity)
	case more < 0:
		p.change(same, cache.LineAmendment{Line: want.line, Quantity: want.quantity, SKU: want.sku, Backorder: want.backorder}, 0)
	}
	switch more := want.fulfilled - now.fulfilled; {
	case more > 0:
		p.fulfill = append(p.fulfill, units(more))
	case more < 0 && same:
		p.unfulfill = append(p.unfulfill, units(-more))
	}
}

// change plans an amend of a line that has so many units now, or notes it if somebody has changed the
// reservation since.
func (p *plan) change(same bool, to cache.LineAmendment, has int64) {
	if same {
		p.amend = append(p.amend, to)
		return
	}
	p.notes = append(p.notes, fmt.Sprintf("line %s has %d and had %d: amend it if that is not wanted", to.Line, has, to.Quantity))
}
