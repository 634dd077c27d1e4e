package api

import (
	"net/http"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/location"
)

func (a *API) registerRoute() {
	register(a, operation{
		id: "route", method: http.MethodPost, path: "/v1/route", tag: tagRouting, role: keys.Read,
		summary: "Explain how a reservation would be served",
		description: "A dry run of a reserve: the same script decides, with the current stock, and nothing is changed. " +
			"If the reserve would be refused, `refusal` is its problem.",
		answers:  map[int]string{http.StatusOK: "How the reservation would be served."},
		problems: []*kind{invalidRequest, rebuilding, backlogFull},
	}, a.route)
	register(a, operation{
		id: "availability", method: http.MethodPost, path: "/v1/availability", tag: tagRouting, role: keys.Read,
		summary: "Get what a channel can sell, for product pages",
		description: "Returns the sum over the locations that the channel may sell from to the address. A kit counts whole " +
			"kits. One reservation may get less, depending on how it may be split. An unknown SKU has 0.",
		answers:  map[int]string{http.StatusOK: "The units of each SKU."},
		problems: []*kind{invalidRequest, rebuilding},
	}, a.availability)
}

func (a *API) route(r *http.Request, in *contract.RouteRequest) (reply[contract.Route], error) {
	if err := checkChannel(r.Context(), in.Channel); err != nil {
		return reply[contract.Route]{}, err
	}
	route, err := a.store.Route(r.Context(), reserveRequest((*contract.ReserveRequest)(in)))
	out := contract.Route{
		Channel: string(route.Channel), Split: string(route.Split), Lines: convert(route.Lines, routedLine),
		Ranking: convert(route.Ranking, func(rule *location.Ranking) contract.RankRule {
			return contract.RankRule{Rule: string(rule.Rule), Abstains: rule.Abstains, Says: rule.Says}
		}),
	}
	if route.Refusal != nil {
		out.Refusal = problem(route.Refusal)
	}
	return reply[contract.Route]{body: out}, err
}

func routedLine(l *cache.RouteLine) contract.RoutedLine {
	return contract.RoutedLine{
		Line: l.Line, SKU: string(l.SKU),
		Candidates: convert(l.Candidates, func(id *location.ID) string { return string(*id) }),
		Rejected: convert(l.Rejected, func(r *location.Rejected) contract.LeftOut {
			return contract.LeftOut{Location: string(r.Location), Reason: string(r.Reason)}
		}),
		WouldTake: convert(l.WouldTake, allocation),
	}
}

func (a *API) availability(r *http.Request, in *contract.AvailabilityRequest) (reply[contract.Availability], error) {
	if err := checkChannel(r.Context(), in.Channel); err != nil {
		return reply[contract.Availability]{}, err
	}
	units, err := a.store.Availability(r.Context(), cache.AvailabilityRequest{
		Channel: location.Channel(in.Channel), ShipTo: (*location.Address)(in.ShipTo), Pickup: location.ID(in.Pickup),
		SKUs: convert(in.SKUs, func(sku *string) location.SKU { return location.SKU(*sku) }),
	})
	out := contract.Availability{Available: make(map[string]int64, len(units))}
	for sku, n := range units {
		out.Available[string(sku)] = n
	}
	return reply[contract.Availability]{body: out}, err
}
