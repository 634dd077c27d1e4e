package api

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holdfast/holdfast/internal/keys"
)

// operation declares one call of the API: its route and its entry in the OpenAPI document.
type operation struct {
	id          string // operationId, unique
	method      string
	path        string
	tag         string
	role        keys.Role // that a key needs; "": no key is enough
	summary     string
	description string
	query       []*huma.Param  // parameters of the query and header; those of the path are found in it
	example     string         // a body that works, in JSON
	answers     map[int]string // statuses of success, and when each is answered
	problems    []*kind        // besides those that every operation has
	missing     string         // the detail of a 404
	yaml        bool           // bodies may be YAML as well
}

// nothing stands for the body that an operation does not have.
type nothing struct{}

// register serves op by call and describes it. The body is decoded strictly into In; Out is encoded
// as the answer. If call returns an error, its reply is ignored.
func register[In, Out any](a *API, op operation, call func(*http.Request, *In) (reply[Out], error)) {
	op.example = examples[op.id]
	describe[In, Out](a.document, op)
	_, bodyless := any((*In)(nil)).(*nothing)
	ofReservation := strings.HasPrefix(op.path, reservationPath)
	a.handle(op.method, op.path, op.role, func(w http.ResponseWriter, r *http.Request) {
		caller := callerOf(r.Context())
		if err := a.begin(caller); err != nil {
			a.refuse(w, r, err, "")
			return
		}
		defer a.end(caller)

		in := new(In)
		if !bodyless {
			if err := cmp.Or(decodeBody(w, r, in), takeKey(r, in)); err != nil {
				a.refuse(w, r, err, "")
				return
			}
		}
		if err := checkQuery(r.URL.RawQuery, op.query); err != nil {
			a.refuse(w, r, err, "")
			return
		}
		if ofReservation {
			if err := a.checkReservation(r, caller); err != nil {
				a.refuse(w, r, err, op.missing)
				return
			}
		}
		out, err := call(r, in)
		if err != nil {
			a.refuse(w, r, err, op.missing)
			return
		}
		out.write(w)
	})
}
