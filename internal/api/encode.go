package api

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/holdfast/holdfast/internal/contract"
)

// Header values that never change, so that setting them allocates nothing.
var (
	jsonTypeHeader    = []string{"application/json"}
	problemTypeHeader = []string{contract.ProblemType}
	replayHeader      = []string{"true"}
	noStoreHeader     = []string{"no-store"}
)

// lenient writes stored text even if it is not UTF-8: a read must not fail because of it.
var lenient = jsontext.AllowInvalidUTF8(true)

// reply is a success.
type reply[Out any] struct {
	body     Out
	status   int    // default 200
	replay   bool   // the request was answered before; a header says so
	location string // path of the new resource; optional
	etag     string // version of the answer; optional
	text     []byte // the answer as YAML instead of body; nil for JSON
}

func (out *reply[Out]) write(w http.ResponseWriter) {
	header := w.Header()
	if out.status == http.StatusNoContent {
		w.WriteHeader(out.status)
		return
	}
	header["Content-Type"] = jsonTypeHeader
	if out.replay {
		header[contract.ReplayHeader] = replayHeader
	}
	if out.location != "" {
		header["Location"] = []string{out.location}
	}
	if out.etag != "" {
		header["Etag"] = []string{out.etag}
	}
	if out.text != nil {
		header["Content-Type"] = []string{yamlType}
		_, _ = w.Write(out.text) // an error means that the caller is gone
		return
	}
	if out.status == 0 {
		out.status = http.StatusOK
	}
	writeJSON(w, out.status, &out.body)
}

func writeProblem(w http.ResponseWriter, p *contract.Problem) {
	w.Header()["Content-Type"] = problemTypeHeader
	writeJSON(w, p.Status, p)
}

// writeJSON answers body with status. The caller sets Content-Type first.
func writeJSON(w http.ResponseWriter, status int, body any) {
	buffer := buffers.Get().(*bytes.Buffer)
	defer returnBuffer(buffer)
	if err := json.MarshalWrite(buffer, body, lenient); err != nil {
		panic(err) // our own types always encode
	}
	buffer.WriteByte('\n')
	header := w.Header()
	header["Content-Length"] = []string{strconv.Itoa(buffer.Len())}
	header["Cache-Control"] = noStoreHeader
	w.WriteHeader(status)
	_, _ = w.Write(buffer.Bytes()) // an error means that the caller is gone
}
