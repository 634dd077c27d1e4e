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
	Enabled   *bool    `json:"enabled,omitempty" yaml:"enabled,omitempty" doc:"Default: true. Nothing new is reserved at a disabled location."`
	Priority  *float64 `json:"priority,omitempty" yaml:"priority,omitempty" doc:"The rule priority tries lower numbers first."`
	Cost      *float64 `json:"cost,omitempty" yaml:"cost,omitempty" doc:"The rule cost tries lower numbers first."`
	Country   string   `json:"country,omitempty" yaml:"country,omitempty" doc:"The ISO 3166-1 code, two letters."`
	Latitude  *float64 `json:"latitude,omitempty" yaml:"latitude,omitempty" doc:"Degrees north. Set it together with longitude."`
	Longitude *float64 `json:"longitude,omitempty" yaml:"longitude,omitempty"` // degrees
	Pickup    bool     `json:"pickup,omitempty,omitzero" yaml:"pickup,omitempty" doc:"Customers may collect orders here."`
	Zones     []string `json:"zones,omitempty" yaml:"zones,omitempty,flow" doc:"The zones that it ships to. Without zones it ships nowhere."`
}

// Zone is where a location ships to. An empty list does not restrict.
type Zone struct {
	ID          string   `json:"id" yaml:"id"`
	Countries   []string `json:"countries,omitempty" yaml:"countries,omitempty,flow" doc:"An empty list allows every country."`
	Regions     []string `json:"regions,omitempty" yaml:"regions,omitempty,flow"`
	PostalCodes []string `json:"postal_codes,omitempty" yaml:"postal_codes,omitempty,flow" doc:"Upper case, without spaces. A trailing * matches any ending. An empty list allows every postal code."`
}

// SalesChannel is who sells: which locations it may sell from, and how it chooses among them.
type SalesChannel struct {
	ID        Channel `json:"id" yaml:"id"`
	Default   bool    `json:"default,omitempty,omitzero" yaml:"default,omitempty" doc:"Requests that name no channel use this one."`
	Locations []ID    `json:"locations" yaml:"locations,flow" doc:"The locations that it may sell from, in this order."`
	Rank      []Rank  `json:"rank,omitempty" yaml:"rank,omitempty,flow" doc:"The rules that order the locations: same_country, nearest, priority, cost, highest_stock. Each rule orders what the rules before it left tied."`
	Split     Split   `json:"split,omitempty" yaml:"split,omitempty" doc:"For requests without a split: never, lines (the default) or units."`
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
	Channels    []Channel `json:"channels,omitempty" yaml:"channels,omitempty,flow" doc:"Default: all."`
	SKUs        []SKU     `json:"skus,omitempty" yaml:"skus,omitempty,flow" doc:"Default: all."`
	PerCustomer int64     `json:"per_customer" yaml:"per_customer" doc:"Units that are held, confirmed or fulfilled. If the limit names a kit, it counts kits."`
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
