package api

import (
	"net/http"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// TransferRequest is the body of a transfer.
type TransferRequest struct {
	ID       string `json:"id" minLength:"1" maxLength:"128" example:"van-7" doc:"The operation's id and idempotency key; another name space than reservation ids."`
	SKU      string `json:"sku" minLength:"1" maxLength:"128" example:"TEE-M"`
	From     string `json:"from" minLength:"1" maxLength:"128" example:"berlin" doc:"The location that gives them; the SKU must have a level there."`
	To       string `json:"to" minLength:"1" maxLength:"128" example:"lyon" doc:"The location that gets them; a level is made where there is none."`
	Quantity Whole  `json:"quantity" minimum:"1" maximum:"2147483647" example:"6" doc:"Units; no more than are on hand and available at from."`
	Reason   string `json:"reason,omitempty" maxLength:"512" example:"closer to the customers" doc:"Kept with the event."`
	Actor    string `json:"actor,omitempty" maxLength:"512" example:"anna" doc:"Who did it."`
}

// TransferAnswer is what a transfer left behind.
type TransferAnswer struct {
	ID        string  `json:"id" example:"van-7"`
	Levels    []Level `json:"levels" nullable:"false" minItems:"2" maxItems:"2" doc:"The two levels as they are now: from, to."`
	AppliedAt string  `json:"applied_at" format:"date-time" example:"2026-11-20T18:00:00.000Z" doc:"When the units were moved; in a replay, when they first were."`
	Durable   bool    `json:"durable" doc:"The ledger has it. false only where there is no ledger."`

	_ struct{} `additionalProperties:"true"`
}

func (a *API) registerTransfer() {
	register(a, operation{
		id: "transfer", method: http.MethodPost, path: "/v1/stock/transfers", tag: tagStock,
		summary:     "Move units from one location to another",
		description: "In one atomic step. What is held, committed or kept as safety stock stays where it is.",
		answers:     map[int]string{http.StatusOK: "The two levels as they are now."},
		problems:    []*kind{invalidRequest, notFound, idConflict, insufficientStock, rebuilding, notDurableYet},
		missing:     levelMissing,
	}, a.transfer)
}

func (a *API) transfer(r *http.Request, in *TransferRequest) (reply[TransferAnswer], error) {
	result, err := a.store.Transfer(r.Context(), cache.TransferRequest{
		ID: in.ID, SKU: location.SKU(in.SKU), From: location.ID(in.From), To: location.ID(in.To),
		Quantity: int64(in.Quantity), Reason: in.Reason, Actor: in.Actor,
	})
	if err != nil {
		return reply[TransferAnswer]{}, err
	}
	return reply[TransferAnswer]{replay: result.Replay, body: TransferAnswer{
		ID: in.ID, Levels: []Level{level(&result.From.Level), level(&result.To.Level)},
		AppliedAt: formatTime(result.At), Durable: result.Durable,
	}}, nil
}
