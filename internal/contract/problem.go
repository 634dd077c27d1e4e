package contract

import (
	"fmt"
	"net/http"
	"strings"
)

// Problem is an RFC 9457 problem: a refusal or a failure. Code decides which of the fields after it
// are set.
type Problem struct {
	Type   string `json:"type" format:"uri-reference" example:"/docs/problems#insufficient_stock" doc:"The kind of problem, as a link to its explanation."`
	Title  string `json:"title" example:"Insufficient stock" doc:"The kind of problem in a few words. It is the same for every problem of its type."`
	Status int    `json:"status" minimum:"400" maximum:"599" example:"409" doc:"The HTTP status."`
	Detail string `json:"detail" example:"insufficient stock: line 1: TEE-M: 2 requested, 1 available" doc:"What happened this time and what to do, for people. The wording may change."`
	Code   string `json:"code" example:"insufficient_stock" doc:"The kind of problem, for programs."`

	Errors    []Fault     `json:"errors,omitempty" nullable:"false" doc:"malformed and invalid_request: every fault of the request and its path."`
	Shortages []Shortage  `json:"shortages,omitempty" nullable:"false" doc:"insufficient_stock: every line that is short."`
	Lines     []string    `json:"lines,omitempty" nullable:"false" example:"[\"1\"]" doc:"unknown_stock: the lines whose SKU has no level at any location."`
	Rejected  []Rejected  `json:"rejected,omitempty" nullable:"false" doc:"no_location: why each location can't serve the line."`
	Role      string      `json:"role,omitempty" enum:"read,sell,ship,stock,operate" doc:"unauthenticated and forbidden: the role that the call needs."`
	State     string      `json:"state,omitempty" enum:"held,confirmed,fulfilled,released,expired" doc:"wrong_state: the current state."`
	Version   *int64      `json:"version,omitempty" example:"3" doc:"version_conflict of a reservation: its current version."`
	Campaign  string      `json:"campaign,omitempty" example:"drop-2026-11" doc:"not_on_sale, purchase_limit and campaign_sold_out: the id of the campaign."`
	StartsAt  Time        `json:"starts_at,omitzero" format:"date-time" example:"2026-11-27T10:00:00.000Z" doc:"not_on_sale: the moment from which on the campaign sells."`
	EndsAt    Time        `json:"ends_at,omitzero" format:"date-time" example:"2026-11-27T12:00:00.000Z" doc:"not_on_sale: the moment from which on the campaign no longer sells."`
	Limit     *int64      `json:"limit,omitempty" example:"2" doc:"purchase_limit: units that one customer may have. campaign_sold_out: units that all customers may have."`
	Taken     *int64      `json:"taken,omitempty" example:"1" doc:"purchase_limit: units that this customer already has. campaign_sold_out: units that all customers have."`
	Identity  string      `json:"identity,omitempty" example:"c-9" doc:"purchase_limit: the customer, or the identity, that would exceed it."`
	Fulfilled []Fulfilled `json:"fulfilled,omitempty" nullable:"false" doc:"already_fulfilled: every line that would have fewer units than have left."`
	Held      *int64      `json:"held,omitempty" example:"3" doc:"in_use: units that are held."`
	Committed *int64      `json:"committed,omitempty" example:"5" doc:"in_use: units that are committed."`
	OnHand    *int64      `json:"on_hand,omitempty" example:"40" doc:"version_conflict of a level, for if_on_hand: its current on hand."`
	SKU       string      `json:"sku,omitempty" example:"TEE-M" doc:"version_conflict of a level: its SKU."`
	Location  string      `json:"location,omitempty" example:"berlin" doc:"version_conflict of a level: its location."`
}

// Fault is one thing wrong with a request.
type Fault struct {
	Path    string `json:"path" example:"/lines/0/quantity" doc:"A JSON pointer into the body, or / and the name of a parameter. Empty for the whole body."`
	Message string `json:"message" example:"must be 1 to 2147483647"`
}

// Shortage is a line, or a stock change, that needs more units than are available.
type Shortage struct {
	Line      string `json:"line,omitempty" example:"1" doc:"The line id. Absent if a stock change was refused."`
	SKU       string `json:"sku" example:"TEE-M"`
	Requested int64  `json:"requested" example:"2" doc:"Units requested."`
	Available int64  `json:"available" example:"1" doc:"The most units that this line could have had."`
}

// Fulfilled is a line that would have fewer units than have left.
type Fulfilled struct {
	Line      string `json:"line" example:"1"`
	Requested int64  `json:"requested" example:"1" doc:"Units requested."`
	Fulfilled int64  `json:"fulfilled" example:"2" doc:"Units that have left."`
}

// Rejected is a location that can't serve a line, and why.
type Rejected struct {
	Line     string `json:"line" example:"1"`
	Location string `json:"location" example:"lyon"`
	Reason   string `json:"reason" enum:"not_in_channel,disabled,zone,not_pickup,no_level,not_pin,unknown_location"`
}

// Error returns the code and the detail. Faults and shortages replace the detail, one per line.
func (p *Problem) Error() string {
	var text strings.Builder
	text.WriteString(p.Code)
	switch {
	case len(p.Errors) > 0 || len(p.Shortages) > 0: // the detail has them in one long line
		text.WriteString(": " + p.Title)
	case p.Detail != "":
		text.WriteString(": " + p.Detail)
	}
	for _, f := range p.Errors {
		text.WriteString("\n  " + strings.TrimPrefix(f.Path+": ", ": ") + f.Message)
	}
	for _, s := range p.Shortages {
		text.WriteString("\n  ")
		if s.Line != "" {
			text.WriteString("line " + s.Line + ": ")
		}
		fmt.Fprintf(&text, "%s: %d requested, %d available", s.SKU, s.Requested, s.Available)
	}
	return text.String()
}

// Refused reports whether the server understood the call and refused it. It is false if the server
// failed to serve the call.
func (p *Problem) Refused() bool {
	return p.Status >= 400 && p.Status < http.StatusInternalServerError
}
