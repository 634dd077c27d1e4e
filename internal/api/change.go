package api

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/location"
)

const asOfText = "With `as_of`, units that were fulfilled, returned, transferred or adjusted after that time are taken " +
	"into account: if 10 were counted and 2 were fulfilled since, on hand is 8. Later counts are not, because they " +
	"record what was there, not what left or arrived."

const levelMissing = "no such level; units can only be taken from a level that exists"

func (a *API) registerStockChanges() {
	change := operation{
		tag: tagStock, role: keys.Stock,
		problems: []*kind{invalidRequest, expiredRequest, idConflict, insufficientStock, rebuilding, notDurableYet},
		answers: map[int]string{
			http.StatusCreated: "This call created the level. The current level.",
			http.StatusOK:      "The current level.",
		},
	}
	common := change.problems

	put := change
	put.id, put.method, put.path = "put-level", http.MethodPut, "/v1/stock/{sku}/{location}"
	put.summary = "Count a level, or change its policy"
	put.description = "Sets on hand and the policy fields that are sent, in one atomic step. Fields that are left out " +
		"stay unchanged; on a new level they are 0. " + asOfText
	put.problems = append([]*kind{versionConflict}, common...)
	register(a, put, a.putLevel)

	adjust := change
	adjust.id, adjust.method, adjust.path = "adjust", http.MethodPost, "/v1/stock/adjustments"
	adjust.summary = "Adjust on hand by a number of units"
	adjust.description = "If the level does not exist, a positive delta creates it, and a negative delta is answered 404."
	adjust.problems = append([]*kind{notFound}, common...)
	adjust.missing = levelMissing
	register(a, adjust, a.adjust)

	change.answers = map[int]string{http.StatusOK: "The current levels."}
	count := change
	count.id, count.method, count.path = "count", http.MethodPost, "/v1/stock/counts"
	count.summary = "Count many levels at once"
	count.description = "Applies all counts or none, in one atomic step. " + asOfText
	count.problems = append([]*kind{versionConflict}, common...)
	register(a, count, a.count)

	transfer := change
	transfer.id, transfer.method, transfer.path = "transfer", http.MethodPost, "/v1/stock/transfers"
	transfer.summary = "Transfer units from one location to another"
	transfer.description = "Moves the units in one atomic step. Held and committed units and safety stock stay where they are."
	transfer.problems = append([]*kind{notFound}, common...)
	transfer.missing = levelMissing
	register(a, transfer, a.transfer)

	register(a, operation{
		id: "remove-level", method: http.MethodDelete, path: "/v1/stock/{sku}/{location}", tag: tagStock, role: keys.Stock,
		summary: "Remove a level",
		description: "The level must have no held or committed units. Its units on hand are written off. " +
			"Repeating the call is answered `not_found`, because the level is gone.",
		query:    []*huma.Param{queryParam("reason", "Why. Kept with the event."), queryParam("on_behalf_of", "The person for whom the actor removes it.")},
		answers:  map[int]string{http.StatusNoContent: "The level is gone, from the ledger too."},
		problems: []*kind{invalidRequest, notFound, inUse, rebuilding, notDurableYet},
		missing:  "no such level",
	}, a.removeLevel)
}

func (a *API) putLevel(r *http.Request, in *contract.PutLevelRequest) (reply[contract.ChangedLevel], error) {
	asOf, err1 := readTime("/as_of", in.AsOf)
	notAfter, err2 := readTime("/not_after", in.NotAfter)
	if err := cmp.Or(err1, err2); err != nil {
		return reply[contract.ChangedLevel]{}, err
	}
	who := by(r.Context(), in.Actor, in.OnBehalfOf)
	return a.changeLevel(r, cache.AdjustRequest{ID: in.ID, AsOf: asOf, Reason: in.Reason, Actor: who.Actor, OnBehalfOf: who.OnBehalfOf, RequestID: who.RequestID, NotAfter: notAfter}, cache.Change{
		SKU: location.SKU(r.PathValue("sku")), Location: location.ID(r.PathValue("location")),
		OnHand: (*int64)(in.OnHand), IfOnHand: (*int64)(in.IfOnHand),
		SafetyStock: (*int64)(in.SafetyStock), BackorderLimit: (*int64)(in.BackorderLimit),
	})
}

func (a *API) adjust(r *http.Request, in *contract.AdjustmentRequest) (reply[contract.ChangedLevel], error) {
	notAfter, err := readTime("/not_after", in.NotAfter)
	if err != nil {
		return reply[contract.ChangedLevel]{}, err
	}
	who := by(r.Context(), in.Actor, in.OnBehalfOf)
	return a.changeLevel(r, cache.AdjustRequest{ID: in.ID, Reason: in.Reason, Actor: who.Actor, OnBehalfOf: who.OnBehalfOf, RequestID: who.RequestID, NotAfter: notAfter}, cache.Change{
		SKU: location.SKU(in.SKU), Location: location.ID(in.Location), Delta: (*int64)(&in.Delta),
	})
}

