package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/location"
)

const tagStock = "Stock"

func (a *API) registerStock() {
	register(a, operation{
		id: "levels-of-sku", method: http.MethodGet, path: "/v1/stock/{sku}", tag: tagStock, role: keys.Read,
		summary:  "List the levels of a SKU",
		answers:  map[int]string{http.StatusOK: "Every level of the SKU."},
		problems: []*kind{invalidRequest, notFound, rebuilding},
		missing:  "this SKU has no level at any location",
	}, a.showSKU)
	register(a, operation{
		id: "levels", method: http.MethodGet, path: "/v1/stock", tag: tagStock, role: keys.Read,
		summary: "List all levels",
		query: append([]*huma.Param{
			queryParam("location", "Only levels at this location."),
			queryParam("sku_prefix", "Only levels whose SKU begins with this."),
		}, pageParams("levels", cache.LevelPageMax, cache.LevelPageDefault)...),
		answers:  map[int]string{http.StatusOK: "One page."},
		problems: []*kind{malformed, invalidRequest, rebuilding},
	}, a.listLevels)
	register(a, operation{
		id: "query-levels", method: http.MethodPost, path: "/v1/stock/query", tag: tagStock, role: keys.Read,
		summary:     "Read levels of some SKUs at some locations",
		description: "Returns one page of the levels of these SKUs at these locations. A list that is empty or left out does not restrict.",
		answers:     map[int]string{http.StatusOK: "One page."},
		problems:    []*kind{invalidRequest, rebuilding},
	}, a.queryLevels)
}

func (a *API) queryLevels(r *http.Request, in *contract.StockQuery) (reply[contract.LevelPage], error) {
	return levelPage(a.store.LevelPage(r.Context(), cache.LevelFilter{
		SKUs:      convert(in.SKUs, func(sku *string) location.SKU { return location.SKU(*sku) }),
		Locations: locationIDs(in.Locations), Limit: int(positive(in.Limit)), Cursor: in.Cursor,
	}))
}

func (a *API) showSKU(r *http.Request, _ *nothing) (reply[contract.SKULevels], error) {
	sku := r.PathValue("sku")
	found, err := a.store.Levels(r.Context(), location.SKU(sku))
	return reply[contract.SKULevels]{body: contract.SKULevels{SKU: sku, Levels: convert(found, level)}}, err
}

func (a *API) listLevels(r *http.Request, _ *nothing) (reply[contract.LevelPage], error) {
	query := r.URL.Query()
	return levelPage(a.store.LevelPage(r.Context(), cache.LevelFilter{
		Location: location.ID(query.Get("location")), SKUPrefix: query.Get("sku_prefix"),
		Limit: pageLimit(query), Cursor: query.Get("cursor"),
	}))
}

// levelPage returns a page of levels as its reply.
func levelPage(page cache.LevelPage, err error) (reply[contract.LevelPage], error) {
	return reply[contract.LevelPage]{body: contract.LevelPage{
		Levels: convert(page.Levels, level), NextCursor: page.Next, Position: page.Position,
	}}, err
}

func level(l *cache.Level) contract.Level {
	return contract.Level{
		SKU: string(l.SKU), Location: string(l.Location),
		OnHand: l.OnHand, Held: l.Held, Committed: l.Committed,
		SafetyStock: l.SafetyStock, BackorderLimit: l.BackorderLimit, Available: l.Available,
		Backordered: l.Backordered(),
	}
}
