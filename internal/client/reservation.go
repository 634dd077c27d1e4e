package client

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"time"
)

// Reservation is units taken for one order, and where they stand.
type Reservation struct {
	ID        string     `json:"id"`
	State     string     `json:"state"`
	Version   int64      `json:"version"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	Channel   string     `json:"channel,omitempty"`
	Customer  string     `json:"customer,omitempty"`
	Order     string     `json:"order,omitempty"`
	Lines     []Line     `json:"lines"`
}

// Line is one line of a Reservation, in units.
type Line struct {
	Line      string       `json:"line"`
	SKU       string       `json:"sku"`
	Quantity  int64        `json:"quantity"`
	Requested int64        `json:"requested"`
	Fulfilled int64        `json:"fulfilled"`
	Returned  int64        `json:"returned"`
	From      []Allocation `json:"from"`

	Components []Component `json:"components,omitempty"` // of a kit: then the numbers of the line are kits
}

// Component is one of the SKUs that a kit consists of, in units of all kits of its line.
type Component struct {
	SKU      string       `json:"sku"`
	Quantity int64        `json:"quantity"`
	From     []Allocation `json:"from"`
}

// Allocation is the part of a line that one location serves.
type Allocation struct {
	Location string `json:"location"`
	Quantity int64  `json:"quantity"`
}

// Reservation reads one reservation.
func (c *Client) Reservation(ctx context.Context, id string) (Reservation, error) {
	var out Reservation
	_, err := c.call(ctx, http.MethodGet, "/v1/reservations"+segment(id), nil, &out)
	return out, err
}

// Reservations reads one page of the reservations that a query selects ("state", "order", "customer",
// "line", "sku", "location", "limit"), the newest first, and the cursor of the next page; "" on the last.
func (c *Client) Reservations(ctx context.Context, query url.Values, cursor string) ([]Reservation, string, error) {
	query = maps.Clone(query)
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	var out struct {
		Reservations []Reservation `json:"reservations"`
		NextCursor   string        `json:"next_cursor"`
	}
	_, err := c.call(ctx, http.MethodGet, "/v1/reservations?"+query.Encode(), nil, &out)
	return out.Reservations, out.NextCursor, err
}

// Released is a reservation after a release.
type Released struct {
	Reservation
	Replay bool `json:"replay"` // it was released before; nothing was changed
}

// Release gives back all units of a reservation that are left. Repeating it changes nothing.
func (c *Client) Release(ctx context.Context, id string) (Released, error) {
	var out Released
	replay, err := c.call(ctx, http.MethodPost, "/v1/reservations"+segment(id)+"/release", nil, &out)
	out.Replay = replay
	return out, err
}
