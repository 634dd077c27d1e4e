package api

import (
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/location"
)

const tagReservations = "Reservations"

const reservationMissing = "no such reservation; if a reserve with this id was answered 201, the hold was lost: " +
	"repeat the reserve with the same id and body, then confirm"

func (a *API) registerReservations() {
	register(a, operation{
		id: "reserve", method: http.MethodPost, path: "/v1/reservations", tag: tagReservations, role: keys.Sell,
		summary: "Reserve units until a deadline",
		description: "Holds the units of all lines or of none, in one atomic step. Repeating the call with the same id " +
			"and the same body takes nothing again and returns the current reservation: check `state`.",
		answers: map[int]string{
			http.StatusCreated: "The units are held.",
			http.StatusOK:      "The same request was answered before: the current reservation.",
		},
		problems: []*kind{
			invalidRequest, expiredRequest, idConflict, notOnSale, unknownStock, noLocation, purchaseLimit, campaignSoldOut,
			insufficientStock, rebuilding, backlogFull,
		},
	}, a.reserve)
	register(a, operation{
		id: "reservation", method: http.MethodGet, path: "/v1/reservations/{id}", tag: tagReservations, role: keys.Read,
		summary:  "Get a reservation",
		answers:  map[int]string{http.StatusOK: "The current reservation."},
		problems: []*kind{invalidRequest, notFound, rebuilding, notDurableYet},
		missing:  reservationMissing,
	}, a.showReservation)
	register(a, operation{
		id: "describe", method: http.MethodPatch, path: "/v1/reservations/{id}", tag: tagReservations, role: keys.Sell,
		summary: "Change the customer, the order, the identities or the metadata of a reservation",
		description: "Takes a JSON Merge Patch (RFC 7396): what is left out stays, and null removes it. Purchase limits count " +
			"the units for the new customer and identities; if one of them would exceed a limit, nothing changes. " +
			"Repeating the call changes nothing.",
		answers: map[int]string{http.StatusOK: "The current reservation, with its metadata."},
		problems: []*kind{
			invalidRequest, notDurableYet, notFound, idConflict, versionConflict, purchaseLimit, rebuilding,
		},
		missing: reservationMissing,
	}, a.describe)
	register(a, operation{
		id: "reservations", method: http.MethodGet, path: "/v1/reservations", tag: tagReservations, role: keys.Read,
		summary: "Search reservations",
		description: "Returns one page of the reservations that match every parameter, read from the ledger, which is " +
			"a moment behind. `line`, `sku` and `location` must match the same line.",
		query: append([]*huma.Param{
			{Name: "state", In: "query", Description: "Only reservations in this state. A hold past its deadline is expired.",
				Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"held", "confirmed", "fulfilled", "released", "expired"}}},
			queryParam("id_prefix", "Only reservations whose id begins with this."),
			queryParam("order", "Only reservations of this order."),
			queryParam("customer", "Only reservations of this customer."),
			queryParam("line", "Only reservations with a line of this id."),
			queryParam("sku", "Only reservations with a line of this SKU."),
			queryParam("location", "Only reservations with a line that this location serves."),
		}, pageParams("reservations", cache.ReservationPageMax, cache.ReservationPageDefault)...),
		answers:  map[int]string{http.StatusOK: "One page."},
		problems: []*kind{malformed, invalidRequest, notDurableYet},
	}, a.search)
}

func (a *API) reserve(r *http.Request, in *contract.ReserveRequest) (reply[contract.Reservation], error) {
	notAfter, err := readTime("/not_after", in.NotAfter)
	if err != nil {
		return reply[contract.Reservation]{}, err
	}
	if err := checkChannel(r.Context(), in.Channel); err != nil {
		return reply[contract.Reservation]{}, err
	}
	request := reserveRequest(in)
	request.NotAfter = notAfter
	result, err := a.store.Reserve(r.Context(), request)
	out := reply[contract.Reservation]{body: reservation(&result.Reservation), replay: result.Replay}
	if !result.Replay {
		out.status, out.location = http.StatusCreated, "/v1/reservations/"+url.PathEscape(result.ID)
	}
	return out, err
}

