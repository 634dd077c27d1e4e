package client

import (
	"context"
	"net/http"

	"github.com/holdfast/holdfast/location"
)

// RouteRequest is a reservation that is only tried.
type RouteRequest struct {
	Channel  string            `json:"channel,omitempty"`
	Customer string            `json:"customer,omitempty"`
	ShipTo   *location.Address `json:"ship_to,omitempty"`
	Pickup   string            `json:"pickup,omitempty"`
	Split    string            `json:"split,omitempty"`
	Lines    []RouteLine       `json:"lines"`
}

// RouteLine is one line of a RouteRequest.
type RouteLine struct {
	Line     string `json:"line"`
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	Location string `json:"location,omitempty"` // a pin
}

// Route is how a reservation would be served, and why.
type Route struct {
	Channel string       `json:"channel,omitempty"`
	Split   string       `json:"split"`
	Lines   []RoutedLine `json:"lines"`
	Ranking []RankRule   `json:"ranking,omitempty"`
	Refusal *Problem     `json:"refusal,omitempty"` // nil where it would be held
}

// RoutedLine is how one line would be served.
type RoutedLine struct {
	Line       string       `json:"line"`
	SKU        string       `json:"sku"`
	Candidates []string     `json:"candidates"` // in the order they are tried
	Rejected   []LeftOut    `json:"rejected"`
	WouldTake  []Allocation `json:"would_take"`
}

// LeftOut is a location left out for a line.
type LeftOut struct {
	Location string `json:"location"`
	Reason   string `json:"reason"`
}

// RankRule is what one rule says of the candidates.
type RankRule struct {
	Rule     string   `json:"rule"`
	Abstains string   `json:"abstains,omitempty"`
	Says     []string `json:"says,omitempty"`
}

// Route asks how a reservation would be served; request is a RouteRequest, or the body of a reserve.
func (c *Client) Route(ctx context.Context, request any) (Route, error) {
	var out Route
	_, err := c.call(ctx, http.MethodPost, "/v1/route", request, &out)
	return out, err
}
