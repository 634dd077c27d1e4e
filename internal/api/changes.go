package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/keys"
)

// Changes lists the changes that the ledger keeps.
type Changes interface {
	// Changes returns a page of changes, the newest first. Errors: *cache.InvalidError if cursor is not
	// one of its own.
	Changes(ctx context.Context, cursor string, limit int) (contract.ChangePage, error)
}

const tagChanges = "Changes"

func (a *API) registerChanges() {
	register(a, operation{
		id: "changes", method: http.MethodGet, path: "/v1/changes", tag: tagChanges, role: keys.Operate,
		summary: "List who changed what",
		description: "Returns one page of the changes of stock, of the directory and of keys, and of the repairs, the newest " +
			"first. What a call of a reservation does is not among them: it is in the event stream.",
		query:    pageParams("changes", contract.ChangesMax, contract.ChangesDefault),
		answers:  map[int]string{http.StatusOK: "One page."},
		problems: []*kind{malformed, invalidRequest, notFound, notDurableYet},
		missing:  "this server lists no changes",
	}, a.listChanges)
}

func (a *API) listChanges(r *http.Request, _ *nothing) (reply[contract.ChangePage], error) {
	limit := cmp.Or(pageLimit(r.URL.Query()), contract.ChangesDefault)
	if limit < 1 || limit > contract.ChangesMax {
		return reply[contract.ChangePage]{}, invalid("/limit", fmt.Sprintf("must be from 1 to %d", contract.ChangesMax))
	}
	if a.options.Changes == nil {
		return reply[contract.ChangePage]{}, cache.ErrNotFound
	}
	page, err := a.options.Changes.Changes(r.Context(), r.URL.Query().Get("cursor"), limit)
	return reply[contract.ChangePage]{body: page}, err
}
