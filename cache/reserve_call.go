package cache

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// reserveCall is a routed ReserveRequest, in the form its script takes. lua/reserve.lua describes
// the texts.
type reserveCall struct {
	request   *ReserveRequest
	until     time.Time // the call ends then
	routing   location.Routing
	ttl       int64         // ms
	shape     string        // ttl_ms split lines limits, backorder, times of its campaigns
	firstOnly bool          // names only the first candidate: most calls need no other
	fixed     string        // fingerprint channel customer order
	head      string        // of the event
	lines     []reserveLine // one for each line of the request
	limits    []limitUse
	timed     []*location.CampaignRule // campaigns of the lines that have times
	oneLine   [1]reserveLine           // backs lines: most requests have one
	kept      []keptLine               // amend: what each line has already; else nil
}

// reserveLine is one line: a SKU, or the components of a kit.
type reserveLine struct {
	text       string // name sku requested returned; of a kit for each component
	quantity   string // of a kit also the units of each component in one kit
	kit        []location.Component
	candidates location.Candidates
	routing    *location.Routing // of a line with a destination of its own; else nil
	levels     []string          // of the candidates; of a kit one for each component
	names      []string          // numbers that the last batch gave to the candidates
	oneLevel   [1]string         // backs levels
	oneName    [1]string         // backs names
}

// route chooses the candidates of each line. If it returns an error, the call is still sent without
// candidates to ask whether its id is known: an accepted reservation stays, whatever the directory
// says now.
func (c *reserveCall) route(rules *location.Rules, ttl time.Duration) error {
	r := c.request
	if c.ttl = ttl.Milliseconds(); r.TTL != 0 {
		c.ttl = r.TTL.Milliseconds()
	}
	if c.lines = c.oneLine[:]; len(r.Lines) > 1 {
		c.lines = make([]reserveLine, len(r.Lines))
	}
	clear(c.lines)
	c.limits, c.timed = nil, nil
	err := c.routeLines(rules)
	if err == nil {
		c.encode()
		err = c.checkSize()
	}
	if err != nil {
		clear(c.lines)
		c.limits, c.timed = nil, nil
		c.encode()
	}
	return err
}

// routeLines finds the components, campaigns and candidates of each line.
func (c *reserveCall) routeLines(rules *location.Rules) (err error) {
	r := c.request
	c.routing, err = location.Route(rules, location.Request{Channel: r.Channel, ShipTo: r.ShipTo, Pickup: r.Pickup, Prefer: r.Prefer})
	if err != nil {
		return invalidChannel(err)
	}
	if err := r.checkLocations(rules); err != nil {
		return err
	}
	total, bytes, parts := 0, 0, 0
	for i := range c.lines {
		l, asked := &c.lines[i], &r.Lines[i]
		l.kit = rules.Kit(asked.SKU)
		l.candidates = c.routingOf(rules, i).Candidates(asked.Location, asked.Locations...)
		if c.kept != nil {
			c.kept[i].apply(l)
		}
		l.nameLevels(asked.SKU)
		total, parts = total+len(l.levels), parts+c.partsOf(asked.SKU, l.kit)
		for _, level := range l.levels {
			bytes += len(level)
		}
		if err := l.checkQuantity(i, asked.Quantity); err != nil {
			return err
		}
		if err := c.countCampaigns(asked, l.kit); err != nil {
			return err
		}
	}
	if parts > PartsMax {
		return tooManyParts()
	}
	switch most := candidatesMax(parts, c.request.backorders()); { // more would block Redis for too long
	case total > most:
		return invalid("/lines", "would be tried at more than %d locations in all: send fewer lines, or pin them", most)
	case bytes > CandidatesBytesMax:
		return invalid("/lines", "would be tried at locations whose names, with those of the SKUs, have more than %d bytes in all: "+
			"send fewer lines, or pin them", CandidatesBytesMax)
	default:
		return nil
	}
}

// candidatesMax returns how many candidates a reservation of so many parts may have. A part costs the
// script about as much as two candidates. It may allocate twice if lines may be backordered.
func candidatesMax(parts int, backorders bool) int {
	most := CandidatesMax
	if backorders {
		most /= 2
	}
	return max(0, most-2*max(0, parts-100))
}

// routingOf returns the routing of a line: that of the request, or its own if it has a destination of
// its own.
func (c *reserveCall) routingOf(rules *location.Rules, i int) *location.Routing {
	l, asked := &c.lines[i], &c.request.Lines[i]
	if !asked.ownDestination() {
		return &c.routing
	}
	if i > 0 && c.lines[i-1].routing != nil {
		if before := &c.request.Lines[i-1]; before.Pickup == asked.Pickup && reflect.DeepEqual(before.ShipTo, asked.ShipTo) {
			l.routing = c.lines[i-1].routing
			return l.routing
		}
	}
	routing, _ := location.Route(rules, location.Request{ // the channel is known: the request has been routed
		Channel: c.request.Channel, ShipTo: asked.ShipTo, Pickup: asked.Pickup, Prefer: c.request.Prefer,
	})
	l.routing = &routing
	return l.routing
}

