package cache

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// reserveCall is a ReserveRequest as its script takes it, once it is routed.
type reserveCall struct {
	request *ReserveRequest
	routing location.Routing
	ttl     int64         // ms
	shape   string        // ttl_ms split lines limits
	first   bool          // only the first candidate is named: most calls need no other
	fixed   string        // fingerprint channel customer order
	head    string        // of the event
	lines   []reserveLine // as the request's
	limits  []limitUse
	one     [1]reserveLine
}

// reserveLine is one line: a SKU, or a kit's components.
type reserveLine struct {
	text       string // name sku requested returned, of a kit for each component
	quantity   string // of a kit also the units of each component in one
	kit        []location.Component
	candidates location.Candidates
	levels     []string // the candidates' levels, of a kit one for each component
	names      []string // what the batch they were last in called the candidates
	oneLevel   [1]string
	oneName    [1]string
}

// limitUse is what a request takes of a purchase limit.
type limitUse struct {
	limit   *location.Limit
	units   int64
	counter string // what the probe they were last in called the customer's counter
}

// route chooses the candidates of each line. Where it can't, the call still asks whether its id is known:
// what was accepted once stays so, whatever has become of the directory.
func (c *reserveCall) route(rules *location.Rules, ttl time.Duration) error {
	r := c.request
	if c.ttl = ttl.Milliseconds(); r.TTL != 0 {
		c.ttl = r.TTL.Milliseconds()
	}
	if c.lines = c.one[:]; len(r.Lines) > 1 {
		c.lines = make([]reserveLine, len(r.Lines))
	}
	clear(c.lines)
	c.limits = nil
	err := c.choose(rules)
	if err != nil {
		clear(c.lines)
		c.limits = nil
	}
	c.write()
	return err
}

// choose finds each line's components, limits and candidates.
func (c *reserveCall) choose(rules *location.Rules) (err error) {
	r := c.request
	c.routing, err = location.Route(rules, location.Request{Channel: r.Channel, ShipTo: r.ShipTo, Pickup: r.Pickup})
	if err != nil {
		return &InvalidError{Faults: []Fault{{Path: "/channel", Message: err.Error()}}}
	}
	total := 0
	for i := range c.lines {
		l, asked := &c.lines[i], &r.Lines[i]
		l.kit = rules.Kit(asked.SKU)
		l.candidates = c.routing.Candidates(asked.Location)
		l.name(asked.SKU)
		total += len(l.levels)
		if err := l.fits(i, asked.Quantity); err != nil {
			return err
		}
		if err := c.count(asked, l.kit); err != nil {
			return err
		}
	}
	if total > CandidatesMax { // too many would keep Redis from everybody else for too long
		return &InvalidError{Faults: []Fault{{Path: "/lines", Message: fmt.Sprintf(
			"would be tried at more than %d locations in all: send fewer lines, or pin them", CandidatesMax)}}}
	}
	return nil
}

