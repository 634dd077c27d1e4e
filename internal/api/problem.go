package api

import (
	"net/http"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// ProblemType is the media type of every answer that is not a success.
const ProblemType = "application/problem+json"

// problemPage is where the types of problems are explained; a type is this, #, and its code.
const problemPage = "/docs/problems"

// Problem is an RFC 9457 problem. Which of the fields after Code are there depends on Code.
type Problem struct {
	Type   string `json:"type" format:"uri-reference" example:"/docs/problems#insufficient_stock" doc:"Identifies the kind of problem, and explains it when opened."`
	Title  string `json:"title" example:"Insufficient stock" doc:"The kind of problem in a few words; the same for every problem of its type."`
	Status int    `json:"status" minimum:"400" maximum:"599" example:"409" doc:"The HTTP status."`
	Detail string `json:"detail" example:"insufficient stock: line 1: TEE-M: 2 requested, 1 available" doc:"What happened this time, and what to do. For people: it may change."`
	Code   string `json:"code" example:"insufficient_stock" doc:"The kind of problem, for programs."`

	Errors    []Fault    `json:"errors,omitempty" nullable:"false" doc:"malformed and invalid_request: what is wrong, and where."`
	Shortages []Shortage `json:"shortages,omitempty" nullable:"false" doc:"insufficient_stock: every short line."`
	Lines     []string   `json:"lines,omitempty" nullable:"false" example:"[\"1\"]" doc:"unknown_stock: the lines whose SKU has no level at all."`
	Rejected  []Rejected `json:"rejected,omitempty" nullable:"false" doc:"no_location: why each location was left out."`
	State     string     `json:"state,omitempty" enum:"held,confirmed,fulfilled,released,expired" doc:"wrong_state: what the state is now."`
	Version   *int64     `json:"version,omitempty" example:"3" doc:"version_conflict of a reservation: its version now."`
	Campaign  string     `json:"campaign,omitempty" example:"drop-2026-11" doc:"purchase_limit: the limit's id."`
	Limit     *int64     `json:"limit,omitempty" example:"2" doc:"purchase_limit: units that one customer may have."`
	Taken     *int64     `json:"taken,omitempty" example:"1" doc:"purchase_limit: units that this customer has already."`
	Held      *int64     `json:"held,omitempty" example:"3" doc:"in_use: units that are held."`
	Committed *int64     `json:"committed,omitempty" example:"5" doc:"in_use: units that are committed."`
	OnHand    *int64     `json:"on_hand,omitempty" example:"40" doc:"version_conflict of a level: its on hand now."`

	_ struct{} `additionalProperties:"true"`
}

// Fault is one thing wrong with a request.
type Fault struct {
	Path    string `json:"path" example:"/lines/0/quantity" doc:"JSON pointer into the body, or / and the name of a parameter; empty is the whole body."`
	Message string `json:"message" example:"must be 1 to 2147483647"`

	_ struct{} `additionalProperties:"true"`
}

// Shortage is a line that could not be had.
type Shortage struct {
	Line      string `json:"line,omitempty" example:"1" doc:"The line; absent where a stock change was refused."`
	SKU       string `json:"sku" example:"TEE-M"`
	Requested int64  `json:"requested" example:"2" doc:"Units asked for."`
	Available int64  `json:"available" example:"1" doc:"The most that this line could have had, in units."`

	_ struct{} `additionalProperties:"true"`
}

// Rejected is a location left out for a line.
type Rejected struct {
	Line     string `json:"line" example:"1"`
	Location string `json:"location" example:"lyon"`
	Reason   string `json:"reason" enum:"not_in_channel,disabled,zone,not_pickup,no_level,not_pin,unknown_location"`

	_ struct{} `additionalProperties:"true"`
}

func (p *Problem) write(w http.ResponseWriter) {
	w.Header()["Content-Type"] = problemTypeHeader
	writeJSON(w, p.Status, p)
}

func faults(in []cache.Fault) []Fault {
	out := make([]Fault, len(in))
	for i, f := range in {
		out[i] = Fault{Path: f.Path, Message: f.Message}
	}
	return out
}

func shortages(in []cache.Shortage) []Shortage {
	out := make([]Shortage, len(in))
	for i, s := range in {
		out[i] = Shortage{Line: s.Line, SKU: string(s.SKU), Requested: s.Requested, Available: s.Available}
	}
	return out
}

func rejected(in []location.Rejected) []Rejected {
	out := make([]Rejected, len(in))
	for i, r := range in {
		out[i] = Rejected{Line: r.Line, Location: string(r.Location), Reason: string(r.Reason)}
	}
	return out
}
