package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// operation declares one call of the API: its route and its entry in the OpenAPI document.
type operation struct {
	id          string // operationId, unique
	method      string
	path        string
	tag         string
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
	a.mux.HandleFunc(op.method+" "+op.path, func(w http.ResponseWriter, r *http.Request) {
		if a.serving.Add(1) > int64(a.options.ConcurrentMax) {
			a.serving.Add(-1)
			a.refuse(w, r, errBusy, "")
			return
		}
		defer a.serving.Add(-1)

		in := new(In)
		if !bodyless {
			if err := decodeBody(w, r, in); err != nil {
				a.refuse(w, r, err, "")
				return
			}
		}
		if err := checkQuery(r.URL.RawQuery, op.query); err != nil {
			a.refuse(w, r, err, "")
			return
		}
		out, err := call(r, in)
		if err != nil {
			a.refuse(w, r, err, op.missing)
			return
		}
		out.write(w)
	})
}
