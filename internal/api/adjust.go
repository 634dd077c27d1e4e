package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// PutLevelRequest is the body of a count or a change of policy. on_hand or a policy field is
// required; fields left out stay as they are, on a new level they are 0.
type PutLevelRequest struct {
	ID             string  `json:"id" minLength:"1" maxLength:"128" example:"count-2026-11-20-berlin" doc:"The operation's id and idempotency key; another name space than reservation ids."`
	OnHand         *Whole  `json:"on_hand,omitempty" minimum:"0" maximum:"2147483647" example:"40" doc:"A count: the units that are there now."`
	IfOnHand       *Whole  `json:"if_on_hand,omitempty" minimum:"0" maximum:"2147483647" example:"38" doc:"Refuse with version_conflict unless on hand is this now."`
	AsOf           *string `json:"as_of,omitempty" format:"date-time" example:"2026-11-20T06:00:00Z" doc:"When on_hand was counted; what came and left since is added to it. Left out: now."`
	SafetyStock    *Whole  `json:"safety_stock,omitempty" minimum:"0" maximum:"2147483647" example:"2" doc:"Units kept back from sale."`
	BackorderLimit *Whole  `json:"backorder_limit,omitempty" minimum:"0" maximum:"2147483647" example:"0" doc:"Units that may be sold beyond what is there."`
	Reason         string  `json:"reason,omitempty" maxLength:"512" example:"yearly count" doc:"Kept with the event."`
	Actor          string  `json:"actor,omitempty" maxLength:"512" example:"anna" doc:"Who did it."`
}

// AdjustmentRequest is the body of an adjustment.
type AdjustmentRequest struct {
	ID       string `json:"id" minLength:"1" maxLength:"128" example:"delivery-881" doc:"The operation's id and idempotency key; another name space than reservation ids."`
	SKU      string `json:"sku" minLength:"1" maxLength:"128" example:"TEE-M"`
	Location string `json:"location" minLength:"1" maxLength:"128" example:"berlin"`
	Delta    Whole  `json:"delta" minimum:"-2147483647" maximum:"2147483647" example:"12" doc:"Units that on hand changes by; not 0. It may take available below zero, on hand never."`
	Reason   string `json:"reason,omitempty" maxLength:"512" example:"delivery" doc:"Kept with the event."`
	Actor    string `json:"actor,omitempty" maxLength:"512" example:"anna" doc:"Who did it."`
}

// ChangedLevel is a level as a stock change left it.
type ChangedLevel struct {
	Level
	Durable   bool               `json:"durable" doc:"The ledger has it. false only where there is no ledger."`
	Shortfall *int64             `json:"shortfall,omitempty" minimum:"1" example:"2" doc:"Units that are committed and neither on hand nor allowed by backorder_limit: not all of these reservations can be fulfilled from here. Absent where there are none."`
	Short     []ShortReservation `json:"short_reservations,omitempty" doc:"The newest confirmed reservations that no longer fit, as many as add up to shortfall, at most 20: search for confirmed ones of this SKU and location where they are less. Absent where there is no shortfall, or the ledger did not say in time."`

	_ struct{} `additionalProperties:"true"`
}

// ShortReservation is a confirmed reservation for which a level has too few units.
type ShortReservation struct {
	ID       string `json:"id" example:"ord-1001"`
	Order    string `json:"order,omitempty" example:"5512"`
	Customer string `json:"customer,omitempty" example:"c-9"`
	Quantity int64  `json:"quantity" minimum:"1" example:"2" doc:"Units of it that are committed at this level."`

	_ struct{} `additionalProperties:"true"`
}

func shortReservations(list []cache.ShortReservation) []ShortReservation {
	out := make([]ShortReservation, len(list))
	for i, s := range list {
		out[i] = ShortReservation{ID: s.ID, Order: s.Order, Customer: s.Customer, Quantity: s.Quantity}
	}
	return out
}

