package api

import (
	"net/http"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// ReserveRequest is the body of a reserve.
type ReserveRequest struct {
	ID         string            `json:"id" minLength:"1" maxLength:"128" example:"ord-1001" doc:"The caller's id and idempotency key. Like every identifier: 1 to 128 bytes of UTF-8 without control characters and braces, not . or .."`
	Channel    string            `json:"channel,omitempty" maxLength:"128" example:"web" doc:"Sales channel; may be left out where one is the default."`
	Customer   string            `json:"customer,omitempty" maxLength:"128" example:"c-9" doc:"Searchable, and what purchase limits count by."`
	Order      string            `json:"order,omitempty" maxLength:"128" example:"5512" doc:"Searchable."`
	ShipTo     *Address          `json:"ship_to,omitempty" doc:"Where to; never together with pickup."`
	Pickup     string            `json:"pickup,omitempty" maxLength:"128" doc:"The location that the customer collects from, instead of ship_to."`
	TTLSeconds *Whole            `json:"ttl_seconds,omitempty" minimum:"1" example:"600" doc:"Seconds until the deadline."`
	Split      string            `json:"split,omitempty" enum:"never,lines,units" example:"lines" doc:"How far the reservation may be spread over locations: never, each line whole, or a line in parts. Left out: the channel's."`
	Lines      []LineRequest     `json:"lines" minItems:"1" maxItems:"100" nullable:"false"`
	Metadata   map[string]string `json:"metadata,omitempty" maxProperties:"16" doc:"Strings of at most 512 bytes, kept by the ledger."`
}

// Address is where an order is shipped to.
type Address struct {
	Country    string   `json:"country,omitempty" example:"DE" doc:"ISO 3166-1, two letters."`
	Region     string   `json:"region,omitempty" example:"BE"`
	PostalCode string   `json:"postal_code,omitempty" example:"10115"`
	Latitude   *float64 `json:"latitude,omitempty" minimum:"-90" maximum:"90" example:"52.5" doc:"Degrees north."`
	Longitude  *float64 `json:"longitude,omitempty" minimum:"-180" maximum:"180" example:"13.4" doc:"Degrees east."`
}

// LineRequest is one line of a ReserveRequest.
type LineRequest struct {
	Line     string `json:"line" minLength:"1" maxLength:"128" example:"1" doc:"The order's line id, unique in the reservation."`
	SKU      string `json:"sku" minLength:"1" maxLength:"128" example:"TEE-M"`
	Quantity Whole  `json:"quantity" minimum:"1" maximum:"2147483647" example:"2" doc:"Units."`
	Location string `json:"location,omitempty" maxLength:"128" example:"berlin" doc:"A pin: from this location or not at all."`
}

func (a *API) registerReserve() {
	register(a, operation{
		id: "reserve", method: http.MethodPost, path: "/v1/reservations", tag: tagReservations,
		summary: "Take units out of sale until a deadline",
		description: "All lines or none, in one atomic step. Repeating the call with the same id and " +
			"the same request takes nothing again and answers the reservation as it is now: check `state`.",
		answers: map[int]string{
			http.StatusCreated: "The units are held.",
			http.StatusOK:      "The id was used before with the same request: the reservation as it is now.",
		},
		problems: []*kind{
			invalidRequest, idConflict, unknownStock, noLocation, purchaseLimit, insufficientStock, rebuilding, backlogFull,
		},
	}, a.reserve)
}

func (a *API) reserve(r *http.Request, in *ReserveRequest) (reply[Reservation], error) {
	result, err := a.store.Reserve(r.Context(), in.request())
	if err != nil {
		return reply[Reservation]{}, err
	}
	out := reply[Reservation]{body: reservation(&result.Reservation), replay: result.Replay}
	if !result.Replay {
		out.status, out.location = http.StatusCreated, reservationPath(result.ID)
	}
	return out, nil
}

func (in *ReserveRequest) request() cache.ReserveRequest {
	lines := make([]cache.LineRequest, len(in.Lines))
	for i, l := range in.Lines {
		lines[i] = cache.LineRequest{
			Line: l.Line, SKU: location.SKU(l.SKU), Quantity: int64(l.Quantity),
			Location: location.ID(l.Location),
		}
	}
	return cache.ReserveRequest{
		ID:       in.ID,
		Channel:  location.Channel(in.Channel),
		Customer: in.Customer,
		Order:    in.Order,
		ShipTo:   (*location.Address)(in.ShipTo),
		Pickup:   location.ID(in.Pickup),
		TTL:      in.TTLSeconds.seconds(),
		Split:    location.Split(in.Split),
		Lines:    lines,
		Metadata: in.Metadata,
	}
}
