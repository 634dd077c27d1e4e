package location

import "slices"

// Request is what routing looks at for every line: who asks, and from where.
type Request struct {
	Channel Channel  // "" is the default
	ShipTo  *Address // nil: nobody says where to, and zones are not checked
	Pickup  ID       // the store the customer collects from; "" is a shipment
}

// Routing is where a request may be served from, and why not from elsewhere. It is the same for each of
// its lines, but for what a line is pinned to.
type Routing struct {
	rules      *Rules
	channel    *channel
	request    Request
	to         destination
	candidates Candidates
}

// Candidates are the locations a line may be served from, in the order they are tried. Don't write to
// them.
type Candidates struct {
	IDs []ID

	// Groups is nil but where what is available orders: then each is the end of a group of IDs, and the
	// script orders within each group by what is available there, the larger first.
	Groups []int
}

// Route chooses the candidates of a request: the locations of its channel that are enabled and of which
// a zone covers its address, or the store it is collected from, in the order of the channel's rules.
// Whether a location has a level of a SKU is not known here: the script passes over those that have none.
// Its error is *UnknownChannelError.
func Route(r *Rules, q Request) (Routing, error) {
	c, err := r.channelOf(q.Channel)
	if err != nil {
		return Routing{}, err
	}
	routing := Routing{rules: r, channel: c, request: q}
	switch {
	case q.Pickup != "":
		if i, known := r.index[q.Pickup]; known && c.member[q.Pickup] && r.places[i].collects() {
			routing.candidates.IDs = r.ids[i : i+1 : i+1]
		}
	case r.implicit:
		routing.candidates.IDs = c.ids
	case q.ShipTo == nil:
		routing.candidates = c.anywhere
	default:
		routing.to = r.destinationOf(q.ShipTo)
		routing.candidates = c.rank(routing.eligible(), &routing.to)
	}
	return routing, nil
}

// collects says whether customers may collect at a location now.
func (p *place) collects() bool { return p.enabled && p.Pickup }

// eligible is the places of the channel that may serve the address, in the channel's order.
func (r *Routing) eligible() []ranked {
	list := make([]ranked, 0, len(r.channel.places))
	for _, p := range r.channel.places {
		if p.enabled && p.shipsTo(&r.to) {
			list = append(list, ranked{place: p})
		}
	}
	return list
}

// Channel is the request's channel: the default one where it names none.
func (r Routing) Channel() Channel {
	if r.channel == nil || r.rules.implicit {
		return r.request.Channel
	}
	return r.channel.ID
}

// Implicit says that there is no directory.
func (r Routing) Implicit() bool { return r.rules != nil && r.rules.implicit }

// Split is how far the channel lets a reservation be spread; "" where there is no channel.
func (r Routing) Split() Split {
	if r.channel == nil {
		return ""
	}
	return r.channel.split
}

// Limits is the purchase limits that count a SKU in the request's channel.
func (r Routing) Limits(sku SKU) []*Limit {
	if r.channel == nil {
		return nil
	}
	return r.channel.limitsOf(sku)
}

// Candidates is where a line may be served from: all candidates, or the one it is pinned to.
func (r Routing) Candidates(pin ID) Candidates {
	if pin == "" {
		return r.candidates
	}
	if i := slices.Index(r.candidates.IDs, pin); i >= 0 {
		return Candidates{IDs: r.candidates.IDs[i : i+1 : i+1]}
	}
	return Candidates{}
}

// Explain says for each location why a line is not served from it, given which ones have a level of its
// SKU. Those that the directory does not know are among them: the pin, the store, and those of stocked,
// which have a level. The first reason that applies: unknown_location, not_in_channel, disabled, zone or
// not_pickup, not_pin, no_level.
func (r Routing) Explain(line string, pin ID, hasLevel func(ID) bool, stocked []ID) []Rejected {
	var list []Rejected
	seen := map[ID]bool{}
	for i := range r.rules.places {
		p := &r.rules.places[i]
		seen[p.ID] = true
		if reason := r.reject(p, pin, hasLevel); reason != "" {
			list = append(list, Rejected{Line: line, Location: p.ID, Reason: reason})
		}
	}
	for _, id := range append([]ID{pin, r.request.Pickup}, stocked...) {
		if id != "" && !seen[id] {
			seen[id] = true
			list = append(list, Rejected{Line: line, Location: id, Reason: ReasonUnknownLocation})
		}
	}
	return list
}

// reject is the first reason that rules a location out, or "".
func (r *Routing) reject(p *place, pin ID, hasLevel func(ID) bool) Reason {
	switch {
	case !r.channel.member[p.ID]:
		return ReasonNotInChannel
	case !p.enabled:
		return ReasonDisabled
	case r.request.Pickup != "" && (p.ID != r.request.Pickup || !p.Pickup):
		return ReasonNotPickup
	case r.request.Pickup == "" && r.request.ShipTo != nil && !r.rules.implicit && !p.shipsTo(&r.to):
		return ReasonZone
	case pin != "" && p.ID != pin:
		return ReasonNotPin
	case !hasLevel(p.ID):
		return ReasonNoLevel
	default:
		return ""
	}
}
