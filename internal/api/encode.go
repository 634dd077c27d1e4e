package api

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Header values that never change, so that setting them allocates nothing.
var (
	jsonTypeHeader    = []string{"application/json"}
	problemTypeHeader = []string{ProblemType}
	replayHeader      = []string{"true"}
	noStoreHeader     = []string{"no-store"}
)

// lenient writes what is stored even where it is not UTF-8: an answer is not the place to find that
// out.
var lenient = jsontext.AllowInvalidUTF8(true)

// writeJSON answers body with status. The Content-Type must be set before.
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
	_, _ = w.Write(buffer.Bytes()) // the caller is gone: nobody is left to tell
}

// timeLayout is RFC 3339 with milliseconds, which is how exact a deadline is.
const timeLayout = "2006-01-02T15:04:05.000Z07:00"

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeLayout)
}
