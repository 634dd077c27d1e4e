package location

// Directory is the routing directory: the locations, where they ship to, and the rules that choose among
// them. It is applied as a whole or not at all; see Compile.
type Directory struct {
	Locations []Location     `json:"locations" yaml:"locations"`
	Zones     []Zone         `json:"zones,omitempty" yaml:"zones,omitempty"`
	Channels  []SalesChannel `json:"channels" yaml:"channels"`
	Limits    []Limit        `json:"limits,omitempty" yaml:"limits,omitempty"`
	Kits      []Kit          `json:"kits,omitempty" yaml:"kits,omitempty"`
}

// Location is a place that holds units.
type Location struct {
	ID        ID       `json:"id" yaml:"id"`
	Name      string   `json:"name,omitempty" yaml:"name,omitempty"`
	Enabled   *bool    `json:"enabled,omitempty" yaml:"enabled,omitempty" doc:"Left out: true. Disabled, nothing new is taken from it."`
	Priority  *float64 `json:"priority,omitempty" yaml:"priority,omitempty" doc:"For the rule priority: the lower first."`
	Cost      *float64 `json:"cost,omitempty" yaml:"cost,omitempty" doc:"For the rule cost: the lower first."`
	Country   string   `json:"country,omitempty" yaml:"country,omitempty" doc:"ISO 3166-1, two letters."`
	Latitude  *float64 `json:"latitude,omitempty" yaml:"latitude,omitempty" doc:"Degrees; with longitude, or neither."`
	Longitude *float64 `json:"longitude,omitempty" yaml:"longitude,omitempty"` // degrees
	Pickup    bool     `json:"pickup,omitempty,omitzero" yaml:"pickup,omitempty" doc:"Customers may collect here."`
	Zones     []string `json:"zones,omitempty" yaml:"zones,omitempty,flow" doc:"It ships to these zones; none: nowhere."`
}

// Zone is where a location ships to. An empty list does not restrict.
type Zone struct {
	ID          string   `json:"id" yaml:"id"`
	Countries   []string `json:"countries,omitempty" yaml:"countries,omitempty,flow" doc:"An empty list does not restrict."`
	Regions     []string `json:"regions,omitempty" yaml:"regions,omitempty,flow"`
	PostalCodes []string `json:"postal_codes,omitempty" yaml:"postal_codes,omitempty,flow" doc:"Without spaces, upper-case; may end in *."`
}

// SalesChannel is who sells: which locations it may sell from, and how it chooses among them.
type SalesChannel struct {
	ID        Channel `json:"id" yaml:"id"`
	Default   bool    `json:"default,omitempty,omitzero" yaml:"default,omitempty" doc:"Of requests that name no channel."`
	Locations []ID    `json:"locations" yaml:"locations,flow" doc:"It may sell from these, in this order."`
	Rank      []Rank  `json:"rank,omitempty" yaml:"rank,omitempty,flow" doc:"Each rule orders what those before it left tied: same_country, nearest, priority, cost, highest_stock."`
	Split     Split   `json:"split,omitempty" yaml:"split,omitempty" doc:"Of requests that do not say: never, lines (the default) or units."`
}

// Rank is a rule that orders locations.
type Rank string

// The rules. Each orders what those before it left tied, and abstains where it lacks its data.
const (
	RankSameCountry  Rank = "same_country"  // those in the address's country first
	RankNearest      Rank = "nearest"       // the nearer first
	RankPriority     Rank = "priority"      // the lower number first
	RankCost         Rank = "cost"          // the lower number first
	RankHighestStock Rank = "highest_stock" // the larger available first, at the moment of the decision
)

// Valid reports whether r is one of the rules.
func (r Rank) Valid() bool {
	switch r {
	case RankSameCountry, RankNearest, RankPriority, RankCost, RankHighestStock:
		return true
	}
	return false
}

// Limit is how many units one customer may have. An empty list does not restrict.
type Limit struct {
	ID          string    `json:"id" yaml:"id"`
	Channels    []Channel `json:"channels,omitempty" yaml:"channels,omitempty,flow" doc:"Left out: all."`
	SKUs        []SKU     `json:"skus,omitempty" yaml:"skus,omitempty,flow" doc:"Left out: all."`
	PerCustomer int64     `json:"per_customer" yaml:"per_customer" doc:"Units while held, confirmed or fulfilled; of a kit that is named, kits."`
}

// Kit is a SKU that is sold as the SKUs it consists of.
type Kit struct {
	SKU        SKU         `json:"sku" yaml:"sku"`
	Components []Component `json:"components" yaml:"components"`
}

// Component is a part of a kit.
type Component struct {
	SKU      SKU   `json:"sku" yaml:"sku"`
	Quantity int64 `json:"quantity" yaml:"quantity" doc:"Units in one kit."`
}
