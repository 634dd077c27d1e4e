package location

import "slices"

// Request is the part of a reservation that decides its candidates.
type Request struct {
	Channel Channel  // "" for the default channel
	ShipTo  *Address // nil: the address is unknown, so zones are not checked
	Pickup  ID       // the store where the customer picks the order up; "" for a shipment
	Prefer  []ID     // candidates to try before the others, in this order; it makes no location a candidate
}

// Routing says which locations may serve a request, and why others may not. All lines of the
// request share it; a line may also be pinned to one location, or name some in its own order.
type Routing struct {
	rules      *Rules
	channel    *channel
	request    Request
	to         destination
	candidates Candidates
}

// Candidates are the locations that may serve a line, in the order in which they are tried. Callers
// must not modify them.
type Candidates struct {
	IDs []ID

	// Groups is nil unless highest_stock orders the candidates. Then it has the end index of each
	// group of IDs that the script orders by available units, most first.
	Groups []int
}

// Route returns the candidates of a request, ordered by the channel's rules. For a shipment they
// are the channel's enabled locations with a zone that covers the address. For a pickup it is only
// the store. Route does not know which locations have a level of a SKU: the script skips those
// without one.
//
// The only error is *UnknownChannelError. A request that no location may serve has no candidates;
// Explain says why.
func Route(r *Rules, q Request) (Routing, error) {
	c, err := r.channelOf(q.Channel)
	if err != nil {
		return Routing{}, err
	}
	routing := Routing{rules: r, channel: c, request: q}
	switch {
	case q.Pickup != "":
		if i, known := r.index[q.Pickup]; known && c.member[q.Pickup] && r.places[i].enabled && r.places[i].Pickup {
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
	if len(q.Prefer) > 0 {
		routing.candidates = routing.candidates.preferring(q.Prefer)
	}
	return routing, nil
}

// preferring returns the candidates with those in prefer first, in its order. Each of them is then a
// group of its own.
func (c Candidates) preferring(prefer []ID) Candidates {
	rest := make(map[ID]bool, len(c.IDs))
	for _, id := range c.IDs {
		rest[id] = true
	}
	ids, groups := make([]ID, 0, len(c.IDs)), []int(nil)
	for _, id := range prefer {
		if rest[id] {
			delete(rest, id)
			ids = append(ids, id)
			groups = append(groups, len(ids))
		}
	}
	group := 0
	for i, id := range c.IDs {
		if rest[id] {
			ids = append(ids, id)
		}
		if group < len(c.Groups) && c.Groups[group] == i+1 {
			group++
			if len(groups) == 0 || groups[len(groups)-1] < len(ids) {
				groups = append(groups, len(ids))
			}
		}
	}
	if len(c.Groups) == 0 || len(groups) == len(ids) {
		groups = nil
	}
	return Candidates{IDs: ids, Groups: groups}
}

// eligible returns the places of the channel that may serve the address, in the channel's order.
func (r *Routing) eligible() []ranked {
	list := make([]ranked, 0, len(r.channel.places))
	for _, p := range r.channel.places {
		if p.enabled && p.shipsTo(&r.to) {
			list = append(list, ranked{place: p})
		}
	}
	return list
}

// Channel returns the request's channel, or the default channel if it names none.
func (r Routing) Channel() Channel {
	if r.channel == nil || r.rules.implicit {
		return r.request.Channel
	}
	return r.channel.ID
}

// Implicit reports whether there is no directory.
func (r Routing) Implicit() bool { return r.rules != nil && r.rules.implicit }

// Split returns how far the channel lets a reservation be spread.
func (r Routing) Split() Split {
	if r.channel == nil {
		return ""
	}
	return r.channel.split
}

// Campaigns returns the campaigns that count a SKU in the request's channel, in the directory's
// order. Callers must not modify them.
func (r Routing) Campaigns(sku SKU) []*CampaignRule {
	if r.channel == nil {
		return nil
	}
	return r.channel.campaignsOf(sku)
}

// Candidates returns the candidates of a line. A line with a pin has only that one, if it is a
// candidate. A line that names some locations has those of them that are candidates, in its own
// order.
func (r Routing) Candidates(pin ID, named ...ID) Candidates {
	switch {
	case pin != "":
		if i := slices.Index(r.candidates.IDs, pin); i >= 0 {
			return Candidates{IDs: r.candidates.IDs[i : i+1 : i+1]}
		}
		return Candidates{}
	case len(named) > 0:
		var ids []ID
		for _, id := range named {
			i, known := r.rules.index[id]
			if known && r.rejectAny(&r.rules.places[i]) == "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		return Candidates{IDs: ids}
	default:
		return r.candidates
	}
}

// Explain returns every location that may not serve a line, with the first reason that applies, in
// the order of the Reason constants. hasLevel reports whether a location has a level of the line's
// SKU. The result includes locations that the directory does not have: the pin, the store of a
// pickup, those in stocked, which have a level, and those that the line names.
func (r Routing) Explain(line string, pin ID, hasLevel func(ID) bool, stocked []ID, named ...ID) []Rejected {
	var list []Rejected
	seen := map[ID]bool{}
	for i := range r.rules.places {
		p := &r.rules.places[i]
		seen[p.ID] = true
		if reason := r.reject(p, pin, named, hasLevel); reason != "" {
			list = append(list, Rejected{Line: line, Location: p.ID, Reason: reason})
		}
	}
	for _, id := range slices.Concat([]ID{pin, r.request.Pickup}, named, stocked) {
		if id != "" && !seen[id] {
			seen[id] = true
			list = append(list, Rejected{Line: line, Location: id, Reason: ReasonUnknownLocation})
		}
	}
	return list
}

// reject returns the first reason why a location may not serve a line, or "".
func (r *Routing) reject(p *place, pin ID, named []ID, hasLevel func(ID) bool) Reason {
	switch reason := r.rejectAny(p); {
	case reason != "":
		return reason
	case pin != "" && p.ID != pin, len(named) > 0 && !slices.Contains(named, p.ID):
		return ReasonNotPin
	case !hasLevel(p.ID):
		return ReasonNoLevel
	default:
		return ""
	}
}

// rejectAny returns the first reason why a location may serve no line of the request, or "".
func (r *Routing) rejectAny(p *place) Reason {
	switch {
	case !r.channel.member[p.ID]:
		return ReasonNotInChannel
	case !p.enabled:
		return ReasonDisabled
	case r.request.Pickup != "" && (p.ID != r.request.Pickup || !p.Pickup):
		return ReasonNotPickup
	case r.request.Pickup == "" && r.request.ShipTo != nil && !r.rules.implicit && !p.shipsTo(&r.to):
		return ReasonZone
	default:
		return ""
	}
}
