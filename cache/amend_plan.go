package cache

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// amendPlan is an AmendRequest for one version of a reservation, in the form its script takes.
type amendPlan struct {
	version int64
	all     bool        // names all candidates: else only locations where lines have units already
	more    reserveCall // the lines that are new or get more units, as a reserve has them
	lines   []plannedLine
	window  string // the time in which the campaigns of more sell, or ""
}

// plannedLine is one line of an AmendRequest.
type plannedLine struct {
	name     string
	text     string // of a record, for each component; "" if the line is removed
	quantity string // of a kit also the units of each component in one kit
	more     int    // number among the lines of amendPlan.more, from 0; -1 if it gets no more units
}

// keptLine has the kit and the locations of a line that gets more units.
type keptLine struct {
	kit  []location.Component // as the line was made; nil if the SKU is no kit
	here []location.ID        // locations that serve it
	only bool                 // no other location may serve it
}

// apply makes a line that reserveCall has routed keep what it has: its kit, and its locations first.
func (k *keptLine) apply(l *reserveLine) {
	if k.here == nil {
		return
	}
	l.kit = k.kit
	if k.only {
		l.candidates = location.Candidates{IDs: k.here}
		return
	}
	routed := l.candidates
	l.candidates = location.Candidates{IDs: slices.Clone(k.here)}
	if routed.Groups != nil {
		for i := range k.here {
			l.candidates.Groups = append(l.candidates.Groups, i+1)
		}
	}
	from, last := 0, len(k.here)
	for i := range routed.IDs {
		if !slices.Contains(k.here, routed.IDs[i]) {
			l.candidates.IDs = append(l.candidates.IDs, routed.IDs[i])
		}
		if from < len(routed.Groups) && routed.Groups[from] == i+1 {
			from++
			if n := len(l.candidates.IDs); n > last {
				l.candidates.Groups, last = append(l.candidates.Groups, n), n
			}
		}
	}
}

// amendment is an AmendRequest and the record that it is planned for.
type amendment struct {
	request *AmendRequest
	record  *wire.Record
	shown   map[string]*Line             // the lines of the record, as a caller sees them
	parts   map[string][]wire.RecordLine // the record's lines by name: one, or one for each component
}

