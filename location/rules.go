package location

import (
	"fmt"
	"slices"
	"strings"
)

// Rules is a directory made ready to route by. It is immutable and safe for concurrent use.
type Rules struct {
	implicit  bool
	directory Directory
	ids       []ID // of all locations, in the directory's order
	index     map[ID]int
	places    []place
	channels  map[Channel]*channel
	known     []Channel // in the directory's order
	fallback  *channel  // of a request that names no channel; nil where none is default
	kits      map[SKU][]Component
	centroids *Centroids
}

// place is a location as routing looks at it.
type place struct {
	Location
	enabled  bool
	country  string // upper-case
	position vector // where located
	located  bool
	zones    []*zone
}

// channel is a sales channel as routing looks at it.
type channel struct {
	SalesChannel
	split   Split
	places  []*place // its locations, in order
	ids     []ID
	member  map[ID]bool
	limits  map[SKU][]*Limit // of SKUs that a limit names; those of any SKU are among them
	anySKU  []*Limit
	limited bool

	anywhere Candidates // of a request without an address: they never change
}

// Option changes how a directory is compiled.
type Option func(*Rules)

// WithCentroids has the nearest location found by these positions where an address has no coordinates.
func WithCentroids(c *Centroids) Option { return func(r *Rules) { r.centroids = c } }

// Compile makes rules of a directory. Its error is *InvalidError and lists every fault.
func Compile(d Directory, options ...Option) (*Rules, error) {
	if faults := d.Validate(); len(faults) > 0 {
		return nil, &InvalidError{Faults: faults}
	}
	r := &Rules{
		directory: d.clone(), index: make(map[ID]int, len(d.Locations)),
		channels: make(map[Channel]*channel, len(d.Channels)), kits: make(map[SKU][]Component, len(d.Kits)),
		centroids: Countries(),
	}
	for _, option := range options {
		option(r)
	}
	r.compilePlaces()
	for i := range r.directory.Channels {
		c := r.compileChannel(r.directory.Channels[i])
		r.channels[c.ID], r.known = c, append(r.known, c.ID)
		if c.Default {
			r.fallback = c
		}
	}
	for _, kit := range r.directory.Kits {
		r.kits[kit.SKU] = kit.Components
	}
	return r, nil
}

func (r *Rules) compilePlaces() {
	zones := make(map[string]*zone, len(r.directory.Zones))
	for _, z := range r.directory.Zones {
		zones[z.ID] = compileZone(z)
	}
	for i, l := range r.directory.Locations {
		p := place{Location: l, enabled: l.Enabled == nil || *l.Enabled, country: strings.ToUpper(l.Country)}
		if l.Latitude != nil && l.Longitude != nil {
			p.position, p.located = vectorOf(*l.Latitude, *l.Longitude), true
		}
		for _, id := range l.Zones {
			p.zones = append(p.zones, zones[id])
		}
		r.places, r.ids = append(r.places, p), append(r.ids, l.ID)
		r.index[l.ID] = i
	}
}

func (r *Rules) compileChannel(c SalesChannel) *channel {
	compiled := &channel{SalesChannel: c, split: c.Split, member: make(map[ID]bool, len(c.Locations))}
	if compiled.split == "" {
		compiled.split = SplitLines
	}
	for _, id := range c.Locations {
		compiled.places = append(compiled.places, &r.places[r.index[id]])
		compiled.member[id] = true
	}
	compiled.ids = c.Locations
	var enabled []ranked
	for _, p := range compiled.places {
		if p.enabled {
			enabled = append(enabled, ranked{place: p})
		}
	}
	compiled.anywhere = compiled.rank(enabled, &destination{})
	compiled.compileLimits(r.directory.Limits)
	return compiled
}

// compileLimits finds for each SKU the limits that count it, so that none is searched for later.
func (c *channel) compileLimits(limits []Limit) {
	var mine []*Limit
	for i := range limits {
		l := &limits[i]
		if len(l.Channels) == 0 || slices.Contains(l.Channels, c.ID) {
			mine = append(mine, l)
		}
	}
	c.limits, c.limited = map[SKU][]*Limit{}, len(mine) > 0
	for _, l := range mine {
		if len(l.SKUs) == 0 {
			c.anySKU = append(c.anySKU, l)
		}
		for _, sku := range l.SKUs {
			c.limits[sku] = nil
		}
	}
	for _, l := range mine { // in the directory's order
		if len(l.SKUs) == 0 {
			for sku := range c.limits {
				c.limits[sku] = append(c.limits[sku], l)
			}
		}
		for _, sku := range l.SKUs {
			c.limits[sku] = append(c.limits[sku], l)
		}
	}
}

func (c *channel) limitsOf(sku SKU) []*Limit {
	if !c.limited {
		return nil
	}
	if list, named := c.limits[sku]; named {
		return list
	}
	return c.anySKU
}

// Implicit is the rules where there is no directory: one channel of any name or none, with these
// locations in their order. Zones do not restrict, and every location may be collected from.
func Implicit(ids []ID) *Rules {
	r := &Rules{implicit: true, ids: slices.Clone(ids), index: make(map[ID]int, len(ids)), places: make([]place, len(ids))}
	c := &channel{split: SplitLines, member: make(map[ID]bool, len(ids))}
	for i, id := range r.ids {
		r.index[id] = i
		r.places[i] = place{Location: Location{ID: id, Pickup: true}, enabled: true}
		c.places, c.ids = append(c.places, &r.places[i]), append(c.ids, id)
		c.member[id] = true
	}
	r.fallback = c
	return r
}

// Implicit says that there is no directory.
func (r *Rules) Implicit() bool { return r.implicit }

// Directory is what the rules were compiled from. Don't write to it.
func (r *Rules) Directory() Directory { return r.directory }

// Locations is all locations, in the directory's order. Don't write to it.
func (r *Rules) Locations() []ID { return r.ids }

// Location is a location of the directory.
func (r *Rules) Location(id ID) (Location, bool) {
	i, known := r.index[id]
	if !known {
		return Location{}, false
	}
	return r.places[i].Location, true
}

// Kit is what a SKU consists of; nil where it is no kit.
func (r *Rules) Kit(sku SKU) []Component { return r.kits[sku] }

// channelOf is the channel of a request.
func (r *Rules) channelOf(id Channel) (*channel, error) {
	if r.implicit {
		return r.fallback, nil
	}
	if id == "" && r.fallback != nil {
		return r.fallback, nil
	}
	if c := r.channels[id]; c != nil {
		return c, nil
	}
	return nil, &UnknownChannelError{Channel: id, Known: r.known}
}

// UnknownChannelError says that a request names no channel of the directory.
type UnknownChannelError struct {
	Channel Channel // "" where none was named and none is default
	Known   []Channel
}

// namedMax is how many channels an error lists.
const namedMax = 10

func (e *UnknownChannelError) Error() string {
	known := make([]string, 0, namedMax)
	for _, id := range e.Known[:min(namedMax, len(e.Known))] {
		known = append(known, string(id))
	}
	list := strings.Join(known, ", ")
	if len(e.Known) > namedMax {
		list += ", …"
	}
	if e.Channel == "" {
		return "is required: no channel of the directory is the default; there are " + list
	}
	return fmt.Sprintf("is %q, which the directory does not have; there are %s", e.Channel, list)
}
