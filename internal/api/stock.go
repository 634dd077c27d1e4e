package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// Level is a SKU at a location, in units.
type Level struct {
	SKU            string `json:"sku" example:"TEE-M"`
	Location       string `json:"location" example:"berlin"`
	OnHand         int64  `json:"on_hand" example:"40" doc:"Units that are there."`
	Held           int64  `json:"held" example:"3" doc:"Units of reservations that are held."`
	Committed      int64  `json:"committed" example:"5" doc:"Units of confirmed reservations that have not left."`
	SafetyStock    int64  `json:"safety_stock" example:"2" doc:"Units kept back from sale."`
	BackorderLimit int64  `json:"backorder_limit" example:"0" doc:"Units that may be sold beyond what is there."`
	Available      int64  `json:"available" example:"30" doc:"on_hand - held - committed - safety_stock + backorder_limit. Below 0 only after an adjustment."`

	_ struct{} `additionalProperties:"true"`
}

// SKULevels is every level of one SKU.
type SKULevels struct {
	SKU    string  `json:"sku" example:"TEE-M"`
	Levels []Level `json:"levels" nullable:"false" doc:"In order of location; at least one."`

	_ struct{} `additionalProperties:"true"`
}

// LevelPage is one page of levels.
type LevelPage struct {
	Levels     []Level `json:"levels" nullable:"false" doc:"In order of SKU and location."`
	NextCursor string  `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one."`

	_ struct{} `additionalProperties:"true"`
}

func level(l *cache.Level) Level {
	return Level{
		SKU: string(l.SKU), Location: string(l.Location),
		OnHand: l.OnHand, Held: l.Held, Committed: l.Committed,
		SafetyStock: l.SafetyStock, BackorderLimit: l.BackorderLimit, Available: l.Available,
	}
}

func levels(in []cache.Level) []Level {
	out := make([]Level, len(in))
	for i := range in {
		out[i] = level(&in[i])
	}
	return out
}

const tagStock = "Stock"

func (a *API) registerStock() {
	register(a, operation{
		id: "levels-of-sku", method: http.MethodGet, path: "/v1/stock/{sku}", tag: tagStock,
		summary:  "The levels of a SKU",
		answers:  map[int]string{http.StatusOK: "Every level of the SKU."},
		problems: []*kind{invalidRequest, notFound},
		missing:  skuMissing,
	}, a.showSKU)
	register(a, operation{
		id: "levels", method: http.MethodGet, path: "/v1/stock", tag: tagStock,
		summary:  "All levels, by page",
		query:    levelQuery(),
		answers:  map[int]string{http.StatusOK: "One page."},
		problems: []*kind{malformed, invalidRequest},
	}, a.listLevels)
	a.registerAdjust()
	a.registerTransfer()
	a.registerRemove()
}

const skuMissing = "this SKU has no level at any location"

func (a *API) showSKU(r *http.Request, _ *nothing) (reply[SKULevels], error) {
	sku := r.PathValue("sku")
	found, err := a.store.Levels(r.Context(), location.SKU(sku))
	if err != nil {
		return reply[SKULevels]{}, err
	}
	return reply[SKULevels]{body: SKULevels{SKU: sku, Levels: levels(found)}}, nil
}

func levelQuery() []*huma.Param {
	text := &huma.Schema{Type: huma.TypeString}
	return append([]*huma.Param{
		{Name: "location", In: "query", Description: "Only this location.", Schema: text},
		{Name: "sku_prefix", In: "query", Description: "Only SKUs that begin so.", Schema: text},
	}, pageParams("Levels in the page.", cache.LevelPageMax, cache.LevelPageDefault)...)
}

func (a *API) listLevels(r *http.Request, _ *nothing) (reply[LevelPage], error) {
	filter, err := levelFilter(r.URL.RawQuery)
	if err != nil {
		return reply[LevelPage]{}, err
	}
	page, err := a.store.LevelPage(r.Context(), filter)
	if err != nil {
		return reply[LevelPage]{}, err
	}
	return reply[LevelPage]{body: LevelPage{Levels: levels(page.Levels), NextCursor: page.Next}}, nil
}

func levelFilter(rawQuery string) (f cache.LevelFilter, err error) {
	err = readQuery(rawQuery, &f.Limit, map[string]func(string){
		"location":   func(v string) { f.Location = location.ID(v) },
		"sku_prefix": func(v string) { f.SKUPrefix = v },
		"cursor":     func(v string) { f.Cursor = v },
	})
	return f, err
}

// pageLimit reads limit by the rule of Whole: 0 stands for absent, so a 0 that was sent becomes -1,
// and a number too large the largest; the store refuses both.
func pageLimit(value string) (int, error) {
	if value == "" {
		return 0, nil
	}
	limit, err := parseWhole(value)
	if err != nil {
		return 0, malformedAt("/limit", errNotWhole.Error())
	}
	return int(limit.positive()), nil
}