// changeLevel applies request with one change.
func (a *API) changeLevel(r *http.Request, request cache.AdjustRequest, change cache.Change) (reply[contract.ChangedLevel], error) {
	request.Changes = []cache.Change{change}
	result, err := a.store.Adjust(r.Context(), request)
	if err != nil {
		return reply[contract.ChangedLevel]{}, movedPaths(err, "/changes/0", "")
	}
	if len(result.Levels) != 1 {
		return reply[contract.ChangedLevel]{}, errors.New("the store did not return one level for one change")
	}
	level := countedLevel(&result.Levels[0])
	out := reply[contract.ChangedLevel]{
		body:   contract.ChangedLevel{Level: level.Level, Durable: result.Durable, Short: level.Short, InForce: level.InForce},
		replay: result.Replay,
	}
	if result.Levels[0].Created {
		out.status = http.StatusCreated
	}
	return out, nil
}

func (a *API) count(r *http.Request, in *contract.CountsRequest) (reply[contract.CountsAnswer], error) {
	asOf, err1 := readTime("/as_of", in.AsOf)
	notAfter, err2 := readTime("/not_after", in.NotAfter)
	if err := cmp.Or(err1, err2); err != nil {
		return reply[contract.CountsAnswer]{}, err
	}
	who := by(r.Context(), in.Actor, in.OnBehalfOf)
	result, err := a.store.Adjust(r.Context(), cache.AdjustRequest{
		ID: in.ID, AsOf: asOf, Reason: in.Reason, Actor: who.Actor, OnBehalfOf: who.OnBehalfOf, RequestID: who.RequestID, NotAfter: notAfter,
		AllowUnknownLocations: in.AllowUnknownLocations,
		Changes: convert(in.Counts, func(c *contract.Count) cache.Change {
			return cache.Change{
				SKU: location.SKU(c.SKU), Location: location.ID(c.Location),
				OnHand: (*int64)(c.OnHand), IfOnHand: (*int64)(c.IfOnHand),
				SafetyStock: (*int64)(c.SafetyStock), BackorderLimit: (*int64)(c.BackorderLimit),
			}
		}),
	})
	return reply[contract.CountsAnswer]{replay: result.Replay, body: contract.CountsAnswer{
		ID: in.ID, Levels: convert(result.Levels, countedLevel), AppliedAt: contract.Time{Time: result.At}, Durable: result.Durable,
	}}, movedPaths(err, "/changes", "/counts")
}

func (a *API) transfer(r *http.Request, in *contract.TransferRequest) (reply[contract.TransferAnswer], error) {
	notAfter, err := readTime("/not_after", in.NotAfter)
	if err != nil {
		return reply[contract.TransferAnswer]{}, err
	}
	who := by(r.Context(), in.Actor, in.OnBehalfOf)
	result, err := a.store.Transfer(r.Context(), cache.TransferRequest{
		ID: in.ID, SKU: location.SKU(in.SKU), From: location.ID(in.From), To: location.ID(in.To),
		Quantity: int64(in.Quantity), Reason: in.Reason, Actor: who.Actor, OnBehalfOf: who.OnBehalfOf, RequestID: who.RequestID, NotAfter: notAfter,
	})
	return reply[contract.TransferAnswer]{replay: result.Replay, body: contract.TransferAnswer{
		ID: in.ID, Levels: []contract.Level{level(&result.From.Level), level(&result.To.Level)},
		AppliedAt: contract.Time{Time: result.At}, Durable: result.Durable,
	}}, err
}

func (a *API) removeLevel(r *http.Request, _ *nothing) (reply[nothing], error) {
	query := r.URL.Query()
	who := by(r.Context(), "", query.Get("on_behalf_of"))
	_, err := a.store.Remove(r.Context(), cache.RemoveRequest{
		SKU: location.SKU(r.PathValue("sku")), Location: location.ID(r.PathValue("location")), Reason: query.Get("reason"),
		Actor: who.Actor, OnBehalfOf: who.OnBehalfOf, RequestID: who.RequestID,
	})
	return reply[nothing]{status: http.StatusNoContent}, err
}

func countedLevel(changed *cache.AdjustedLevel) contract.CountedLevel {
	out := contract.CountedLevel{Level: level(&changed.Level), Short: contract.Short{
		Shortfall: changed.Shortfall(),
		Reservations: convert(changed.Short, func(s *cache.ShortReservation) contract.ShortReservation {
			return contract.ShortReservation(*s)
		}),
	}}
	if count := changed.InForce; count != nil {
		out.InForce = &contract.CountInForce{ID: count.Operation, AsOf: contract.Time{Time: count.At}}
	}
	return out
}

// readTime reads a time. It is zero if none was sent.
func readTime(path string, text *string) (time.Time, error) {
	if text == nil {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, *text)
	if err != nil || at.Unix() < 0 {
		return time.Time{}, invalid(path, "must be a time such as 2026-11-20T06:00:00Z")
	}
	return at.UTC(), nil
}

// movedPaths replaces the prefix from of the paths of an *InvalidError by to: the store names
// faults in its list of changes, the caller knows the body it sent. Other errors stay as they are.
func movedPaths(err error, from, to string) error {
	invalid, ok := errors.AsType[*cache.InvalidError](err)
	if !ok {
		return err
	}
	return &cache.InvalidError{Faults: convert(invalid.Faults, func(f *cache.Fault) cache.Fault {
		if rest, found := strings.CutPrefix(f.Path, from); found && (rest == "" || rest[0] == '/') {
			return cache.Fault{Path: to + rest, Message: f.Message}
		}
		return *f
	})}
}