func (a *API) registerAdjust() {
	change := operation{
		tag: tagStock,
		answers: map[int]string{
			http.StatusCreated: "The level as it is now; this call made it.",
			http.StatusOK:      "The level as it is now.",
		},
	}
	common := []*kind{invalidRequest, idConflict, insufficientStock, rebuilding, notDurableYet}

	put := change
	put.id, put.method, put.path = "put-level", http.MethodPut, "/v1/stock/{sku}/{location}"
	put.summary = "Count a level, or change its policy"
	put.description = "Sets on hand (a count) and what of the policy is sent, in one atomic step. " + asOfText
	put.problems = append([]*kind{versionConflict}, common...)
	register(a, put, a.putLevel)

	adjust := change
	adjust.id, adjust.method, adjust.path = "adjust", http.MethodPost, "/v1/stock/adjustments"
	adjust.summary = "Change on hand by a signed number of units"
	adjust.description = "A positive delta makes a level that does not exist yet; " +
		"a negative one is 404 there."
	adjust.problems = append([]*kind{notFound}, common...)
	adjust.missing = levelMissing
	register(a, adjust, a.adjust)

	a.registerCounts()
}

const asOfText = "With `as_of`, what was fulfilled, returned, transferred or adjusted after that time is taken into account: " +
	"10 counted, and 2 fulfilled since, are 8. Counts after that time are not, for they say what there was and not what came or left."

const levelMissing = "no such level: units can't be taken from where there are none"

func (a *API) putLevel(r *http.Request, in *PutLevelRequest) (reply[ChangedLevel], error) {
	asOf, err := readAsOf(in.AsOf)
	if err != nil {
		return reply[ChangedLevel]{}, err
	}
	request := cache.AdjustRequest{ID: in.ID, AsOf: asOf, Reason: in.Reason, Actor: in.Actor}
	request.Changes = []cache.Change{{
		SKU:            location.SKU(r.PathValue("sku")),
		Location:       location.ID(r.PathValue("location")),
		OnHand:         in.OnHand.units(),
		IfOnHand:       in.IfOnHand.units(),
		SafetyStock:    in.SafetyStock.units(),
		BackorderLimit: in.BackorderLimit.units(),
	}}
	return a.changeLevel(r, request)
}

// readAsOf reads the time of a count; zero where none was sent.
func readAsOf(text *string) (time.Time, error) {
	if text == nil {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, *text)
	if err != nil || at.Unix() < 0 {
		return time.Time{}, &cache.InvalidError{Faults: []cache.Fault{
			{Path: "/as_of", Message: "must be a time such as 2026-11-20T06:00:00Z"},
		}}
	}
	return at.UTC(), nil
}

func (a *API) adjust(r *http.Request, in *AdjustmentRequest) (reply[ChangedLevel], error) {
	request := cache.AdjustRequest{ID: in.ID, Reason: in.Reason, Actor: in.Actor}
	request.Changes = []cache.Change{{
		SKU: location.SKU(in.SKU), Location: location.ID(in.Location), Delta: in.Delta.units(),
	}}
	return a.changeLevel(r, request)
}

// changeLevel applies an operation of one change.
func (a *API) changeLevel(r *http.Request, request cache.AdjustRequest) (reply[ChangedLevel], error) {
	result, err := a.store.Adjust(r.Context(), request)
	if err != nil {
		return reply[ChangedLevel]{}, movedPaths(err, "/changes/0", "")
	}
	if len(result.Levels) != 1 {
		return reply[ChangedLevel]{}, errAnswer
	}
	changed := &result.Levels[0]
	out := reply[ChangedLevel]{
		body: ChangedLevel{
			Level: level(&changed.Level), Durable: result.Durable, Shortfall: shortfall(&changed.Level), Short: shortReservations(changed.Short),
		},
		replay: result.Replay,
	}
	if changed.Created {
		out.status = http.StatusCreated
	}
	return out, nil
}

// shortfall is what is missing of what is committed; nil where nothing is.
func shortfall(l *cache.Level) *int64 {
	if units := l.Shortfall(); units > 0 {
		return &units
	}
	return nil
}

var errAnswer = errors.New("the store answered another number of levels than were changed")

// movedPaths turns the store's paths of faults, which know a list of changes, into those of the
// body as the caller sent it.
func movedPaths(err error, from, to string) error {
	var invalid *cache.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	moved := make([]cache.Fault, len(invalid.Faults))
	for i, f := range invalid.Faults {
		if rest, found := strings.CutPrefix(f.Path, from); found && (rest == "" || rest[0] == '/') {
			f.Path = to + rest
		}
		moved[i] = f
	}
	return &cache.InvalidError{Faults: moved}
}
