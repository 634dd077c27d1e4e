package api

import (
	"net/http"
	"net/url"

	"github.com/holdfast/holdfast/cache"
)

// Reservation is units taken for one order, as every call on reservations answers it.
type Reservation struct {
	ID        string `json:"id" example:"ord-1001"`
	State     string `json:"state" enum:"held,confirmed,fulfilled,released,expired" example:"held" doc:"An overdue hold reads expired, swept or not."`
	Version   int64  `json:"version" minimum:"1" example:"1" doc:"1 at first, one more with each transition."`
	ExpiresAt string `json:"expires_at,omitempty" format:"date-time" example:"2026-11-27T08:10:00.000Z" doc:"The deadline of a held reservation, to the millisecond; without meaning once confirmed."`
	CreatedAt string `json:"created_at" format:"date-time" example:"2026-11-27T08:00:00.000Z"`
	Channel   string `json:"channel,omitempty" example:"web"`
	Customer  string `json:"customer,omitempty" example:"c-9"`
	Order     string `json:"order,omitempty" example:"5512"`
	Lines     []Line `json:"lines" nullable:"false"`
	Durable   *bool  `json:"durable,omitempty" doc:"Answered by confirm, by fulfill and by the release of a confirmed reservation: the ledger has it. false only where there is no ledger."`

	_ struct{} `additionalProperties:"true"`
}

// Line is one line of a Reservation.
type Line struct {
	Line      string       `json:"line" example:"1"`
	SKU       string       `json:"sku" example:"TEE-M"`
	Quantity  int64        `json:"quantity" example:"2" doc:"Units in the reservation; a partial release lowers it."`
	Requested int64        `json:"requested" example:"2" doc:"Units first asked for."`
	Fulfilled int64        `json:"fulfilled" example:"0" doc:"Units of quantity that have left."`
	Returned  int64        `json:"returned" example:"0" doc:"Units of fulfilled that came back to stock."`
	From      []Allocation `json:"from" nullable:"false" doc:"The locations that serve the line."`

	Components []LineComponent `json:"components,omitempty" nullable:"false" doc:"Of a kit: what it consists of. Then the quantities of the line are kits."`

	_ struct{} `additionalProperties:"true"`
}

// LineComponent is one of the SKUs that a kit consists of.
type LineComponent struct {
	SKU      string       `json:"sku" example:"CAP"`
	Quantity int64        `json:"quantity" example:"2" doc:"Units, of all kits of the line."`
	From     []Allocation `json:"from" nullable:"false"`

	_ struct{} `additionalProperties:"true"`
}

// Allocation is the part of a line that one location serves.
type Allocation struct {
	Location string `json:"location" example:"berlin"`
	Quantity int64  `json:"quantity" example:"2" doc:"Units."`

	_ struct{} `additionalProperties:"true"`
}

func reservation(r *cache.Reservation) Reservation {
	return Reservation{
		ID:        r.ID,
		State:     string(r.State),
		Version:   r.Version,
		ExpiresAt: formatTime(r.ExpiresAt),
		CreatedAt: formatTime(r.CreatedAt),
		Channel:   string(r.Channel),
		Customer:  r.Customer,
		Order:     r.Order,
		Lines:     lines(r.Lines),
	}
}

func lines(in []cache.Line) []Line {
	out := make([]Line, len(in))
	for i, l := range in {
		out[i] = Line{
			Line: l.Line, SKU: string(l.SKU), Quantity: l.Quantity, Requested: l.Requested,
			Fulfilled: l.Fulfilled, Returned: l.Returned, From: allocations(l.From),
		}
		for _, c := range l.Components {
			out[i].Components = append(out[i].Components, LineComponent{SKU: string(c.SKU), Quantity: c.Quantity, From: allocations(c.From)})
		}
	}
	return out
}

func allocations(in []cache.Allocation) []Allocation {
	out := make([]Allocation, len(in))
	for i, a := range in {
		out[i] = Allocation{Location: string(a.Location), Quantity: a.Quantity}
	}
	return out
}

const reservationMissing = "no such reservation; if this id was once answered 201, the hold was lost: " +
	"repeat the POST with the same id and body, then confirm"

const tagReservations = "Reservations"

func (a *API) registerReservations() {
	a.registerReserve()
	register(a, operation{
		id: "reservation", method: http.MethodGet, path: "/v1/reservations/{id}",
		tag: tagReservations, summary: "One reservation",
		answers:  map[int]string{http.StatusOK: "The reservation as it is now."},
		problems: []*kind{invalidRequest, notFound, rebuilding, notDurableYet},
		missing:  reservationMissing,
	}, a.showReservation)
	a.registerSearch()
	a.registerTransitions()
}

func (a *API) showReservation(r *http.Request, _ *nothing) (reply[Reservation], error) {
	found, err := a.store.Reservation(r.Context(), r.PathValue("id"))
	if err != nil {
		return reply[Reservation]{}, err
	}
	return reply[Reservation]{body: reservation(&found)}, nil
}

func reservationPath(id string) string { return "/v1/reservations/" + url.PathEscape(id) }
