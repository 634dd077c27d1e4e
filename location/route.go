package location

// Request is what routing looks at for every line: who asks, and from where.
type Request struct {
	Channel Channel
	ShipTo  *Address
	Pickup  ID // "" is a shipment
}

// Line is one line of a request.
type Line struct {
	Line string
	SKU  SKU
	Pin  ID // "" is none: from here or not at all
}

// Directory is the locations there are and the rules that choose among them. The zero Directory has
// no locations.
type Directory struct {
	// Locations in order of id. Without rules there is one implicit channel that takes any name,
	// with all of them.
	Locations []ID
}

// Candidates are the locations a line may be served from, in the order they are tried.
type Candidates []ID

// Route answers the candidates of a line of r, in order. Whether a location has a level of the SKU is
// not known here: the script passes over those that have none.
//
// The answer is a part of the directory: don't write to it.
func Route(d Directory, r Request, line Line) Candidates {
	only, restricted := restriction(r, line)
	if !restricted {
		return d.Locations
	}
	for i, id := range d.Locations {
		if id == only {
			return d.Locations[i : i+1 : i+1]
		}
	}
	return nil
}

// restriction is the one location a line may come from, where it is restricted to one: its pin, or
// the store the customer collects from. A pin elsewhere than the pickup store leaves none.
func restriction(r Request, line Line) (only ID, restricted bool) {
	switch {
	case r.Pickup != "" && line.Pin != "" && line.Pin != r.Pickup:
		return "", true
	case line.Pin != "":
		return line.Pin, true
	case r.Pickup != "":
		return r.Pickup, true
	default:
		return "", false
	}
}

// Explain says for each location of the directory why line is not served from it, given the
// locations that have a level of its SKU. A pin or pickup location that the directory does not know
// is among them.
func Explain(d Directory, r Request, line Line, hasLevel map[ID]bool) []Rejected {
	var rejected []Rejected
	known := make(map[ID]bool, len(d.Locations))
	for _, id := range d.Locations {
		known[id] = true
		if reason := reject(r, line, id, hasLevel[id]); reason != "" {
			rejected = append(rejected, Rejected{Line: line.Line, Location: id, Reason: reason})
		}
	}
	for _, id := range []ID{line.Pin, r.Pickup} {
		if id != "" && !known[id] {
			known[id] = true
			rejected = append(rejected, Rejected{Line: line.Line, Location: id, Reason: ReasonUnknownLocation})
		}
	}
	return rejected
}

// reject is the first reason that rules a location out, or "".
func reject(r Request, line Line, id ID, hasLevel bool) Reason {
	switch {
	case r.Pickup != "" && id != r.Pickup:
		return ReasonNotPickup
	case line.Pin != "" && id != line.Pin:
		return ReasonNotPin
	case !hasLevel:
		return ReasonNoLevel
	default:
		return ""
	}
}
