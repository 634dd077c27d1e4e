package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Limits of the server.
const (
	CountsMax    = 1000 // counts in one call
	LevelPageMax = 500  // levels in one page
)

// Level is a SKU at a location, in units.
type Level struct {
	SKU            string `json:"sku"`
	Location       string `json:"location"`
	OnHand         int64  `json:"on_hand"`
	Held           int64  `json:"held"`
	Committed      int64  `json:"committed"`
	SafetyStock    int64  `json:"safety_stock"`
	BackorderLimit int64  `json:"backorder_limit"`
	Available      int64  `json:"available"`
}

// Stock is all levels of a SKU.
type Stock struct {
	SKU    string  `json:"sku"`
	Levels []Level `json:"levels"`
}

// Stock reads all levels of a SKU.
func (c *Client) Stock(ctx context.Context, sku string) (Stock, error) {
	var out Stock
	_, err := c.call(ctx, http.MethodGet, "/v1/stock"+segment(sku), nil, &out)
	return out, err
}

// LevelFilter selects levels.
type LevelFilter struct {
	Location  string // only this one; "" is all
	SKUPrefix string // only SKUs that begin so; "" is all
	Limit     int    // 1 to LevelPageMax; 0 is the server's default
	Cursor    string // LevelPage.Next of the page before
}

// LevelPage is one page of levels, in order of SKU and location.
type LevelPage struct {
	Levels []Level `json:"levels"`
	Next   string  `json:"next_cursor"` // "" on the last page
}

// Levels reads one page of levels.
func (c *Client) Levels(ctx context.Context, f LevelFilter) (LevelPage, error) {
	query := url.Values{}
	for name, value := range map[string]string{
		"location": f.Location, "sku_prefix": f.SKUPrefix, "cursor": f.Cursor,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if f.Limit > 0 {
		query.Set("limit", strconv.Itoa(f.Limit))
	}
	path := "/v1/stock"
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	var out LevelPage
	_, err := c.call(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

// LevelChange is a level as an operation left it.
type LevelChange struct {
	Level
	Short
	Replay  bool `json:"replay"`  // the id was used before for the same request; nothing was changed
	Durable bool `json:"durable"` // the ledger has it
}

// Short is what is sold of a level and not there; its zero value is nothing.
type Short struct {
	Shortfall    int64              `json:"shortfall,omitempty"`          // units
	Reservations []ShortReservation `json:"short_reservations,omitempty"` // the newest that no longer fit, not always all
}

// ShortReservation is a confirmed reservation for which a level has too few units.
type ShortReservation struct {
	ID       string `json:"id"`
	Order    string `json:"order,omitempty"`
	Customer string `json:"customer,omitempty"`
	Quantity int64  `json:"quantity"` // units of it that are committed at the level
}

// Adjustment changes on hand by a signed number of units.
type Adjustment struct {
	ID       string `json:"id"`
	SKU      string `json:"sku"`
	Location string `json:"location"`
	Delta    int64  `json:"delta"`
	Reason   string `json:"reason,omitempty"`
	Actor    string `json:"actor,omitempty"`
}

// Adjust changes on hand of a level.
func (c *Client) Adjust(ctx context.Context, a Adjustment) (LevelChange, error) {
	var out LevelChange
	replay, err := c.call(ctx, http.MethodPost, "/v1/stock/adjustments", a, &out)
	out.Replay = replay
	return out, err
}

// Count is what was counted of one level. Policy fields left nil stay as they are.
type Count struct {
	SKU            string `json:"sku"`
	Location       string `json:"location"`
	OnHand         int64  `json:"on_hand"`
	SafetyStock    *int64 `json:"safety_stock,omitempty"`
	BackorderLimit *int64 `json:"backorder_limit,omitempty"`
}

// Counts is many counts that are applied in one step, or not at all.
type Counts struct {
	ID     string  `json:"id"`
	AsOf   string  `json:"as_of,omitempty"` // RFC 3339: when they were made; "" is now
	Reason string  `json:"reason,omitempty"`
	Actor  string  `json:"actor,omitempty"`
	Counts []Count `json:"counts"` // 1 to CountsMax
}

// CountsResult is what the counts left behind.
type CountsResult struct {
	Replay    bool      `json:"-"`          // the id was used before for the same counts; nothing was changed
	AppliedAt time.Time `json:"applied_at"` // of a replay: when they first were
	Durable   bool      `json:"durable"`    // the ledger has it

	Levels []LevelCounted `json:"levels"` // in the order of the counts
}

// LevelCounted is a level as a count left it.
type LevelCounted struct {
	Level
	Short
}

// Count sets many levels at once.
func (c *Client) Count(ctx context.Context, counts Counts) (CountsResult, error) {
	var out CountsResult
	replay, err := c.call(ctx, http.MethodPost, "/v1/stock/counts", counts, &out)
	out.Replay = replay
	return out, err
}
