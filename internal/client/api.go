package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/location"
)

// Reservation reads one reservation.
func (c *Client) Reservation(ctx context.Context, id string) (out contract.Reservation, err error) {
	_, err = c.call(ctx, http.MethodGet, "/v1/reservations/"+url.PathEscape(id), nil, &out)
	return out, err
}

// Reservations reads one page of the reservations that query selects, the newest first. Its
// parameters are those of GET /v1/reservations.
func (c *Client) Reservations(ctx context.Context, query url.Values) (out contract.ReservationPage, err error) {
	_, err = c.call(ctx, http.MethodGet, "/v1/reservations?"+query.Encode(), nil, &out)
	return out, err
}

// Release releases all remaining units of a reservation. It is safe to repeat: replay reports that
// the reservation was released before.
func (c *Client) Release(ctx context.Context, id string) (out contract.Reservation, replay bool, err error) {
	replay, err = c.call(ctx, http.MethodPost, "/v1/reservations/"+url.PathEscape(id)+"/release", nil, &out)
	return out, replay, err
}

// Stock reads all levels of a SKU.
func (c *Client) Stock(ctx context.Context, sku string) (out contract.SKULevels, err error) {
	_, err = c.call(ctx, http.MethodGet, "/v1/stock/"+url.PathEscape(sku), nil, &out)
	return out, err
}

// Levels reads one page of the levels that query selects. Its parameters are those of GET /v1/stock.
func (c *Client) Levels(ctx context.Context, query url.Values) (out contract.LevelPage, err error) {
	_, err = c.call(ctx, http.MethodGet, "/v1/stock?"+query.Encode(), nil, &out)
	return out, err
}

// QueryLevels reads one page of the levels that query selects.
func (c *Client) QueryLevels(ctx context.Context, query contract.StockQuery) (out contract.LevelPage, err error) {
	_, err = c.call(ctx, http.MethodPost, "/v1/stock/query", query, &out)
	return out, err
}

// Adjust changes on hand of a level. It is safe to repeat: replay reports that the same adjustment
// was made before.
func (c *Client) Adjust(ctx context.Context, a contract.AdjustmentRequest) (out contract.ChangedLevel, replay bool, err error) {
	replay, err = c.call(ctx, http.MethodPost, "/v1/stock/adjustments", a, &out)
	return out, replay, err
}

// Count sets 1 to contract.CountsMax levels in one step. It is safe to repeat: replay reports that
// the same counts were applied before.
func (c *Client) Count(ctx context.Context, counts contract.CountsRequest) (out contract.CountsAnswer, replay bool, err error) {
	replay, err = c.call(ctx, http.MethodPost, "/v1/stock/counts", counts, &out)
	return out, replay, err
}

// Route explains how a reservation would be served. request is a *contract.RouteRequest or its
// JSON.
func (c *Client) Route(ctx context.Context, request any) (out contract.Route, err error) {
	_, err = c.call(ctx, http.MethodPost, "/v1/route", request, &out)
	return out, err
}

const directoryPath = "/v1/directory"

// Directory reads the current version of the routing directory.
func (c *Client) Directory(ctx context.Context) (out contract.Directory, err error) {
	_, err = c.call(ctx, http.MethodGet, directoryPath, nil, &out)
	return out, err
}

// ApplyDirectory makes d the current version if the current version is ifVersion, or if ifVersion
// is contract.AnyVersion. It is safe to repeat: replay reports that the current version equals d.
func (c *Client) ApplyDirectory(ctx context.Context, d location.Directory, ifVersion int64, actor string) (out contract.Directory, replay bool, err error) {
	header := http.Header{}
	if ifVersion != contract.AnyVersion {
		header.Set("If-Match", strconv.Quote(strconv.FormatInt(ifVersion, 10)))
	}
	path := directoryPath
	if actor != "" {
		path += "?" + url.Values{"actor": {actor}}.Encode()
	}
	replay, err = c.callWith(ctx, header, http.MethodPut, path, d, &out)
	return out, replay, err
}
