package api

import (
	"errors"
	"net/http"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// RouteRequest is the body of a route: that of a reserve, of which the id may be left out.
type RouteRequest struct {
	ID         string            `json:"id,omitempty" maxLength:"128" doc:"Not looked at."`
	Channel    string            `json:"channel,omitempty" maxLength:"128" example:"web" doc:"Sales channel; may be left out where one is the default."`
	Customer   string            `json:"customer,omitempty" maxLength:"128" example:"c-9" doc:"What purchase limits count by."`
	Order      string            `json:"order,omitempty" maxLength:"128" doc:"Not looked at."`
	ShipTo     *Address          `json:"ship_to,omitempty" doc:"Where to; never together with pickup."`
	Pickup     string            `json:"pickup,omitempty" maxLength:"128" doc:"The location that the customer collects from, instead of ship_to."`
	TTLSeconds *Whole            `json:"ttl_seconds,omitempty" minimum:"1" doc:"Not looked at."`
	Split      string            `json:"split,omitempty" enum:"never,lines,units" example:"lines" doc:"Left out: the channel's."`
	Lines      []LineRequest     `json:"lines" minItems:"1" maxItems:"100" nullable:"false"`
	Metadata   map[string]string `json:"metadata,omitempty" maxProperties:"16" doc:"Not looked at."`
}

// Route is how a reservation would be served at this moment, and why.
type Route struct {
	Channel string       `json:"channel,omitempty" example:"web"`
	Split   string       `json:"split" enum:"never,lines,units" example:"lines"`
	Lines   []RoutedLine `json:"lines" nullable:"false"`
	Ranking []RankRule   `json:"ranking,omitempty" nullable:"false" doc:"How each rule of the channel orders the candidates."`
	Refusal *Problem     `json:"refusal,omitempty" doc:"What a reserve would be answered; absent where it would be held."`

	_ struct{} `additionalProperties:"true"`
}

// RoutedLine is how one line would be served.
type RoutedLine struct {
	Line       string       `json:"line" example:"1"`
	SKU        string       `json:"sku" example:"TEE-M"`
	Candidates []string     `json:"candidates" nullable:"false" example:"[\"berlin\",\"lyon\"]" doc:"The locations that may serve it, in the order they are tried."`
	Rejected   []LeftOut    `json:"rejected" nullable:"false" doc:"Every other location, and why it was left out."`
	WouldTake  []Allocation `json:"would_take" nullable:"false" doc:"Where it would come from; empty where the reservation would be refused."`

	_ struct{} `additionalProperties:"true"`
}

// LeftOut is a location left out for a line.
type LeftOut struct {
	Location string `json:"location" example:"oslo"`
	Reason   string `json:"reason" enum:"not_in_channel,disabled,zone,not_pickup,no_level,not_pin,unknown_location"`

	_ struct{} `additionalProperties:"true"`
}

// RankRule is what one rule says of the candidates, in plain words.
type RankRule struct {
	Rule     string   `json:"rule" enum:"same_country,nearest,priority,cost,highest_stock" example:"nearest"`
	Abstains string   `json:"abstains,omitempty" doc:"Why it does not order them, or some of them."`
	Says     []string `json:"says,omitempty" nullable:"false" example:"[\"berlin: 255 km\"]" doc:"Of each candidate."`

	_ struct{} `additionalProperties:"true"`
}

func (a *API) registerRoute() {
	register(a, operation{
		id: "route", method: http.MethodPost, path: "/v1/route", tag: tagRouting,
		summary: "Where a reservation would come from, and why",
		description: "A dry run: decided by the same script as a reserve, at this moment's stock; nothing is changed. " +
			"Where a reserve would be refused, `refusal` is its problem.",
		answers:  map[int]string{http.StatusOK: "How it would be served."},
		problems: []*kind{invalidRequest, rebuilding, backlogFull},
	}, a.route)
	register(a, operation{
		id: "availability", method: http.MethodPost, path: "/v1/availability", tag: tagRouting,
		summary: "What a channel can sell now, for product pages",
		description: "The sum over the locations that the channel may sell from to that address; of a kit whole kits. " +
			"What one reservation can have of it depends on how it may be split. An unknown SKU has 0.",
		answers:  map[int]string{http.StatusOK: "Units of each SKU."},
		problems: []*kind{invalidRequest, rebuilding},
	}, a.availability)
}

func (a *API) route(r *http.Request, in *RouteRequest) (reply[Route], error) {
	request := ReserveRequest(*in)
	route, err := a.store.Route(r.Context(), request.request())
	if err != nil {
		return reply[Route]{}, err
	}
	out := Route{Channel: string(route.Channel), Split: string(route.Split), Lines: make([]RoutedLine, len(route.Lines))}
	for i := range route.Lines {
		out.Lines[i] = routedLine(&route.Lines[i])
	}
	for _, rule := range route.Ranking {
		out.Ranking = append(out.Ranking, RankRule{Rule: string(rule.Rule), Abstains: rule.Abstains, Says: rule.Says})
	}
	if route.Refusal != nil {
		out.Refusal = problem(route.Refusal)
	}
	return reply[Route]{body: out}, nil
}

func routedLine(l *cache.RouteLine) RoutedLine {
	out := RoutedLine{
		Line: l.Line, SKU: string(l.SKU), Candidates: make([]string, len(l.Candidates)),
		Rejected: make([]LeftOut, len(l.Rejected)), WouldTake: allocations(l.WouldTake),
	}
	for i, id := range l.Candidates {
		out.Candidates[i] = string(id)
	}
	for i, r := range l.Rejected {
		out.Rejected[i] = LeftOut{Location: string(r.Location), Reason: string(r.Reason)}
	}
	return out
}

// AvailabilityRequest is the body of an availability.
type AvailabilityRequest struct {
	Channel string   `json:"channel,omitempty" maxLength:"128" example:"web" doc:"Sales channel; may be left out where one is the default."`
	ShipTo  *Address `json:"ship_to,omitempty" doc:"Where to; never together with pickup."`
	Pickup  string   `json:"pickup,omitempty" maxLength:"128" doc:"The location that the customer collects from, instead of ship_to."`
	SKUs    []string `json:"skus" minItems:"1" maxItems:"200" nullable:"false" example:"[\"TEE-M\"]"`
}

// Availability is what a channel can sell.
type Availability struct {
	Available map[string]int64 `json:"available" example:"{\"TEE-M\":7}" doc:"SKU to units."`

	_ struct{} `additionalProperties:"true"`
}

func (a *API) availability(r *http.Request, in *AvailabilityRequest) (reply[Availability], error) {
	request := cache.AvailabilityRequest{
		Channel: location.Channel(in.Channel), ShipTo: (*location.Address)(in.ShipTo), Pickup: location.ID(in.Pickup),
	}
	for _, sku := range in.SKUs {
		request.SKUs = append(request.SKUs, location.SKU(sku))
	}
	units, err := a.store.Availability(r.Context(), request)
	if err != nil {
		return reply[Availability]{}, err
	}
	out := Availability{Available: make(map[string]int64, len(units))}
	for sku, n := range units {
		out.Available[string(sku)] = n
	}
	return reply[Availability]{body: out}, nil
}

// fillPurchaseLimit adds which limit it is.
func fillPurchaseLimit(p *Problem, err error) {
	if e, ok := errors.AsType[*cache.PurchaseLimitError](err); ok {
		p.Detail, p.Campaign, p.Limit, p.Taken = e.Error(), e.Campaign, &e.Limit, &e.Taken
	}
}

// fillInUse adds how much is in the way.
func fillInUse(p *Problem, err error) {
	if e, ok := errors.AsType[*cache.InUseError](err); ok {
		p.Detail, p.Held, p.Committed = e.Error(), &e.Held, &e.Committed
	}
}
