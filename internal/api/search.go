package api

import (
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// ReservationPage is one page of reservations.
type ReservationPage struct {
	Reservations []Reservation `json:"reservations" nullable:"false" doc:"The newest first."`
	NextCursor   string        `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one."`

	_ struct{} `additionalProperties:"true"`
}

func (a *API) registerSearch() {
	register(a, operation{
		id: "reservations", method: http.MethodGet, path: "/v1/reservations", tag: tagReservations,
		summary: "Search reservations, by page",
		description: "Read from the ledger, which follows a moment behind. Conditions on line, sku and location " +
			"must hold for one line.",
		query:    searchParams(),
		answers:  map[int]string{http.StatusOK: "One page."},
		problems: []*kind{malformed, invalidRequest, notDurableYet},
	}, a.search)
}

func searchParams() []*huma.Param {
	text := &huma.Schema{Type: huma.TypeString}
	params := []*huma.Param{{Name: "state", In: "query", Description: "Only in this state; an overdue hold is expired.",
		Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"held", "confirmed", "fulfilled", "released", "expired"}}}}
	for _, p := range [][2]string{
		{"order", "Only of this order."}, {"customer", "Only of this customer."},
		{"line", "Only those with a line of this id."}, {"sku", "Only those with a line of this SKU."},
		{"location", "Only those with a line that this location serves."},
	} {
		params = append(params, &huma.Param{Name: p[0], In: "query", Description: p[1], Schema: text})
	}
	return append(params, pageParams("Reservations in the page.", cache.ReservationPageMax, cache.ReservationPageDefault)...)
}

// pageParams are the parameters of every listing.
func pageParams(about string, limitMax, limitDefault int) []*huma.Param {
	least, most := 1.0, float64(limitMax)
	return []*huma.Param{
		{Name: "limit", In: "query", Description: about, Schema: &huma.Schema{
			Type: huma.TypeInteger, Minimum: &least, Maximum: &most, Default: limitDefault,
		}},
		{Name: "cursor", In: "query", Description: "next_cursor of the page before.", Schema: &huma.Schema{Type: huma.TypeString}},
	}
}

func (a *API) search(r *http.Request, _ *nothing) (reply[ReservationPage], error) {
	var f cache.ReservationFilter
	err := readQuery(r.URL.RawQuery, &f.Limit, map[string]func(string){
		"state":    func(v string) { f.State = cache.State(v) },
		"order":    func(v string) { f.Order = v },
		"customer": func(v string) { f.Customer = v },
		"line":     func(v string) { f.Line = v },
		"sku":      func(v string) { f.SKU = location.SKU(v) },
		"location": func(v string) { f.Location = location.ID(v) },
		"cursor":   func(v string) { f.Cursor = v },
	})
	if err != nil {
		return reply[ReservationPage]{}, err
	}
	page, err := a.store.Search(r.Context(), f)
	if err != nil {
		return reply[ReservationPage]{}, err
	}
	out := ReservationPage{Reservations: make([]Reservation, len(page.Reservations)), NextCursor: page.Next}
	for i := range page.Reservations {
		out.Reservations[i] = reservation(&page.Reservations[i])
	}
	return reply[ReservationPage]{body: out}, nil
}

// readQuery reads a query strictly: a parameter with a typing error would list everything.
func readQuery(rawQuery string, limit *int, set map[string]func(string)) error {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return &malformedError{reason: "the query is not percent-encoded as it should be"}
	}
	for name, values := range query {
		if len(values) > 1 {
			return malformedAt("/"+name, "appears twice")
		}
		if name == "limit" && limit != nil {
			if *limit, err = pageLimit(values[0]); err != nil {
				return err
			}
			continue
		}
		take, known := set[name]
		if !known {
			return malformedAt("/"+name, "unknown parameter")
		}
		take(values[0])
	}
	return nil
}
