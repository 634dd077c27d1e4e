package api

import (
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holdfast/holdfast/internal/contract"
)

// queryParam describes a parameter of the query that is any text.
func queryParam(name, description string) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: description, Schema: &huma.Schema{Type: huma.TypeString}}
}

// pageParams describes the parameters of every listing.
func pageParams(what string, limitMax, limitDefault int) []*huma.Param {
	least, most := 1.0, float64(limitMax)
	return []*huma.Param{
		{Name: "limit", In: "query", Description: "The most " + what + " on the page.", Schema: &huma.Schema{
			Type: huma.TypeInteger, Minimum: &least, Maximum: &most, Default: limitDefault,
		}},
		queryParam("cursor", "The next_cursor of the previous page. Leave it out for the first page."),
	}
}

// checkQuery refuses a query with a parameter that params does not name, or with one sent twice: a
// misspelled filter would list everything. It also refuses text for a number. Without params it accepts
// any query.
func checkQuery(rawQuery string, params []*huma.Param) error {
	if params == nil {
		return nil
	}
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return &malformedError{reason: "the query is not valid percent-encoding"}
	}
	for _, p := range params {
		if p.In != "query" {
			continue
		}
		if len(query[p.Name]) > 1 {
			return malformedAt("/"+p.Name, "appears twice")
		}
		if text := query.Get(p.Name); text != "" && p.Schema.Type == huma.TypeInteger {
			if _, err := contract.ParseWhole(text); err != nil {
				return malformedAt("/"+p.Name, err.Error())
			}
		}
		delete(query, p.Name)
	}
	for name := range query {
		return malformedAt("/"+name, "unknown parameter")
	}
	return nil
}

// pageLimit returns the parameter limit by the rule of positive, or 0 if it is not sent.
func pageLimit(query url.Values) int {
	limit, err := contract.ParseWhole(query.Get("limit")) // checkQuery refuses other text
	if err != nil {
		return 0
	}
	return int(positive(&limit))
}