func reserveRequest(in *contract.ReserveRequest) cache.ReserveRequest {
	return cache.ReserveRequest{
		ID:       in.ID,
		Channel:  location.Channel(in.Channel),
		Customer: in.Customer,
		Order:    in.Order,
		ShipTo:   (*location.Address)(in.ShipTo),
		Pickup:   location.ID(in.Pickup),
		Prefer:   locationIDs(in.Prefer),
		TTL:      seconds(in.TTLSeconds),
		Split:    location.Split(in.Split),
		Lines: convert(in.Lines, func(l *contract.LineRequest) cache.LineRequest {
			return cache.LineRequest{
				Line: l.Line, SKU: location.SKU(l.SKU), Quantity: int64(l.Quantity), Location: location.ID(l.Location),
				Locations: locationIDs(l.Locations), Backorder: l.Backorder,
				ShipTo: (*location.Address)(l.ShipTo), Pickup: location.ID(l.Pickup),
			}
		}),
		Metadata:   in.Metadata,
		Identities: in.Identities,
	}
}

// locationIDs returns nil for no locations.
func locationIDs(list []string) []location.ID {
	if len(list) == 0 {
		return nil
	}
	return convert(list, func(id *string) location.ID { return location.ID(*id) })
}

func (a *API) showReservation(r *http.Request, _ *nothing) (reply[contract.Reservation], error) {
	found, err := a.store.Reservation(r.Context(), r.PathValue("id"))
	return reply[contract.Reservation]{body: reservation(&found)}, err
}

func (a *API) describe(r *http.Request, in *contract.DescribeRequest) (reply[contract.Reservation], error) {
	request := cache.DescribeRequest{
		ID: r.PathValue("id"), Version: positive(in.Version),
		Customer: in.Customer.Text(), Order: in.Order.Text(), Identities: in.Identities,
	}
	request.Metadata, request.ClearMetadata = in.Metadata.Keys()
	return changed(a.store.Describe(r.Context(), request))
}

func (a *API) search(r *http.Request, _ *nothing) (reply[contract.ReservationPage], error) {
	query := r.URL.Query()
	page, err := a.store.Search(r.Context(), cache.ReservationFilter{
		State:    cache.State(query.Get("state")),
		IDPrefix: query.Get("id_prefix"),
		Order:    query.Get("order"),
		Customer: query.Get("customer"),
		Line:     query.Get("line"),
		SKU:      location.SKU(query.Get("sku")),
		Location: location.ID(query.Get("location")),
		Channels: channelsOf(r.Context()),
		Limit:    pageLimit(query),
		Cursor:   query.Get("cursor"),
	})
	return reply[contract.ReservationPage]{body: contract.ReservationPage{
		Reservations: convert(page.Reservations, reservation), NextCursor: page.Next,
	}}, err
}

func reservation(r *cache.Reservation) contract.Reservation {
	return contract.Reservation{
		ID:        r.ID,
		State:     string(r.State),
		Version:   r.Version,
		ExpiresAt: contract.Time{Time: r.ExpiresAt},
		CreatedAt: contract.Time{Time: r.CreatedAt},
		Channel:   string(r.Channel),
		Customer:  r.Customer,
		Order:     r.Order,

		Identities: r.Identities,

		ShipTo:   (*contract.Address)(r.ShipTo),
		Pickup:   string(r.Pickup),
		Lines:    convert(r.Lines, line),
		Metadata: r.Metadata,
	}
}

func line(l *cache.Line) contract.Line {
	return contract.Line{
		Line: l.Line, SKU: string(l.SKU), Quantity: l.Quantity, Requested: l.Requested,
		Fulfilled: l.Fulfilled, Returned: l.Returned, From: convert(l.From, allocation),
		Backorder: l.Backorder, Backordered: l.Backordered,
		ShipTo: (*contract.Address)(l.ShipTo), Pickup: string(l.Pickup), Components: convert(l.Components, component),
	}
}

func component(c *cache.Component) contract.LineComponent {
	return contract.LineComponent{SKU: string(c.SKU), Quantity: c.Quantity, From: convert(c.From, allocation)}
}

func allocation(a *cache.Allocation) contract.Allocation {
	return contract.Allocation{Location: string(a.Location), Quantity: a.Quantity}
}
