// Package location decides which locations may serve an order, in which order they are tried, and
// why the others may not.
//
// Compile turns a Directory into Rules. Route applies the rules to a Request and returns a Routing,
// which has the candidates of each line and explains why every other location was left out.
//
// The package is pure: it does no I/O, keeps no state, and imports only the standard library. It
// knows no quantities. The Lua scripts of package lua choose among the candidates with the live
// counts.
package location

// ID identifies a location.
type ID string

// SKU identifies an article that is sold. SKU and ID have their own types, so that the compiler
// notices if they are swapped.
type SKU string

// Channel identifies a sales channel.
type Channel string

// Split says how far a reservation may be spread over several locations.
type Split string

// The values of Split. The default is SplitLines.
const (
	SplitNever Split = "never" // one location serves the whole reservation
	SplitLines Split = "lines" // one location serves each line; lines may have different ones
	SplitUnits Split = "units" // several locations may serve a line
)

// Valid reports whether s is one of the values of Split. The empty string is not.
func (s Split) Valid() bool { return s == SplitNever || s == SplitLines || s == SplitUnits }

// Address is the address that an order ships to. Every field is optional. Country, region and
// postal code ignore case; the postal code also ignores spaces and hyphens.
type Address struct {
	Country    string   `json:"country,omitempty"` // ISO 3166-1, two letters
	Region     string   `json:"region,omitempty"`
	PostalCode string   `json:"postal_code,omitempty"`
	Latitude   *float64 `json:"latitude,omitempty"`  // degrees; nil without a longitude
	Longitude  *float64 `json:"longitude,omitempty"` // degrees; nil without a latitude
}

// Reason says why a location is not a candidate for a line.
type Reason string

// The reasons, in order of precedence.
const (
	ReasonUnknownLocation Reason = "unknown_location" // the directory does not have the location
	ReasonNotInChannel    Reason = "not_in_channel"   // the channel does not sell from it
	ReasonDisabled        Reason = "disabled"
	ReasonNotPickup       Reason = "not_pickup" // the order is picked up at another store, or this one has no pickup
	ReasonZone            Reason = "zone"       // none of its zones covers the address
	ReasonNotPin          Reason = "not_pin"    // the line is pinned to another location, or names others
	ReasonNoLevel         Reason = "no_level"   // it has no level of the SKU
)

// Rejected is a location that may not serve a line, and the first reason.
type Rejected struct {
	Line     string `json:"line"`
	Location ID     `json:"location"`
	Reason   Reason `json:"reason"`
}
