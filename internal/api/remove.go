package api

import (
	"net/http"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

func (a *API) registerRemove() {
	register(a, operation{
		id: "remove-level", method: http.MethodDelete, path: "/v1/stock/{sku}/{location}", tag: tagStock,
		summary: "Remove a level",
		description: "Only with nothing held or committed; what is on hand is written off. " +
			"Repeating it answers `not_found`: the level is gone.",
		answers:  map[int]string{http.StatusNoContent: "The level is gone, from the ledger too."},
		problems: []*kind{invalidRequest, notFound, inUse, rebuilding, notDurableYet},
		missing:  "no such level",
	}, a.removeLevel)
}

func (a *API) removeLevel(r *http.Request, _ *nothing) (reply[nothing], error) {
	_, err := a.store.Remove(r.Context(), cache.RemoveRequest{
		SKU: location.SKU(r.PathValue("sku")), Location: location.ID(r.PathValue("location")),
	})
	return reply[nothing]{status: http.StatusNoContent}, err
}
