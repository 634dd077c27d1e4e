// Package location decides where an order's units may come from. It is pure: it takes a directory
// and a request and answers candidates in order and why every other location was left out. It does
// no I/O and knows no quantities; the scripts choose among the candidates with live counts.
package location

// ID names a location: a place that holds units.
type ID string

// SKU names what is sold. It stands here, beside ID, so that the two can never be swapped unseen.
type SKU string

// Channel names a sales channel.
type Channel string

// Split says how far a reservation may be spread over locations.
type Split string

// The three ways to split. Lines is the default.
const (
	SplitNever Split = "never" // the whole reservation from one location
	SplitLines Split = "lines" // each line whole, lines may come from different locations
	SplitUnits Split = "units" // a line may be filled from several locations
)

// Valid reports whether s is one of the three ways.
func (s Split) Valid() bool { return s == SplitNever || s == SplitLines || s == SplitUnits }

// Address is where an order is shipped to. Every field is optional.
type Address struct {
	Country    string   `json:"country,omitempty"`
	Region     string   `json:"region,omitempty"`
	PostalCode string   `json:"postal_code,omitempty"`
	Latitude   *float64 `json:"latitude,omitempty"`
	Longitude  *float64 `json:"longitude,omitempty"`
}

// Reason says why a location is no candidate for a line.
type Reason string

// The reasons a location can be left out for.
const (
	ReasonNotInChannel    Reason = "not_in_channel"
	ReasonDisabled        Reason = "disabled"
	ReasonZone            Reason = "zone"
	ReasonNotPickup       Reason = "not_pickup"
	ReasonNoLevel         Reason = "no_level"
	ReasonNotPin          Reason = "not_pin"
	ReasonUnknownLocation Reason = "unknown_location"
)

// Rejected is a location left out for a line, and why.
type Rejected struct {
	Line     string `json:"line"`
	Location ID     `json:"location"`
	Reason   Reason `json:"reason"`
}
