package cache

import (
	"context"
	"fmt"
	"slices"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// Route is how a reservation would be served at this moment, and why.
type Route struct {
	Channel location.Channel
	Split   location.Split
	Lines   []RouteLine

	// Refusal is what Reserve would answer in place of a reservation: *UnknownStockError,
	// *NoLocationError, *PurchaseLimitError or *InsufficientError; nil where it would be held.
	Refusal error

	Ranking []location.Ranking // how each rule of the channel orders the candidates, or why it does not
}

// RouteLine is how one line would be served.
type RouteLine struct {
	Line       string
	SKU        location.SKU
	Candidates []location.ID // with a level of the SKU, in the order they are tried
	Rejected   []location.Rejected
	WouldTake  []Allocation // nothing where the reservation would be refused
}

// Route decides a reservation as Reserve would, and changes nothing: by the same script, at this moment's
// stock. Its ID is not looked at and may be left out.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding or ErrBacklogFull. Two round trips, and one
// for each SKU.
func (s *Store) Route(ctx context.Context, r ReserveRequest) (Route, error) {
	r.ID = orDefault(r.ID, "route")
	if err := r.validate(s.options.TTLMax); err != nil {
		return Route{}, err
	}
	known := s.directed.Load()
	if known == nil {
		if err := s.mayRoute(); err != nil {
			return Route{}, err
		}
	}
	listed, err := s.readLocations(ctx) // anew: Reserve would learn by its answer that there are others
	if err != nil {
		return Route{}, err
	}
	call := &reserveCall{request: &r}
	if err := call.route(orDefault(known, listed).rules, s.options.TTL); err != nil {
		return Route{}, err
	}
	route, err := s.candidates(ctx, call, listed.stocked)
	if err != nil {
		return Route{}, err
	}
	return route, s.tryOut(ctx, call, &route)
}

// candidates finds where each line may come from, and why from nowhere else; stocked are the locations that have
// a level.
func (s *Store) candidates(ctx context.Context, c *reserveCall, stocked []location.ID) (Route, error) {
	r := c.request
	route := Route{Channel: c.routing.Channel(), Split: orDefault(r.Split, c.routing.Split()), Ranking: c.routing.Ranking()}
	for i := range r.Lines {
		l := &c.lines[i]
		e, err := s.examine(ctx, r.Lines[i].SKU, l.kit, stocked)
		if err != nil {
			return Route{}, err
		}
		ids := slices.DeleteFunc(l.candidates.Ranked(func(id location.ID) int64 { return e.units[id] }),
			func(id location.ID) bool { return !e.has(id) })
		route.Lines = append(route.Lines, RouteLine{
			Line: r.Lines[i].Line, SKU: r.Lines[i].SKU, Candidates: ids, Rejected: e.rejected(c, i),
		})
	}
	return route, nil
}

// tryOut has the script decide a call without writing anything.
func (s *Store) tryOut(ctx context.Context, c *reserveCall, route *Route) error {
	a, err := s.shard.DryRun(ctx, c)
	if err != nil {
		return fmt.Errorf("route: %w", err)
	}
	switch a.Status {
	case wire.StatusHeld:
		result, err := c.held(a)
		for i := range result.Lines {
			route.Lines[i].WouldTake = result.Lines[i].From
		}
		return err
	case wire.StatusInsufficient:
		route.Refusal = c.insufficient(a.Payload)
	case wire.StatusPurchaseLimit:
		route.Refusal = c.overLimit(a.Payload)
	case wire.StatusNoLocation:
		route.Refusal = s.explain(ctx, c)
	default:
		return refusal(VerbReserve, c.request.ID, a)
	}
	return nil
}
