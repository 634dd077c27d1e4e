package cache

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// Route is how a reservation would be served now, and why.
type Route struct {
	Channel location.Channel
	Split   location.Split
	Lines   []RouteLine

	// Refusal is the error that Reserve would return: *NotOnSaleError, *UnknownStockError,
	// *NoLocationError, *PurchaseLimitError, *CampaignSoldOutError or *InsufficientError. It is nil if
	// Reserve would hold the units.
	Refusal error

	Ranking []location.Ranking // how each rule of the channel orders the candidates, or why it is skipped
}

// RouteLine is how one line would be served.
type RouteLine struct {
	Line       string
	SKU        location.SKU
	Candidates []location.ID       // locations with a level of the SKU, in the order they are tried
	Rejected   []location.Rejected // the other locations, and why
	WouldTake  []Allocation        // nil if the reservation would be refused
}

// Route decides a reservation with the same script as Reserve and writes nothing. It ignores r.ID,
// which may be "", and r.NotAfter. A refusal by the script is in Route.Refusal, and the error is nil.
//
// Errors, in order of precedence: *InvalidError (the request by itself), ErrRebuilding,
// *InvalidError (what only the directory rules out), ErrBacklogFull. Two round trips, and one for
// each SKU or component of a kit; if the SKU is unknown or has no location, at least two more.
func (s *Store) Route(ctx context.Context, r ReserveRequest) (Route, error) {
	r.ID = orDefault(r.ID, "route")
	if err := r.validate(s.options.TTLMax); err != nil {
		return Route{}, err
	}
	ctx, cancel := s.within(ctx, 0)
	defer cancel()
	directory := s.directory.Load()
	if directory == nil {
		if err := s.mayRoute(); err != nil {
			return Route{}, err
		}
	}
	listed, err := s.readLocations(ctx) // never a cached copy: a dry run is not tried again if it was stale
	if err != nil {
		return Route{}, err
	}
	r.ID, r.NotAfter = "", time.Time{} // no reservation has this id
	call := &reserveCall{request: &r}
	if err := call.route(orDefault(directory, listed).rules, s.options.TTL); err != nil {
		return Route{}, err
	}
	route, err := s.routeLines(ctx, call, listed.stocked)
	if err != nil {
		return Route{}, err
	}
	return route, s.dryRun(ctx, call, &route)
}

// routeLines finds the candidates of each line, and why the other locations are not. stocked lists
// the locations that have a level. One round trip for each SKU or component of a kit.
func (s *Store) routeLines(ctx context.Context, c *reserveCall, stocked []location.ID) (Route, error) {
	r := c.request
	route := Route{Channel: c.routing.Channel(), Split: orDefault(r.Split, c.routing.Split()), Ranking: c.routing.Ranking()}
	for i := range r.Lines {
		l := &c.lines[i]
		e, err := s.findLevels(ctx, r.Lines[i].SKU, l.kit, stocked)
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

// dryRun makes the reserve script decide the call and write nothing.
func (s *Store) dryRun(ctx context.Context, c *reserveCall, route *Route) error {
	a, err := s.shard.DryRun(ctx, c)
	if err != nil {
		return fmt.Errorf("route: %w", err)
	}
	switch a.Status {
	case wire.StatusHeld:
		result, err := c.decodeHeld(a)
		for i := range result.Lines {
			route.Lines[i].WouldTake = result.Lines[i].From
		}
		return err
	case wire.StatusInsufficient:
		route.Refusal = c.decodeInsufficient(a.Payload)
	case wire.StatusNotOnSale:
		route.Refusal = c.notOnSale(time.UnixMilli(a.Now))
	case wire.StatusPurchaseLimit:
		route.Refusal = c.decodeLimit(a.Payload)
	case wire.StatusNoLocation:
		route.Refusal = s.explain(ctx, c)
	case wire.StatusTooManyParts:
		return tooManyParts()
	default:
		return refusal(VerbReserve, c.request.ID, a)
	}
	return nil
}
