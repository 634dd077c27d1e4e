package holdfast

import (
	"context"
	"net/http"
	"net/url"
)

const reservationsPath = "/v1/reservations"

func reservationPath(id string) string { return reservationsPath + "/" + url.PathEscape(id) }

// Reserve holds the units of all lines until a deadline, or none. Check State of a replay: it is the
// reservation as it is now.
func (c *Client) Reserve(ctx context.Context, r ReserveRequest) (out Reservation, replay bool, err error) {
	replay, err = c.call(ctx, http.MethodPost, reservationsPath, r, &out)
	return out, replay, err
}

// Reservation reads one reservation.
func (c *Client) Reservation(ctx context.Context, id string) (out Reservation, err error) {
	_, err = c.call(ctx, http.MethodGet, reservationPath(id), nil, &out)
	return out, err
}

// Reservations reads one page of the reservations that query selects, the newest first. Its
// parameters are those of GET /v1/reservations.
func (c *Client) Reservations(ctx context.Context, query url.Values) (out ReservationPage, err error) {
	_, err = c.call(ctx, http.MethodGet, reservationsPath+"?"+query.Encode(), nil, &out)
	return out, err
}

// Describe changes the customer, the order, the identities or the metadata of a reservation.
func (c *Client) Describe(ctx context.Context, id string, r DescribeRequest) (out Reservation, replay bool, err error) {
	replay, err = c.call(ctx, http.MethodPatch, reservationPath(id), r, &out)
	return out, replay, err
}

// Confirm makes a held reservation a sale.
func (c *Client) Confirm(ctx context.Context, id string, r ConfirmRequest) (Reservation, bool, error) {
	return c.step(ctx, id, "confirm", r)
}

// Release returns units of a reservation to sale. Without Lines, it releases all that are left.
func (c *Client) Release(ctx context.Context, id string, r UnitsRequest) (Reservation, bool, error) {
	return c.step(ctx, id, "release", r)
}

// Fulfill records that committed units have left. Without Lines, all have.
func (c *Client) Fulfill(ctx context.Context, id string, r UnitsRequest) (Reservation, bool, error) {
	return c.step(ctx, id, "fulfill", r)
}

// Unfulfill takes fulfilled units back to the reservation.
func (c *Client) Unfulfill(ctx context.Context, id string, r UnfulfillRequest) (Reservation, bool, error) {
	return c.step(ctx, id, "unfulfill", r)
}

// Return returns fulfilled units to stock.
func (c *Client) Return(ctx context.Context, id string, r ReturnRequest) (Reservation, bool, error) {
	return c.step(ctx, id, "return", r)
}

// Extend sets a new deadline of a held reservation.
func (c *Client) Extend(ctx context.Context, id string, r ExtendRequest) (Reservation, bool, error) {
	return c.step(ctx, id, "extend", r)
}

// Move serves what is left of a line from another location.
func (c *Client) Move(ctx context.Context, id string, r MoveRequest) (Reservation, bool, error) {
	return c.step(ctx, id, "move", r)
}

// Amend changes, adds and removes lines of a reservation, all or none.
func (c *Client) Amend(ctx context.Context, id string, r AmendRequest) (Reservation, bool, error) {
	return c.step(ctx, id, "amend", r)
}

// step calls a verb of a reservation.
func (c *Client) step(ctx context.Context, id, verb string, in any) (out Reservation, replay bool, err error) {
	replay, err = c.call(ctx, http.MethodPost, reservationPath(id)+"/"+verb, in, &out)
	return out, replay, err
}
