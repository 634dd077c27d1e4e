package contract

import (
	stdjson "encoding/json"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// The server and the client use different JSON packages. Both must write and read the same text.
func TestTime(t *testing.T) {
	type body struct {
		At     Time `json:"at"`
		Absent Time `json:"absent,omitzero"`
	}
	in := body{At: Time{time.Date(2026, 11, 27, 9, 10, 0, 7e6, time.FixedZone("CET", 3600))}}
	const want = `{"at":"2026-11-27T08:10:00.007Z"}`
	for name, marshal := range map[string]func() ([]byte, error){
		"server": func() ([]byte, error) { return json.Marshal(in) },
		"client": func() ([]byte, error) { return stdjson.Marshal(in) },
	} {
		if got, err := marshal(); err != nil || string(got) != want {
			t.Errorf("%s: %s %v, want %s", name, got, err, want)
		}
	}
	var out body
	if err := stdjson.Unmarshal([]byte(want), &out); err != nil || !out.At.Equal(in.At.Time) || !out.Absent.IsZero() {
		t.Errorf("%+v %v", out, err)
	}
}
