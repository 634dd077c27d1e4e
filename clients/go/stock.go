package holdfast

import (
	"context"
	"net/http"
	"net/url"
)

func levelPath(sku, location string) string {
	return "/v1/stock/" + url.PathEscape(sku) + "/" + url.PathEscape(location)
}

// Stock reads all levels of a SKU.
func (c *Client) Stock(ctx context.Context, sku string) (out SKULevels, err error) {
	_, err = c.call(ctx, http.MethodGet, "/v1/stock/"+url.PathEscape(sku), nil, &out)
	return out, err
}

// Levels reads one page of the levels that query selects. Its parameters are those of GET /v1/stock.
func (c *Client) Levels(ctx context.Context, query url.Values) (out LevelPage, err error) {
	_, err = c.call(ctx, http.MethodGet, "/v1/stock?"+query.Encode(), nil, &out)
	return out, err
}

// QueryLevels reads one page of the levels of some SKUs at some locations.
func (c *Client) QueryLevels(ctx context.Context, q StockQuery) (out LevelPage, err error) {
	_, err = c.call(ctx, http.MethodPost, "/v1/stock/query", q, &out)
	return out, err
}

// PutLevel counts a level, or changes its policy.
func (c *Client) PutLevel(ctx context.Context, sku, location string, r PutLevelRequest) (out ChangedLevel, replay bool, err error) {
	replay, err = c.call(ctx, http.MethodPut, levelPath(sku, location), r, &out)
	return out, replay, err
}

// Adjust changes on hand of a level by a number of units.
func (c *Client) Adjust(ctx context.Context, a AdjustmentRequest) (out ChangedLevel, replay bool, err error) {
	replay, err = c.call(ctx, http.MethodPost, "/v1/stock/adjustments", a, &out)
	return out, replay, err
}

// Count sets 1 to CountsMax levels in one step.
func (c *Client) Count(ctx context.Context, r CountsRequest) (out CountsAnswer, replay bool, err error) {
	replay, err = c.call(ctx, http.MethodPost, "/v1/stock/counts", r, &out)
	return out, replay, err
}

// Transfer moves units of a SKU from one location to another.
func (c *Client) Transfer(ctx context.Context, r TransferRequest) (out TransferAnswer, replay bool, err error) {
	replay, err = c.call(ctx, http.MethodPost, "/v1/stock/transfers", r, &out)
	return out, replay, err
}

// RemoveLevel removes a level without held or committed units. A repeat is answered CodeNotFound, because
// the level is gone.
func (c *Client) RemoveLevel(ctx context.Context, sku, location string) error {
	_, err := c.call(ctx, http.MethodDelete, levelPath(sku, location), nil, nil)
	return err
}
