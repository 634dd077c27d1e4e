package api

import (
	"net/http"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// ReturnRequest is the body of a return.
type ReturnRequest struct {
	ID      string       `json:"id" minLength:"1" maxLength:"128" example:"ret-1" doc:"The return's own id and idempotency key; an operation's, another name space than reservation ids."`
	Version *Whole       `json:"version,omitempty" minimum:"1" example:"3" doc:"The version the reservation must have now; left out, none is asked for."`
	Lines   []ReturnLine `json:"lines" minItems:"1" maxItems:"100" nullable:"false"`
	To      string       `json:"to" minLength:"1" maxLength:"128" example:"berlin" doc:"The location that gets the units; a level is made where there is none."`
}

// ReturnLine is a number of units of one line that come back.
type ReturnLine struct {
	Line     string `json:"line" minLength:"1" maxLength:"128" example:"1"`
	Quantity Whole  `json:"quantity" minimum:"1" maximum:"2147483647" example:"1" doc:"Units, of a kit kits; no more than have left and did not come back before."`
}

func (a *API) registerReturn(transition operation, problems []*kind) {
	transition.id, transition.path = "return", "/v1/reservations/{id}/return"
	transition.summary = "Take units that have left back into stock"
	transition.description = "They are on hand and available at a location of your choice, and `returned` of their lines says so. " +
		"The reservation keeps its state; a kit comes back whole."
	transition.problems = problems
	register(a, transition, a.takeBack)
}

func (a *API) takeBack(r *http.Request, in *ReturnRequest) (reply[Reservation], error) {
	request := cache.ReturnRequest{
		ID: in.ID, Reservation: r.PathValue("id"), Version: in.Version.positive(), To: location.ID(in.To),
		Lines: make([]cache.LineQuantity, len(in.Lines)),
	}
	for i, l := range in.Lines {
		request.Lines[i] = cache.LineQuantity{Line: l.Line, Quantity: int64(l.Quantity)}
	}
	return transitioned(a.store.Return(r.Context(), request))
}