// name names the levels of a line's candidates.
func (l *reserveLine) name(sku location.SKU) {
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

// fits checks that so many kits are no more units of a component than a number may be.
func (l *reserveLine) fits(i int, kits int64) error {
	for _, component := range l.kit {
		if kits > QuantityMax/component.Quantity {
			return &InvalidError{Faults: []Fault{{Path: linePath(i) + "/quantity", Message: fmt.Sprintf(
				"would be more than %d units of %s", QuantityMax, component.SKU)}}}
		}
	}
	return nil
}

// count adds what a line takes of purchase limits. A limit that names a kit counts kits, and not the
// kit's components besides.
func (c *reserveCall) count(asked *LineRequest, kit []location.Component) error {
	whole := c.routing.Limits(asked.SKU)
	for _, limit := range whole {
		c.use(limit, asked.Quantity)
	}
	for _, component := range kit {
		for _, limit := range c.routing.Limits(component.SKU) {
			if !slices.Contains(whole, limit) {
				c.use(limit, asked.Quantity*component.Quantity)
			}
		}
	}
	if len(c.limits) > 0 && c.request.Customer == "" {
		return &InvalidError{Faults: []Fault{{Path: "/customer", Message: fmt.Sprintf(
			"is required: %s has a purchase limit", asked.SKU)}}}
	}
	return nil
}

func (c *reserveCall) use(limit *location.Limit, units int64) {
	for i := range c.limits {
		if c.limits[i].limit == limit {
			c.limits[i].units += units
			return
		}
	}
	c.limits = append(c.limits, limitUse{limit: limit, units: units})
}

// write writes the texts that the script takes, all in one allocation.
func (c *reserveCall) write() {
	r, channel := c.request, c.routing.Channel()
	if channel == "" {
		channel = r.Channel
	}
	t := scratch.Get().(*texts)
	defer scratch.Put(t)
	t.all, t.ends = t.all[:0], t.ends[:0]
	t.add(r.fingerprint(), wire.UnitSeparator, string(channel), wire.UnitSeparator, r.Customer, wire.UnitSeparator, r.Order)
	t.next()
	t.add("reserve", wire.UnitSeparator, r.ID, wire.UnitSeparator, wire.UnitSeparator, "0", wire.UnitSeparator, r.extra(), wire.RecordSeparator)
	t.next()
	t.number(c.ttl)
	t.add(" ", string(c.split()), " ")
	t.number(int64(len(r.Lines)))
	t.add(" ")
	t.number(int64(len(c.limits)))
	t.next()
	for i := range c.lines {
		c.writeLine(t, i)
	}
	parts := t.cut()
	c.fixed, c.head, c.shape = parts.next(), parts.next(), parts.next()
	for i := range c.lines {
		c.lines[i].quantity, c.lines[i].text = parts.next(), parts.next()
	}
}

// split is how far the reservation may be spread.
func (c *reserveCall) split() location.Split {
	return cmp.Or(c.request.Split, c.routing.Split(), location.SplitLines)
}

// writeLine writes a line's quantity and text.
func (c *reserveCall) writeLine(t *texts, i int) {
	asked, l := &c.request.Lines[i], &c.lines[i]
	t.number(asked.Quantity)
	for _, component := range l.kit {
		t.add(" ")
		t.number(component.Quantity)
	}
	t.next()
	if l.kit == nil {
		c.writeTagged(t, wire.RecordLine{Line: asked.Line, SKU: asked.SKU, Requested: asked.Quantity}, asked.SKU)
	}
	for j, component := range l.kit {
		if j > 0 {
			t.add(wire.RecordSeparator)
		}
		line := wire.RecordLine{
			Line: asked.Line, SKU: component.SKU, Requested: asked.Quantity * component.Quantity,
			Kit: &wire.RecordKit{SKU: asked.SKU, Each: component.Quantity},
		}
		if j == 0 { // one of them stands for the kits
			line.Limits = c.limitsOf(asked.SKU, component.Quantity)
		}
		c.writeTagged(t, line, component.SKU)
	}
	t.next()
}

// writeTagged writes a line of the record, with the limits that count it.
func (c *reserveCall) writeTagged(t *texts, line wire.RecordLine, sku location.SKU) {
	for _, limit := range c.limitsOf(sku, 1) {
		if line.Kit == nil || !c.counts(line.Kit.SKU, limit.ID) {
			line.Limits = append(line.Limits, limit)
		}
	}
	t.add(line.Name(), wire.UnitSeparator, string(line.SKU), wire.UnitSeparator)
	t.number(line.Requested)
	t.add(wire.UnitSeparator, "0")
}

// limitsOf is the limits that count a SKU, as a record has them.
func (c *reserveCall) limitsOf(sku location.SKU, each int64) (list []wire.RecordLimit) {
	if len(c.limits) == 0 {
		return nil
	}
	for _, limit := range c.routing.Limits(sku) {
		list = append(list, wire.RecordLimit{ID: limit.ID, Most: limit.PerCustomer, Each: each})
	}
	return list
}

// counts says whether a limit counts a SKU.
func (c *reserveCall) counts(sku location.SKU, id string) bool {
	return slices.ContainsFunc(c.routing.Limits(sku), func(l *location.Limit) bool { return l.ID == id })
}

// extra is what the ledger keeps and Redis does not, as JSON; "" where there is nothing.
func (r *ReserveRequest) extra() string {
	if r.ShipTo == nil && r.Pickup == "" && r.Split == "" && len(r.Metadata) == 0 {
		return ""
	}
	text, err := json.Marshal(struct {
		ShipTo   *location.Address `json:"ship_to,omitempty"`
		Pickup   location.ID       `json:"pickup,omitempty"`
		Split    location.Split    `json:"split,omitempty"`
		Metadata map[string]string `json:"metadata,omitempty"`
	}{r.ShipTo, r.Pickup, r.Split, r.Metadata})
	if err != nil {
		panic("cache: a validated request is JSON: " + err.Error())
	}
	return string(text)
}

func (c *reserveCall) ID() string { return c.request.ID }

func (c *reserveCall) Weight() int {
	if c.first {
		return len(c.lines)
	}
	n := 0
	for i := range c.lines {
		n += max(1, len(c.lines[i].kit)) + len(c.lines[i].levels)/8
	}
	return n
}

func (c *reserveCall) Arguments(b *shard.Batch) {
	shape := c.shape
	if c.first {
		shape += " first"
	}
	b.Add(shape, c.fixed, c.head)
	for i := range c.lines {
		l := &c.lines[i]
		if l.call(b, c.first); c.first {
			b.Add(l.text, l.quantity, l.names[0])
			continue
		}
		b.Add(l.text, l.quantity, l.candidateText())
	}
	for _, use := range c.limits {
		b.Add(b.Counter(wire.LimitKey{Limit: use.limit.ID, Customer: c.request.Customer}.Name()),
			strconv.FormatInt(use.units, 10), strconv.FormatInt(use.limit.PerCustomer, 10))
	}
}

// call names a line's candidates in a batch, or the first alone: "1", or of a kit "1+5".
func (l *reserveLine) call(b *shard.Batch, first bool) {
	l.names = l.oneName[:0]
	if l.kit == nil {
		levels := l.levels
		if first {
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

// candidateText is the candidates in order; "=" joins those that rank by what is available.
func (l *reserveLine) candidateText() string {
	if l.candidates.Groups == nil {
		return strings.Join(l.names, " ")
	}
	groups, from := make([]string, len(l.candidates.Groups)), 0
	for i, end := range l.candidates.Groups {
		groups[i] = strings.Join(l.names[from:end], "=")
		from = end
	}
	return strings.Join(groups, " ")
}
