package contract

import "github.com/holdfast/holdfast/location"

// RouteRequest is the body of a route: the body of a reserve, in which the id is optional.
type RouteRequest struct {
	ID         string            `json:"id,omitempty" maxLength:"128" doc:"Ignored."`
	Channel    string            `json:"channel,omitempty" maxLength:"128" example:"web" doc:"The sales channel. Optional if the directory has a default channel."`
	Customer   string            `json:"customer,omitempty" maxLength:"128" example:"c-9" doc:"The customer. Campaigns count by it."`
	Order      string            `json:"order,omitempty" maxLength:"128" doc:"Ignored."`
	ShipTo     *Address          `json:"ship_to,omitempty" doc:"The address that the order ships to. Not allowed with pickup."`
	Pickup     string            `json:"pickup,omitempty" maxLength:"128" doc:"The location where the customer collects the order. Not allowed with ship_to."`
	Prefer     []string          `json:"prefer,omitempty" maxItems:"100" example:"[\"lyon\"]" doc:"Locations to try before the others, in this order. It makes no location a candidate."`
	TTLSeconds *Whole            `json:"ttl_seconds,omitempty" minimum:"1" doc:"Ignored."`
	Split      string            `json:"split,omitempty" enum:"never,lines,units" example:"lines" doc:"How far the reservation may be spread over locations. Default: the setting of the channel."`
	Lines      []LineRequest     `json:"lines" minItems:"1" maxItems:"100" nullable:"false"`
	NotAfter   *string           `json:"not_after,omitempty" format:"date-time" doc:"Ignored."`
	Metadata   map[string]string `json:"metadata,omitempty" maxProperties:"16" doc:"Ignored."`
	Identities []string          `json:"identities,omitempty" maxItems:"8" example:"[\"card:ab12\"]" doc:"Identities of the customer. Purchase limits count by each of them."`
}

// Route is how a reservation would be served now, and why.
type Route struct {
	Channel string       `json:"channel,omitempty" example:"web"`
	Split   string       `json:"split" enum:"never,lines,units" example:"lines"`
	Lines   []RoutedLine `json:"lines" nullable:"false"`
	Ranking []RankRule   `json:"ranking,omitempty" nullable:"false" doc:"How each rule of the channel orders the candidates."`
	Refusal *Problem     `json:"refusal,omitempty" doc:"The problem that a reserve would be answered with. Absent if it would succeed."`
}

// RoutedLine is how one line would be served.
type RoutedLine struct {
	Line       string       `json:"line" example:"1"`
	SKU        string       `json:"sku" example:"TEE-M"`
	Candidates []string     `json:"candidates" nullable:"false" example:"[\"berlin\",\"lyon\"]" doc:"The locations that may serve the line, in the order they are tried."`
	Rejected   []LeftOut    `json:"rejected" nullable:"false" doc:"Every other location, and why it can't serve the line."`
	WouldTake  []Allocation `json:"would_take" nullable:"false" doc:"The locations that would serve the line. Empty if the reservation would be refused."`
}

// LeftOut is a location that can't serve a line, and why.
type LeftOut struct {
	Location string `json:"location" example:"oslo"`
	Reason   string `json:"reason" enum:"not_in_channel,disabled,zone,not_pickup,no_level,not_pin,unknown_location"`
}

// RankRule is how one rule orders the candidates, in words.
type RankRule struct {
	Rule     string   `json:"rule" enum:"same_country,nearest,priority,cost,highest_stock" example:"nearest"`
	Abstains string   `json:"abstains,omitempty" doc:"Why the rule does not order some or all of the candidates."`
	Says     []string `json:"says,omitempty" nullable:"false" example:"[\"berlin: 255 km\"]" doc:"What the rule compares, one entry per candidate."`
}

// AvailabilityRequest is the body of an availability.
type AvailabilityRequest struct {
	Channel string   `json:"channel,omitempty" maxLength:"128" example:"web" doc:"The sales channel. Optional if the directory has a default channel."`
	ShipTo  *Address `json:"ship_to,omitempty" doc:"The address that the order ships to. Not allowed with pickup."`
	Pickup  string   `json:"pickup,omitempty" maxLength:"128" doc:"The location where the customer collects the order. Not allowed with ship_to."`
	SKUs    []string `json:"skus" minItems:"1" maxItems:"200" nullable:"false" example:"[\"TEE-M\"]"`
}

// Availability is what a channel can sell.
type Availability struct {
	Available map[string]int64 `json:"available" example:"{\"TEE-M\":7}" doc:"Units by SKU."`
}

// AnyVersion, as the expected version of a directory, applies it to any current version.
const AnyVersion = -1

// Directory is a version of the routing directory.
type Directory struct {
	location.Directory
	Version    int64  `json:"version" minimum:"1" example:"3" doc:"Each change adds 1. It is also the ETag."`
	Actor      string `json:"actor,omitempty" example:"anna" doc:"Who applied this version."`
	OnBehalfOf string `json:"on_behalf_of,omitempty" example:"anna" doc:"The person for whom the actor applied it."`
	AppliedAt  Time   `json:"applied_at" format:"date-time"`
}

// DirectoryRequest is the body of a PUT. It takes every field of an answer, so that an answer can
// be edited and sent back.
type DirectoryRequest struct {
	location.Directory
	Version    *Whole `json:"version,omitempty" doc:"Ignored. Use the header If-Match."`
	OnBehalfOf string `json:"on_behalf_of,omitempty" doc:"Ignored. Use the parameter on_behalf_of."`
	Actor      string `json:"actor,omitempty" doc:"Ignored. Use the parameter actor."`
	AppliedAt  string `json:"applied_at,omitempty" doc:"Ignored."`
}