// checkLocations checks that the directory has the locations that the request prefers or names. Without a
// directory every location is known.
func (r *ReserveRequest) checkLocations(rules *location.Rules) error {
	var f faults
	for i, id := range r.Prefer {
		f.unknown(rules, fmt.Sprintf("/prefer/%d", i), id)
	}
	for i := range r.Lines {
		for j, id := range r.Lines[i].Locations {
			f.unknown(rules, fmt.Sprintf("%s/locations/%d", linePath(i), j), id)
		}
	}
	return f.err()
}

// partsOf returns how many parts a line has if one location serves it, with the limits that count it
// once for each identity.
func (c *reserveCall) partsOf(sku location.SKU, kit []location.Component) int {
	parts := max(1, len(kit)) + len(c.limitsOf(c.routing.Campaigns(sku), 1))
	for _, component := range kit {
		parts += len(c.limitsOf(c.routing.Campaigns(component.SKU), 1))
	}
	return parts
}

// checkSize checks that the record will not be too large.
func (c *reserveCall) checkSize() error {
	size := 0
	for i := range c.lines {
		size += len(c.lines[i].text)
	}
	if size > LinesBytesMax {
		return tooLarge(size)
	}
	return nil
}

// tooLarge is the error of a reservation whose lines would have more bytes than LinesBytesMax.
func tooLarge(size int) error {
	return invalid("/lines", "are %d bytes in Redis, with the names of lines, SKUs and campaigns, and may be %d: "+
		"send fewer lines, or use shorter names", size, LinesBytesMax)
}

// tooManyParts is the error of a reservation that would have more parts than PartsMax.
func tooManyParts() error {
	return invalid("/lines", "would need more than %d parts, one for each SKU at each location that serves it, "+
		"and for each limit of a campaign that counts it: send fewer lines, or fewer units", PartsMax)
}

// nameLevels lists the levels of the line's candidates.
func (l *reserveLine) nameLevels(sku location.SKU) {
	n := len(l.candidates.IDs) * max(1, len(l.kit))
	if l.levels = l.oneLevel[:0]; n > 1 {
		l.levels = make([]string, 0, n)
	}
	for _, at := range l.candidates.IDs {
		if l.kit == nil {
			l.levels = append(l.levels, wire.LevelField(sku, at))
		}
		for _, component := range l.kit {
			l.levels = append(l.levels, wire.LevelField(component.SKU, at))
		}
	}
}

// checkQuantity checks that the kits need at most QuantityMax units of each component.
func (l *reserveLine) checkQuantity(i int, kits int64) error {
	for _, component := range l.kit {
		if kits > QuantityMax/component.Quantity {
			return invalid(linePath(i)+"/quantity", "would be more than %d units of %s", QuantityMax, component.SKU)
		}
	}
	return nil
}

// encode writes the texts for the script, all in one allocation.
func (c *reserveCall) encode() {
	r, channel := c.request, c.routing.Channel()
	if channel == "" {
		channel = r.Channel
	}
	t := builders.Get().(*textBuilder)
	defer builders.Put(t)
	t.reset()
	t.add(r.fingerprint(), wire.UnitSeparator, string(channel), wire.UnitSeparator, r.Customer, wire.UnitSeparator, r.Order)
	t.end()
	t.add("reserve", wire.UnitSeparator, r.ID, wire.UnitSeparator, wire.UnitSeparator, "0", wire.UnitSeparator, r.ledgerOnly(), wire.RecordSeparator)
	t.end()
	t.addInt(c.ttl)
	t.add(" ", string(c.split()), " ")
	t.addInt(int64(len(r.Lines)))
	t.add(" ")
	t.addInt(int64(len(c.limits)))
	if r.backorders() {
		t.add(" backorder")
	}
	c.addWindow(t)
	t.end()
	for i := range c.lines {
		c.encodeLine(t, i)
	}
	parts := t.texts()
	c.fixed, c.head, c.shape = parts.next(), parts.next(), parts.next()
	for i := range c.lines {
		c.lines[i].quantity, c.lines[i].text = parts.next(), parts.next()
	}
}

// split returns how far the reservation may be split over locations.
func (c *reserveCall) split() location.Split {
	return cmp.Or(c.request.Split, c.routing.Split(), location.SplitLines)
}

// encodeLine writes the quantity and the text of a line.
func (c *reserveCall) encodeLine(t *textBuilder, i int) {
	asked, l := &c.request.Lines[i], &c.lines[i]
	t.addInt(asked.Quantity)
	for _, component := range l.kit {
		t.add(" ")
		t.addInt(component.Quantity)
	}
	t.end()
	if l.kit == nil {
		c.encodeRecordLine(t, wire.RecordLine{
			Line: asked.Line, SKU: asked.SKU, Requested: asked.Quantity, Backorder: asked.Backorder,
		}, asked.SKU)
	}
	for j, component := range l.kit {
		if j > 0 {
			t.add(wire.RecordSeparator)
		}
		line := wire.RecordLine{
			Line: asked.Line, SKU: component.SKU, Requested: asked.Quantity * component.Quantity,
			Kit: &wire.RecordKit{SKU: asked.SKU, Each: component.Quantity}, Backorder: asked.Backorder,
		}
		if j == 0 { // the first component carries the limits that count kits
			line.Limits = c.limitsOf(c.routing.Campaigns(asked.SKU), component.Quantity)
		}
		c.encodeRecordLine(t, line, component.SKU)
	}
	t.end()
}

