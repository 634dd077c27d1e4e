package client

import (
	"fmt"
	"net/http"
	"strings"
)

// Problem is a refusal or failure that the server answered.
type Problem struct {
	Status    int        `json:"status"`
	Code      string     `json:"code"`
	Title     string     `json:"title"`
	Detail    string     `json:"detail"`
	Errors    []Fault    `json:"errors,omitempty"`
	Shortages []Shortage `json:"shortages,omitempty"`
}

// Fault is one thing wrong with a request.
type Fault struct {
	Path    string `json:"path"` // JSON pointer into the body, or the name of a parameter
	Message string `json:"message"`
}

// Shortage is units that could not be had.
type Shortage struct {
	Line      string `json:"line,omitempty"` // "" for a stock change
	SKU       string `json:"sku"`
	Requested int64  `json:"requested"`
	Available int64  `json:"available"`
}

// Error is the code and what happened; each fault and each shortage on a line of its own.
func (p *Problem) Error() string {
	var text strings.Builder
	text.WriteString(p.Code)
	switch {
	case len(p.Errors) > 0 || len(p.Shortages) > 0: // detail repeats them in one long line
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

// Refused reports whether the server understood the call and said no, as against a call that could
// not be served.
func (p *Problem) Refused() bool {
	return p.Status >= 400 && p.Status < http.StatusInternalServerError
}

// UnexpectedError is an answer that a Holdfast server does not give.
type UnexpectedError struct {
	URL       string
	Status    int
	MediaType string // of the answer
}

func (e *UnexpectedError) Error() string {
	kind := e.MediaType
	if kind == "" {
		kind = "no content type"
	}
	return fmt.Sprintf("%s answered %d with %s: is this a Holdfast server?", e.URL, e.Status, kind)
}