// newAmendment checks that the record has the lines that the request changes. Its errors are
// *InvalidError and *FulfilledError.
func newAmendment(r *AmendRequest, record *wire.Record) (*amendment, error) {
	a := &amendment{request: r, record: record, shown: map[string]*Line{}, parts: map[string][]wire.RecordLine{}}
	seen := reservationOf(*record, r.ID, 0)
	for i := range seen.Lines {
		a.shown[seen.Lines[i].Line] = &seen.Lines[i]
	}
	for _, l := range record.Lines {
		a.parts[l.Line] = append(a.parts[l.Line], l)
	}
	var f faults
	names, units := len(a.shown), int64(0)
	for _, l := range a.shown {
		units += l.Quantity
	}
	for i := range r.Lines {
		l, path := &r.Lines[i], linePath(i)
		known := a.shown[l.Line]
		switch {
		case known == nil && l.Quantity == 0:
			f.add(path+"/line", "the reservation has no such line")
		case known == nil && l.SKU == "":
			f.add(path+"/sku", "is required: the reservation has no line %s", l.Line)
		case known == nil:
			names, units = names+1, units+l.Quantity
		case l.SKU != "" && l.SKU != known.SKU:
			f.add(path+"/sku", "is %s, and line %s is of %s: remove the line, and add one with a new name", l.SKU, l.Line, known.SKU)
		case l.Backorder && !known.Backorder:
			f.add(path+"/backorder", "must not be set: line %s was taken without it; remove the line, and add one with a new name", l.Line)
		case l.Quantity == 0:
			names, units = names-1, units-known.Quantity
		default:
			units += l.Quantity - known.Quantity
		}
	}
	switch {
	case f.err() != nil:
	case names > LinesMax:
		f.add("/lines", "would make %d lines, at most %d are allowed", names, LinesMax)
	case units == 0:
		f.add("/lines", "would leave no units: release the reservation")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return a, a.belowFulfilled()
}

// belowFulfilled returns a *FulfilledError if a line would have fewer units than have left.
func (a *amendment) belowFulfilled() error {
	err := &FulfilledError{}
	for i := range a.request.Lines {
		l := &a.request.Lines[i]
		if known := a.shown[l.Line]; known != nil && l.Quantity < known.Fulfilled {
			err.Lines = append(err.Lines, FulfilledLine{Line: l.Line, Requested: l.Quantity, Fulfilled: known.Fulfilled})
		}
	}
	if len(err.Lines) == 0 {
		return nil
	}
	return err
}

// grows reports whether a line of the request is new, or gets more units.
func (a *amendment) grows(i int) bool {
	l := &a.request.Lines[i]
	known := a.shown[l.Line]
	return known == nil || l.Quantity > known.Quantity
}

// needsRouting reports whether a line needs a location other than those that serve it.
func (a *amendment) needsRouting() bool {
	for i := range a.request.Lines {
		known := a.shown[a.request.Lines[i].Line]
		if a.grows(i) && (known == nil || len(known.From) == 0) {
			return true
		}
	}
	return false
}

// plan returns the plan by a directory. Without details, lines may only get units where they have
// some. Its error is an *InvalidError.
func (a *amendment) plan(rules *location.Rules, details *wire.Details) (*amendPlan, error) {
	p := &amendPlan{version: a.record.Version, all: details != nil}
	if details == nil {
		details = &wire.Details{}
	}
	request := &ReserveRequest{
		ID: a.request.ID, Channel: a.record.Channel, Customer: a.record.Customer, Identities: a.record.Identities(),
		ShipTo: details.ShipTo, Pickup: details.Pickup, Split: details.Split,
	}
	p.more.request = request
	var numbers []int // of the lines of more in the request
	for i := range a.request.Lines {
		l := plannedLine{name: a.request.Lines[i].Line, more: -1}
		if a.grows(i) {
			l.more = len(numbers)
			numbers = append(numbers, i)
			more := a.grown(i)
			own := details.Lines[more.Line]
			more.ShipTo, more.Pickup = own.ShipTo, own.Pickup
			request.Lines = append(request.Lines, more)
			p.more.kept = append(p.more.kept, a.kept(i, rules, p.all))
		}
		p.lines = append(p.lines, l)
	}
	if len(numbers) > 0 {
		if err := p.more.route(rules, 0); err != nil {
			return nil, inRequest(err, numbers)
		}
	}
	for i := range p.lines {
		a.encode(p, i)
	}
	p.window = p.more.window()
	return p, a.checkSize(p)
}

// grown returns a line that gets more units as a reserve asks for it.
func (a *amendment) grown(i int) LineRequest {
	l := &a.request.Lines[i]
	line := LineRequest{Line: l.Line, SKU: l.SKU, Quantity: l.Quantity, Location: l.Location, Backorder: l.Backorder}
	if known := a.shown[l.Line]; known != nil {
		line.SKU, line.Backorder = known.SKU, known.Backorder
	}
	return line
}

// kept returns the kit and the locations of a line. A location that the directory bars gives no more units.
func (a *amendment) kept(i int, rules *location.Rules, all bool) keptLine {
	known := a.shown[a.request.Lines[i].Line]
	if known == nil {
		return keptLine{}
	}
	k := keptLine{here: make([]location.ID, 0, len(known.From)), only: !all}
	for _, part := range a.parts[known.Line] {
		if part.Kit != nil {
			k.kit = append(k.kit, location.Component{SKU: part.SKU, Quantity: part.Kit.Each})
		}
	}
	pin := a.request.Lines[i].Location
	for _, from := range known.From {
		if barredBy(rules, from.Location) == "" && (pin == "" || pin == from.Location) {
			k.here = append(k.here, from.Location)
		}
	}
	return k
}

// encode writes the text and the quantity of a line.
func (a *amendment) encode(p *amendPlan, i int) {
	l, asked := &p.lines[i], &a.request.Lines[i]
	parts := a.parts[asked.Line]
	if l.more >= 0 {
		routed := &p.more.lines[l.more]
		l.text, l.quantity = routed.text, routed.quantity
		if len(parts) > 0 { // a reserve returns nothing, and the line may have
			texts := strings.Split(l.text, wire.RecordSeparator)
			for j := range texts {
				texts[j] = strings.TrimSuffix(texts[j], "0") + strconv.FormatInt(parts[j].Returned, 10)
			}
			l.text = strings.Join(texts, wire.RecordSeparator)
		}
		return
	}
	l.quantity = strconv.FormatInt(asked.Quantity, 10)
	if asked.Quantity == 0 {
		return
	}
	texts := make([]string, len(parts))
	for j := range parts {
		each := int64(1)
		if parts[j].Kit != nil {
			each = parts[j].Kit.Each
			l.quantity += " " + strconv.FormatInt(each, 10)
		}
		texts[j] = strings.Join([]string{
			parts[j].Name(), string(parts[j].SKU), strconv.FormatInt(asked.Quantity*each, 10), strconv.FormatInt(parts[j].Returned, 10),
		}, wire.UnitSeparator)
	}
	l.text = strings.Join(texts, wire.RecordSeparator)
}

// checkSize checks that the record does not get too large.
func (a *amendment) checkSize(p *amendPlan) error {
	if len(p.more.request.Lines) == 0 {
		return nil
	}
	size, parts, candidates := 0, 0, 0
	for i := range p.more.lines {
		candidates += len(p.more.lines[i].levels)
	}
	if candidates > AmendCandidatesMax { // the script reads the record as well
		return invalid("/lines", "would be tried at more than %d locations in all: amend fewer lines at once, or pin them", AmendCandidatesMax)
	}
	for i := range a.record.Lines {
		l := &a.record.Lines[i]
		if !slices.ContainsFunc(a.request.Lines, func(r LineAmendment) bool { return r.Line == l.Line }) {
			size, parts = size+len(l.Name())+len(l.SKU), parts+1+len(l.Limits)
		}
	}
	for i := range p.lines {
		size += len(p.lines[i].text)
		if p.lines[i].text != "" {
			parts += 1 + strings.Count(p.lines[i].text, wire.RecordSeparator)
		}
	}
	identities := a.record.Identities()
	for i := range p.more.lines {
		limits := p.more.partsOf(p.more.request.Lines[i].SKU, p.more.lines[i].kit) - max(1, len(p.more.lines[i].kit))
		parts += limits * (1 + len(identities))
		for _, identity := range identities { // the script adds them
			size += limits * (len(identity) + IdentifierBytesMax)
		}
	}
	switch {
	case parts > PartsMax:
		return tooManyParts()
	case size > LinesBytesMax:
		return tooLarge(size)
	default:
		return nil
	}
}

// inRequest changes the paths of an *InvalidError about some lines to those of the request. numbers
// lists their numbers in the request.
func inRequest(err error, numbers []int) error {
	invalid, ok := errors.AsType[*InvalidError](err)
	if !ok {
		return err
	}
	for i := range invalid.Faults {
		f := &invalid.Faults[i]
		rest, ok := strings.CutPrefix(f.Path, "/lines/")
		number, field, _ := strings.Cut(rest, "/")
		if n, err := strconv.Atoi(number); ok && err == nil && n < len(numbers) {
			f.Path = linePath(numbers[n]) + "/" + field
		}
		if f.Path == "/customer" {
			f.Path, f.Message = "/lines", "need a reservation with a customer: "+f.Message
		}
	}
	return invalid
}

// arguments adds the plan to ARGV, or no plan if it is nil.
func (p *amendPlan) arguments(b *shard.Batch) {
	if p == nil {
		b.Add("", "", "", "", "", "0")
		return
	}
	scope := ""
	if p.all {
		scope = "all"
	}
	b.Add(strconv.FormatInt(p.version, 10), scope, string(p.more.split()), shard.AsFlag(p.more.request.backorders()), p.window, strconv.Itoa(len(p.lines)))
	for i := range p.lines {
		l, candidates := &p.lines[i], ""
		if l.more >= 0 {
			routed := &p.more.lines[l.more]
			routed.number(b, false)
			candidates = routed.candidateText(true)
		}
		b.Add(l.name, l.text, l.quantity, candidates)
	}
}

// weight returns what the plan costs the script, in lines.
func (p *amendPlan) weight() int {
	if p == nil {
		return 1
	}
	return len(p.lines) + 2*p.more.Weight() // it reads the record, and may try twice
}

// insufficient decodes the short lines.
func (a *amendment) insufficient(payload string) error {
	shortages, err := decodeShortages(payload, func(i int) (Shortage, bool) {
		if i < 1 || i > len(a.request.Lines) {
			return Shortage{}, false
		}
		l := a.grown(i - 1)
		return Shortage{Line: l.Line, SKU: l.SKU, Requested: l.Quantity}, true
	})
	if err != nil {
		return fmt.Errorf("amend %q: %w", a.request.ID, err)
	}
	return &InsufficientError{Shortages: shortages}
}
