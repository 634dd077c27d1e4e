package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// operation declares one call of the API: its route, and what the OpenAPI document says of it.
type operation struct {
	id          string // operationId, unique
	method      string
	path        string
	tag         string
	summary     string
	description string
	query       []*huma.Param  // query parameters; those of the path are found in it
	answers     map[int]string // statuses of success, and when
	problems    []*kind        // beside those that every operation has
	missing     string         // the detail of a 404
	yaml        bool           // bodies may be YAML as well
}

// nothing stands for a body that an operation doesn't have.
type nothing struct{}

// reply is a success.
type reply[Out any] struct {
	body     Out
	status   int    // default 200
	replay   bool   // answered before: says so in a header
	location string // of what was made; optional
	etag     string // version of the answer; optional
	text     []byte // the answer as YAML, instead of body; nil is JSON
}

// register serves op by call and describes it, both from In and Out. In is what the body is decoded
// into, strictly; Out is encoded as the answer.
func register[In, Out any](a *API, op operation, call func(*http.Request, *In) (reply[Out], error)) {
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
		out, err := call(r, in)
		if err != nil {
			a.refuse(w, r, err, op.missing)
			return
		}
		out.write(w)
	})
}

func (out *reply[Out]) write(w http.ResponseWriter) {
	header := w.Header()
	if out.status == http.StatusNoContent {
		w.WriteHeader(out.status)
		return
	}
	header["Content-Type"] = jsonTypeHeader
	if out.replay {
		header["Idempotent-Replay"] = replayHeader
	}
	if out.location != "" {
		header["Location"] = []string{out.location}
	}
	if out.etag != "" {
		header["Etag"] = []string{out.etag}
	}
	if out.text != nil {
		header["Content-Type"] = []string{yamlType}
		_, _ = w.Write(out.text) // the caller is gone: nobody is left to tell
		return
	}
	if out.status == 0 {
		out.status = http.StatusOK
	}
	writeJSON(w, out.status, &out.body)
}
