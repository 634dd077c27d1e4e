package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/location"
)

func (a *API) registerTransitions() {
	register(a, transition("confirm", keys.Sell, "Confirm a reservation",
		"Makes a held reservation a sale. After the deadline it takes the units again, or answers `insufficient_stock`. "+
			"Repeating it changes nothing.", expiredRequest, insufficientStock, purchaseLimit, campaignSoldOut), a.confirm)
	register(a, transition("release", keys.Sell, "Release all units of a reservation, or some",
		"Returns the units of a held reservation to sale, or those units of a confirmed one that are not fulfilled yet."),
		units(a.store.Release))
	register(a, transition("fulfill", keys.Ship, "Record that committed units have left",
		"The reservation stays confirmed until no units are left to fulfill.", insufficientStock), units(a.store.Fulfill))
	register(a, transition("move", keys.Ship, "Serve a line from another location",
		"Moves what is left of a line of a held or confirmed reservation, in one atomic step. Fulfilled units stay; a kit "+
			"moves whole. The location must be enabled and have the units. It need not ship to the address.",
		expiredRequest, insufficientStock, noLocation), a.move)
	register(a, transition("amend", keys.Sell, "Change the lines of a reservation",
		"Sets quantities of lines, adds lines and removes lines (quantity 0), all or none, of a held or confirmed "+
			"reservation. The deadline stays. More units come from where the line has some, then from where a reserve "+
			"would take them. Units that have left stay in their line.",
		notOnSale, unknownStock, noLocation, purchaseLimit, campaignSoldOut, insufficientStock, alreadyFulfilled, expiredRequest), a.amend)
	register(a, transition("return", keys.Ship, "Return fulfilled units to stock",
		"The units become on hand and available at a location of your choice, and count as `returned` in their lines. "+
			"The reservation keeps its state. A kit comes back whole."), a.takeBack)
	register(a, transition("unfulfill", keys.Ship, "Take fulfilled units back to the reservation",
		"For a shipment that was cancelled. The units are on hand and committed again, in one atomic step: nobody else can "+
			"take them. The reservation is confirmed afterwards, also if it was fulfilled. A kit comes back whole. Units "+
			"that were returned can't be unfulfilled."), a.unfulfill)
	register(a, transition("extend", keys.Sell, "Extend a held reservation",
		"Sets the deadline to `ttl_seconds` from now. The reservation must be held.", expiredRequest), a.extend)
}

// transition declares the operation /v1/reservations/{id}/verb. problems are those besides the ones
// that every transition has.
func transition(verb string, role keys.Role, summary, description string, problems ...*kind) operation {
	return operation{
		id: verb, method: http.MethodPost, path: reservationPath + "/" + verb, tag: tagReservations, role: role,
		summary: summary, description: description,
		answers: map[int]string{http.StatusOK: "The current reservation."},
		problems: append(problems, notDurableYet, invalidRequest, notFound, idConflict, wrongState, versionConflict,
			rebuilding),
		missing: reservationMissing,
	}
}

func (a *API) confirm(r *http.Request, in *contract.ConfirmRequest) (reply[contract.Reservation], error) {
	notAfter, err := readTime("/not_after", in.NotAfter)
	if err != nil {
		return reply[contract.Reservation]{}, err
	}
	return changed(a.store.Confirm(r.Context(), cache.TransitionRequest{
		ID: r.PathValue("id"), Version: positive(in.Version), NotAfter: notAfter,
	}))
}

func (a *API) extend(r *http.Request, in *contract.ExtendRequest) (reply[contract.Reservation], error) {
	notAfter, err := readTime("/not_after", in.NotAfter)
	if err != nil {
		return reply[contract.Reservation]{}, err
	}
	return changed(a.store.Extend(r.Context(), cache.ExtendRequest{
		ID: r.PathValue("id"), TTL: seconds(in.TTLSeconds), Version: positive(in.Version), NotAfter: notAfter,
	}))
}

func (a *API) move(r *http.Request, in *contract.MoveRequest) (reply[contract.Reservation], error) {
	notAfter, err := readTime("/not_after", in.NotAfter)
	if err != nil {
		return reply[contract.Reservation]{}, err
	}
	return changed(a.store.Move(r.Context(), cache.MoveRequest{
		ID: r.PathValue("id"), Operation: in.ID, Version: positive(in.Version), Line: in.Line, To: location.ID(in.To),
		NotAfter: notAfter,
	}))
}

func (a *API) amend(r *http.Request, in *contract.AmendRequest) (reply[contract.Reservation], error) {
	notAfter, err := readTime("/not_after", in.NotAfter)
	if err != nil {
		return reply[contract.Reservation]{}, err
	}
	lines := make([]cache.LineAmendment, len(in.Lines))
	for i, l := range in.Lines {
		if l.Quantity == nil { // the store would remove the line
			return reply[contract.Reservation]{}, invalid(fmt.Sprintf("/lines/%d/quantity", i), "is required; 0 removes the line")
		}
		lines[i] = cache.LineAmendment{
			Line: l.Line, Quantity: int64(*l.Quantity), SKU: location.SKU(l.SKU), Location: location.ID(l.Location), Backorder: l.Backorder,
		}
	}
	return changed(a.store.Amend(r.Context(), cache.AmendRequest{
		ID: r.PathValue("id"), Operation: in.ID, Version: positive(in.Version), Lines: lines, NotAfter: notAfter,
	}))
}

func (a *API) takeBack(r *http.Request, in *contract.ReturnRequest) (reply[contract.Reservation], error) {
	return changed(a.store.Return(r.Context(), cache.ReturnRequest{
		ID: in.ID, Reservation: r.PathValue("id"), Version: positive(in.Version), To: location.ID(in.To),
		Lines: convert(in.Lines, returnLine),
	}))
}

func (a *API) unfulfill(r *http.Request, in *contract.UnfulfillRequest) (reply[contract.Reservation], error) {
	return changed(a.store.Unfulfill(r.Context(), cache.UnfulfillRequest{
		ID: in.ID, Reservation: r.PathValue("id"), Version: positive(in.Version), To: location.ID(in.To),
		Lines: convert(in.Lines, returnLine),
	}))
}

func returnLine(l *contract.ReturnLine) cache.LineQuantity {
	return cache.LineQuantity{Line: l.Line, Quantity: int64(l.Quantity)}
}

// units returns the handler of a release or a fulfill.
func units(
	verb func(context.Context, cache.TransitionRequest) (cache.Result, error),
) func(*http.Request, *contract.UnitsRequest) (reply[contract.Reservation], error) {
	return func(r *http.Request, in *contract.UnitsRequest) (reply[contract.Reservation], error) {
		request := cache.TransitionRequest{ID: r.PathValue("id"), Operation: in.ID, Version: positive(in.Version)}
		if in.Lines != nil {
			if len(in.Lines) == 0 { // the store would take no lines for all lines
				return reply[contract.Reservation]{}, invalid("/lines", "must not be empty; leave it out for all units")
			}
			request.Lines = convert(in.Lines, func(l *contract.LineQuantity) cache.LineQuantity {
				return cache.LineQuantity{Line: l.Line, Quantity: int64(l.Quantity)}
			})
		}
		return changed(verb(r.Context(), request))
	}
}

// changed returns the result of a transition as its reply. The body calls the operation id.
func changed(result cache.Result, err error) (reply[contract.Reservation], error) {
	out := reply[contract.Reservation]{body: reservation(&result.Reservation), replay: result.Replay}
	if result.DurableCall {
		out.body.Durable = &result.Durable
	}
	return out, movedPaths(err, "/operation", "/id")
}
