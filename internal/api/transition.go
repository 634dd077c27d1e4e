package api

import (
	"context"
	"net/http"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// ConfirmRequest is the body of a confirm; it may be left out.
type ConfirmRequest struct {
	Version *Whole `json:"version,omitempty" minimum:"1" example:"1" doc:"The version it must have now; left out, none is asked for."`
}

// UnitsRequest is the body of a release or fulfill; it may be left out, then it means all units.
type UnitsRequest struct {
	Version *Whole         `json:"version,omitempty" minimum:"1" example:"1" doc:"The version it must have now. Required with lines, so that a repeat is known as such."`
	Lines   []LineQuantity `json:"lines,omitempty" minItems:"1" maxItems:"100" doc:"These units only; left out, all that is left."`
}

// LineQuantity is a number of units of one line.
type LineQuantity struct {
	Line     string `json:"line" minLength:"1" maxLength:"128" example:"1"`
	Quantity Whole  `json:"quantity" minimum:"1" maximum:"2147483647" example:"1" doc:"Units; no more than the line has left."`
}

// ExtendRequest is the body of an extend; it may be left out.
type ExtendRequest struct {
	TTLSeconds *Whole `json:"ttl_seconds,omitempty" minimum:"1" example:"600" doc:"Seconds from now until the deadline."`
	Version    *Whole `json:"version,omitempty" minimum:"1" example:"1" doc:"The version it must have now; left out, none is asked for."`
}

// MoveRequest is the body of a move.
type MoveRequest struct {
	Version *Whole `json:"version" minimum:"1" example:"1" doc:"The version it must have now, so that a repeat is known as such."`
	Line    string `json:"line" minLength:"1" maxLength:"128" example:"1"`
	To      string `json:"to" minLength:"1" maxLength:"128" example:"lyon" doc:"The location that is to serve what is left of the line."`
}

func (a *API) registerTransitions() {
	problems := []*kind{invalidRequest, notFound, idConflict, wrongState, versionConflict, rebuilding}
	durable := append([]*kind{notDurableYet}, problems...)
	transition := operation{
		method: http.MethodPost, tag: tagReservations, problems: problems,
		missing: reservationMissing,
		answers: map[int]string{http.StatusOK: "The reservation as it is now."},
	}

	confirm := transition
	confirm.id, confirm.path = "confirm", "/v1/reservations/{id}/confirm"
	confirm.summary = "Make a held reservation a sale"
	confirm.description = "After the deadline it takes the units again, or answers `insufficient_stock`. " +
		"Repeating it changes nothing."
	confirm.problems = append([]*kind{insufficientStock, purchaseLimit}, durable...)
	register(a, confirm, a.confirm)

	release := transition
	release.id, release.path = "release", "/v1/reservations/{id}/release"
	release.summary = "Give units back: all that are left, or some"
	release.description = "Of a held reservation, or of a confirmed one what is not yet fulfilled."
	release.problems = durable
	register(a, release, unitsCall(a.store.Release))

	fulfill := transition
	fulfill.id, fulfill.path = "fulfill", "/v1/reservations/{id}/fulfill"
	fulfill.summary = "Record that committed units have left"
	fulfill.description = "The reservation stays confirmed until nothing is left to fulfill."
	fulfill.problems = append([]*kind{insufficientStock}, durable...)
	register(a, fulfill, unitsCall(a.store.Fulfill))

	move := transition
	move.id, move.path = "move", "/v1/reservations/{id}/move"
	move.summary = "Have a line come from another location"
	move.description = "In one atomic step, of a held or confirmed reservation. What was fulfilled stays; a kit moves whole. " +
		"The location must be enabled and have the units; it need not ship to the address."
	move.problems = append([]*kind{insufficientStock, noLocation}, durable...)
	register(a, move, a.move)

	a.registerReturn(transition, durable)

	extend := transition
	extend.id, extend.path = "extend", "/v1/reservations/{id}/extend"
	extend.summary = "Move the deadline of a held reservation"
	extend.description = "The deadline becomes now + ttl_seconds. Only while held."
	extend.problems = durable
	register(a, extend, a.extend)
}

func (a *API) confirm(r *http.Request, in *ConfirmRequest) (reply[Reservation], error) {
	return transitioned(a.store.Confirm(r.Context(), cache.TransitionRequest{
		ID: r.PathValue("id"), Version: in.Version.positive(),
	}))
}

func (a *API) extend(r *http.Request, in *ExtendRequest) (reply[Reservation], error) {
	return transitioned(a.store.Extend(r.Context(), cache.ExtendRequest{
		ID: r.PathValue("id"), TTL: in.TTLSeconds.seconds(), Version: in.Version.positive(),
	}))
}

func (a *API) move(r *http.Request, in *MoveRequest) (reply[Reservation], error) {
	return transitioned(a.store.Move(r.Context(), cache.MoveRequest{
		ID: r.PathValue("id"), Version: in.Version.positive(), Line: in.Line, To: location.ID(in.To),
	}))
}

// unitsCall is a release or a fulfill.
func unitsCall(
	verb func(context.Context, cache.TransitionRequest) (cache.Result, error),
) func(*http.Request, *UnitsRequest) (reply[Reservation], error) {
	return func(r *http.Request, in *UnitsRequest) (reply[Reservation], error) {
		if in.Lines != nil && len(in.Lines) == 0 {
			// No lines means all lines to the store. Who sends an empty list did not mean that.
			return reply[Reservation]{}, &cache.InvalidError{Faults: []cache.Fault{
				{Path: "/lines", Message: "must not be empty; leave it out for all units"},
			}}
		}
		return transitioned(verb(r.Context(), cache.TransitionRequest{
			ID: r.PathValue("id"), Version: in.Version.positive(), Lines: lineQuantities(in.Lines),
		}))
	}
}

func lineQuantities(in []LineQuantity) []cache.LineQuantity {
	if len(in) == 0 {
		return nil
	}
	out := make([]cache.LineQuantity, len(in))
	for i, l := range in {
		out[i] = cache.LineQuantity{Line: l.Line, Quantity: int64(l.Quantity)}
	}
	return out
}

// transitioned makes the answer of a transition from what the store answered.
func transitioned(result cache.Result, err error) (reply[Reservation], error) {
	if err != nil {
		return reply[Reservation]{}, err
	}
	out := reply[Reservation]{body: reservation(&result.Reservation), replay: result.Replay}
	if result.DurableCall {
		out.body.Durable = &result.Durable
	}
	return out, nil
}
