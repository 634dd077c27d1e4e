package location

import (
	"fmt"
	"slices"
	"strings"
)

// Rules is a compiled directory. It is immutable and safe for concurrent use.
type Rules struct {
	implicit  bool
	directory Directory
	ids       []ID // of all locations, in the directory's order
	index     map[ID]int
	places    []place
	channels  map[Channel]*channel
	known     []Channel // in the directory's order
	fallback  *channel  // for requests that name no channel; nil if no channel is the default
	kits      map[SKU][]Component
	centroids *Centroids
	stored    bool
}

// place is a compiled location.
type place struct {
	Location
	enabled  bool
	country  string // upper-case
	position vector // valid if located
	located  bool
	zones    []*zone
}

// channel is a compiled sales channel.
type channel struct {
	SalesChannel
	split   Split
	places  []*place // its locations, in order
	ids     []ID
	member  map[ID]bool
	named   map[SKU][]*CampaignRule // of SKUs that a campaign names; includes the campaigns of all SKUs
	anySKU  []*CampaignRule         // that name no SKU
	counted bool                    // has campaigns

	anywhere Candidates // of a request without an address; always the same
}

// Option changes how a directory is compiled.
type Option func(*Rules)

// WithCentroids sets the positions of addresses without coordinates, for the rule nearest. The
// default is Countries.
func WithCentroids(c *Centroids) Option { return func(r *Rules) { r.centroids = c } }

// Stored compiles a directory that this or an earlier version has accepted and stored: entries of a
// zone that match no address are not faults.
func Stored() Option { return func(r *Rules) { r.stored = true } }

// Compile validates a directory and makes rules from a copy of it. Errors: *InvalidError, which lists
// all faults.
func Compile(d Directory, options ...Option) (*Rules, error) {
	r := &Rules{centroids: Countries()}
	for _, option := range options {
		option(r)
	}
	if faults := d.validate(r.stored); len(faults) > 0 {
		return nil, &InvalidError{Faults: faults}
	}
	var err error
	if r.directory, err = d.clone(); err != nil {
		return nil, err
	}
	r.index = make(map[ID]int, len(d.Locations))
	r.channels, r.kits = make(map[Channel]*channel, len(d.Channels)), make(map[SKU][]Component, len(d.Kits))
	r.compilePlaces()
	campaigns := compileCampaigns(&r.directory)
	for i := range r.directory.Channels {
		c := r.compileChannel(r.directory.Channels[i])
		c.compileCampaigns(campaigns)
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
	return compiled
}

// Implicit returns the rules for use without a directory. Every channel name is valid and sells
// from these locations, in this order. All of them ship everywhere and allow pickup.
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

// Implicit reports whether there is no directory.
func (r *Rules) Implicit() bool { return r.implicit }

// Directory returns the directory of the rules. Callers must not modify it.
func (r *Rules) Directory() Directory { return r.directory }

// Locations returns all locations in the directory's order. Callers must not modify it.
func (r *Rules) Locations() []ID { return r.ids }

// Location returns a location, if the directory has it.
func (r *Rules) Location(id ID) (Location, bool) {
	i, known := r.index[id]
	if !known {
		return Location{}, false
	}
	return r.places[i].Location, true
}

// Kit returns the components of a kit, or nil if the SKU is not a kit.
func (r *Rules) Kit(sku SKU) []Component { return r.kits[sku] }

// channelOf returns the channel of a request.
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

// UnknownChannelError reports that a request names a channel that the directory does not have, or
// that it names none and no channel is the default.
type UnknownChannelError struct {
	Channel Channel   // as named; "" if the request names none
	Known   []Channel // of the directory
}

// namedMax is the number of channels that an error lists.
const namedMax = 10

func (e *UnknownChannelError) Error() string { return "channel " + e.Fault() }

// Fault says what is wrong with the channel and names those that exist.
func (e *UnknownChannelError) Fault() string {
	known := make([]string, 0, namedMax)
	for _, id := range e.Known[:min(namedMax, len(e.Known))] {
		known = append(known, string(id))
	}
	list := strings.Join(known, ", ")
	if len(e.Known) > namedMax {
		list += ", …"
	}
	if e.Channel == "" {
		return "is required, because the directory has no default channel; there are " + list
	}
	return fmt.Sprintf("is %q, which the directory does not have; there are %s", e.Channel, list)
}