// encodeRecordLine writes a line of the record, with the limits that count it.
func (c *reserveCall) encodeRecordLine(t *textBuilder, line wire.RecordLine, sku location.SKU) {
	campaigns := c.routing.Campaigns(sku)
	if line.Kit != nil {
		campaigns = without(campaigns, c.routing.Campaigns(line.Kit.SKU))
	}
	line.Limits = append(line.Limits, c.limitsOf(campaigns, 1)...)
	t.add(line.Name(), wire.UnitSeparator, string(line.SKU), wire.UnitSeparator)
	t.addInt(line.Requested)
	t.add(wire.UnitSeparator, "0")
}

// backorders reports whether a line may be backordered.
func (r *ReserveRequest) backorders() bool {
	return slices.ContainsFunc(r.Lines, func(l LineRequest) bool { return l.Backorder })
}

// ledgerOnly returns the fields that the ledger keeps and Redis does not, as JSON, or "" if all are
// empty.
func (r *ReserveRequest) ledgerOnly() string {
	var lines map[string]wire.Destination
	for i := range r.Lines {
		if l := &r.Lines[i]; l.ownDestination() {
			if lines == nil {
				lines = map[string]wire.Destination{}
			}
			lines[l.Line] = wire.Destination{ShipTo: l.ShipTo, Pickup: l.Pickup}
		}
	}
	if r.ShipTo == nil && r.Pickup == "" && r.Split == "" && len(r.Metadata) == 0 && lines == nil {
		return ""
	}
	text, err := json.Marshal(struct {
		wire.Destination
		Split    location.Split              `json:"split,omitempty"`
		Metadata map[string]string           `json:"metadata,omitempty"`
		Lines    map[string]wire.Destination `json:"lines,omitempty"`
	}{wire.Destination{ShipTo: r.ShipTo, Pickup: r.Pickup}, r.Split, r.Metadata, lines})
	if err != nil {
		panic("cache: encode a validated request: " + err.Error())
	}
	return string(text)
}

// ID, Weight and Arguments make a reserveCall a shard.Request.
func (c *reserveCall) ID() string { return c.request.ID }

func (c *reserveCall) Weight() int {
	if c.firstOnly {
		return len(c.lines)
	}
	n := len(c.limits) / 8
	for i := range c.lines {
		n += max(1, len(c.lines[i].kit)) + len(c.lines[i].levels)/8
	}
	return n
}

func (c *reserveCall) NotAfter() time.Time { return c.request.NotAfter }

func (c *reserveCall) Arguments(b *shard.Batch) {
	shape := c.shape
	if c.firstOnly {
		shape += " first"
	}
	b.Add(shape, c.fixed, c.head)
	for i := range c.lines {
		l := &c.lines[i]
		if l.number(b, c.firstOnly); c.firstOnly {
			b.Add(l.text, l.quantity, l.names[0])
			continue
		}
		b.Add(l.text, l.quantity, l.candidateText(len(c.lines) > simpleLinesMax))
	}
	for _, use := range c.limits {
		b.Add(b.Counter(use.Name()), strconv.FormatInt(use.units, 10), strconv.FormatInt(use.most, 10))
	}
}

// number numbers the candidates in a batch, or only the first: "1", or for a kit "1+5".
func (l *reserveLine) number(b *shard.Batch, firstOnly bool) {
	l.names = l.oneName[:0]
	if l.kit == nil {
		levels := l.levels
		if firstOnly {
			levels = levels[:1]
		}
		for _, level := range levels {
			l.names = append(l.names, b.Level(level))
		}
		return
	}
	for levels := range slices.Chunk(l.levels, len(l.kit)) {
		numbers := make([]string, len(levels))
		for i, level := range levels {
			numbers[i] = b.Level(level)
		}
		l.names = append(l.names, strings.Join(numbers, "+"))
	}
}

// consecutive reports whether the numbers of the candidates follow each other.
func (l *reserveLine) consecutive() bool {
	first, err := strconv.Atoi(l.names[0])
	for i, name := range l.names {
		if err != nil || name != strconv.Itoa(first+i) {
			return false
		}
	}
	return true
}

// candidateText lists the candidates in order; "=" joins those that rank by available units. It lists
// numbers that follow each other as "1-4" if spans is set: the script reads them faster.
func (l *reserveLine) candidateText(spans bool) string {
	if l.candidates.Groups == nil {
		if n := len(l.names); spans && n > 1 && l.kit == nil && l.consecutive() {
			return l.names[0] + "-" + l.names[n-1]
		}
		return strings.Join(l.names, " ")
	}
	groups, from := make([]string, len(l.candidates.Groups)), 0
	for i, end := range l.candidates.Groups {
		groups[i] = strings.Join(l.names[from:end], "=")
		from = end
	}
	return strings.Join(groups, " ")
}
