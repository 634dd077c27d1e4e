package location

// Directory is the routing directory: the locations, the zones they ship to, and the channels that
// sell from them. Compile accepts or rejects it as a whole.
type Directory struct {
	Locations []Location     `json:"locations" yaml:"locations"`
	Zones     []Zone         `json:"zones,omitempty" yaml:"zones,omitempty"`
	Channels  []SalesChannel `json:"channels" yaml:"channels"`
	Campaigns []Campaign     `json:"campaigns,omitempty" yaml:"campaigns,omitempty"`
	Limits    []Limit        `json:"limits,omitempty" yaml:"limits,omitempty" doc:"The older name of campaigns that have only per_customer. Not allowed with campaigns."`
	Kits      []Kit          `json:"kits,omitempty" yaml:"kits,omitempty"`
}

// Location is a place that stocks units, such as a warehouse or a store.
type Location struct {
	ID        ID       `json:"id" yaml:"id"`
	Name      string   `json:"name,omitempty" yaml:"name,omitempty"`
	Enabled   *bool    `json:"enabled,omitempty" yaml:"enabled,omitempty" doc:"Default true. If false, no new reservation takes units from it."`
	Priority  *float64 `json:"priority,omitempty" yaml:"priority,omitempty" doc:"For the rule priority: lowest first."`
	Cost      *float64 `json:"cost,omitempty" yaml:"cost,omitempty" doc:"For the rule cost: lowest first."`
	Country   string   `json:"country,omitempty" yaml:"country,omitempty" doc:"ISO 3166-1, two letters."`
	Latitude  *float64 `json:"latitude,omitempty" yaml:"latitude,omitempty" doc:"Degrees. Set both latitude and longitude, or neither."`
	Longitude *float64 `json:"longitude,omitempty" yaml:"longitude,omitempty"` // degrees
	Pickup    bool     `json:"pickup,omitempty,omitzero" yaml:"pickup,omitempty" doc:"Customers may pick orders up here."`
	Zones     []string `json:"zones,omitempty" yaml:"zones,omitempty,flow" doc:"The zones it ships to. Without zones it ships nowhere."`
}

// Zone is a set of addresses that locations ship to. An address is in the zone if each non-empty
// list has its value.
type Zone struct {
	ID          string   `json:"id" yaml:"id"`
	Countries   []string `json:"countries,omitempty" yaml:"countries,omitempty,flow" doc:"ISO 3166-1, two letters. An empty list does not restrict."`
	Regions     []string `json:"regions,omitempty" yaml:"regions,omitempty,flow"`
	PostalCodes []string `json:"postal_codes,omitempty" yaml:"postal_codes,omitempty,flow" doc:"Patterns: a postal code such as SW1A 1AA, its beginning and *, such as SW1*, a range such as 90210...99000, or one of these after !, which excludes. SE1 * is the British outward code SE1, not SE10. Case, spaces and hyphens are ignored."`
}

// SalesChannel is a channel that sells, such as a web shop: the locations it may sell from, and the
// rules that put them in order.
type SalesChannel struct {
	ID        Channel `json:"id" yaml:"id"`
	Default   bool    `json:"default,omitempty,omitzero" yaml:"default,omitempty" doc:"Used by requests that name no channel."`
	Locations []ID    `json:"locations" yaml:"locations,flow" doc:"The locations it may sell from. This order decides ties."`
	Rank      []Rank  `json:"rank,omitempty" yaml:"rank,omitempty,flow" doc:"Each rule orders the locations that the rules before it left tied: same_country, nearest, priority, cost, highest_stock."`
	Split     Split   `json:"split,omitempty" yaml:"split,omitempty" doc:"For requests without a split: never, lines (the default) or units."`
}

// Rank is a rule that orders locations.
type Rank string

// The rules. A rule orders only locations that the rules before it left tied. It abstains if it
// lacks data of the address or of one of them.
const (
	RankSameCountry  Rank = "same_country"  // in the country of the address first
	RankNearest      Rank = "nearest"       // shortest great-circle distance to the address first
	RankPriority     Rank = "priority"      // lowest Location.Priority first
	RankCost         Rank = "cost"          // lowest Location.Cost first
	RankHighestStock Rank = "highest_stock" // most available units first, when the script decides
)

// Valid reports whether r is one of the rules.
func (r Rank) Valid() bool {
	switch r {
	case RankSameCountry, RankNearest, RankPriority, RankCost, RankHighestStock:
		return true
	}
	return false
}

// Campaign is a sale with rules of its own: when it is on, and how many units it may sell. It counts
// the lines that have one of its SKUs, in one of its channels. It has at least one rule.
type Campaign struct {
	ID          string `json:"id" yaml:"id"`
	StartsAt    string `json:"starts_at,omitempty" yaml:"starts_at,omitempty" format:"date-time" doc:"RFC 3339, at most milliseconds. Nothing is sold before."`
	EndsAt      string `json:"ends_at,omitempty" yaml:"ends_at,omitempty" format:"date-time" doc:"RFC 3339, at most milliseconds. Nothing is sold from then on."`
	Total       *int64 `json:"total,omitempty" yaml:"total,omitempty" minimum:"1" doc:"The most units that all customers may have: held, confirmed or fulfilled. A kit that skus names counts in kits."`
	PerCustomer *int64 `json:"per_customer,omitempty" yaml:"per_customer,omitempty" minimum:"1" doc:"The most units that one customer may have, counted like total."`

	FreesOnReturn bool `json:"frees_on_return,omitempty" yaml:"frees_on_return,omitempty" doc:"total and per_customer do not count units that came back."`

	Channels []Channel `json:"channels,omitempty" yaml:"channels,omitempty,flow" doc:"Default all."`
	SKUs     []SKU     `json:"skus,omitempty" yaml:"skus,omitempty,flow" doc:"Default all."`
}

// Limit is a Campaign that has only PerCustomer, under the name that older directories use.
type Limit struct {
	ID          string    `json:"id" yaml:"id"`
	Channels    []Channel `json:"channels,omitempty" yaml:"channels,omitempty,flow" doc:"Default all."`
	SKUs        []SKU     `json:"skus,omitempty" yaml:"skus,omitempty,flow" doc:"Default all."`
	PerCustomer int64     `json:"per_customer" yaml:"per_customer" doc:"Units that are held, confirmed or fulfilled. A kit that skus names counts in kits."`
}

// Kit is a SKU without stock of its own: it sells as its components.
type Kit struct {
	SKU        SKU         `json:"sku" yaml:"sku"`
	Components []Component `json:"components" yaml:"components"`
}

// Component is a SKU in a kit.
type Component struct {
	SKU      SKU   `json:"sku" yaml:"sku"`
	Quantity int64 `json:"quantity" yaml:"quantity" doc:"Units in one kit."`
}
