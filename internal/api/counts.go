package api

import (
	"net/http"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// CountsRequest is the body of many counts at once.
type CountsRequest struct {
	ID     string  `json:"id" minLength:"1" maxLength:"128" example:"count-2026-11-20" doc:"The operation's id and idempotency key; another name space than reservation ids."`
	AsOf   *string `json:"as_of,omitempty" format:"date-time" example:"2026-11-20T06:00:00Z" doc:"When all of it was counted; what came and left since is added. Left out: now."`
	Reason string  `json:"reason,omitempty" maxLength:"512" example:"yearly count" doc:"Kept with the event."`
	Actor  string  `json:"actor,omitempty" maxLength:"512" example:"anna" doc:"Who did it."`
	Counts []Count `json:"counts" minItems:"1" maxItems:"1000" nullable:"false"`
}

// Count is one level of a CountsRequest. on_hand or a policy field is required.
type Count struct {
	SKU            string `json:"sku" minLength:"1" maxLength:"128" example:"TEE-M"`
	Location       string `json:"location" minLength:"1" maxLength:"128" example:"berlin"`
	OnHand         *Whole `json:"on_hand,omitempty" minimum:"0" maximum:"2147483647" example:"40" doc:"The units that are there now."`
	IfOnHand       *Whole `json:"if_on_hand,omitempty" minimum:"0" maximum:"2147483647" example:"38" doc:"Refuse everything with version_conflict unless on hand is this now."`
	SafetyStock    *Whole `json:"safety_stock,omitempty" minimum:"0" maximum:"2147483647" example:"2" doc:"Units kept back from sale."`
	BackorderLimit *Whole `json:"backorder_limit,omitempty" minimum:"0" maximum:"2147483647" example:"0" doc:"Units that may be sold beyond what is there."`
}

// CountsAnswer is what many counts at once left behind.
type CountsAnswer struct {
	ID        string         `json:"id" example:"count-2026-11-20"`
	Levels    []CountedLevel `json:"levels" nullable:"false" doc:"The levels as they are now, in the order of counts."`
	AppliedAt string         `json:"applied_at" format:"date-time" example:"2026-11-20T18:00:00.000Z" doc:"When the counts were applied; in a replay, when they first were."`
	Durable   bool           `json:"durable" doc:"The ledger has it. false only where there is no ledger."`

	_ struct{} `additionalProperties:"true"`
}

// CountedLevel is a level as a count left it.
type CountedLevel struct {
	Level
	Shortfall *int64             `json:"shortfall,omitempty" minimum:"1" example:"2" doc:"Units that are committed and neither on hand nor allowed by backorder_limit. Absent where there are none."`
	Short     []ShortReservation `json:"short_reservations,omitempty" doc:"The newest confirmed reservations that no longer fit, as many as add up to shortfall, at most 20."`

	_ struct{} `additionalProperties:"true"`
}

func (a *API) registerCounts() {
	register(a, operation{
		id: "count", method: http.MethodPost, path: "/v1/stock/counts", tag: tagStock,
		summary:     "Count many levels at once",
		description: "All in one atomic step, or none. " + asOfText,
		answers:     map[int]string{http.StatusOK: "The levels as they are now."},
		problems:    []*kind{invalidRequest, idConflict, versionConflict, insufficientStock, rebuilding, notDurableYet},
	}, a.count)
}

func (a *API) count(r *http.Request, in *CountsRequest) (reply[CountsAnswer], error) {
	asOf, err := readAsOf(in.AsOf)
	if err != nil {
		return reply[CountsAnswer]{}, err
	}
	result, err := a.store.Adjust(r.Context(), cache.AdjustRequest{
		ID: in.ID, AsOf: asOf, Reason: in.Reason, Actor: in.Actor, Changes: in.changes(),
	})
	if err != nil {
		return reply[CountsAnswer]{}, movedPaths(err, "/changes", "/counts")
	}
	out := CountsAnswer{
		ID: in.ID, Levels: make([]CountedLevel, len(result.Levels)),
		AppliedAt: formatTime(result.At), Durable: result.Durable,
	}
	for i := range result.Levels {
		changed := &result.Levels[i]
		out.Levels[i] = CountedLevel{Level: level(&changed.Level), Shortfall: shortfall(&changed.Level), Short: shortReservations(changed.Short)}
	}
	return reply[CountsAnswer]{body: out, replay: result.Replay}, nil
}

func (in *CountsRequest) changes() []cache.Change {
	out := make([]cache.Change, len(in.Counts))
	for i := range in.Counts {
		c := &in.Counts[i]
		out[i] = cache.Change{
			SKU:            location.SKU(c.SKU),
			Location:       location.ID(c.Location),
			OnHand:         c.OnHand.units(),
			IfOnHand:       c.IfOnHand.units(),
			SafetyStock:    c.SafetyStock.units(),
			BackorderLimit: c.BackorderLimit.units(),
		}
	}
	return out
}
