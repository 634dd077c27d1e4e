package acceptance

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// timeLayout is RFC 3339 in UTC with milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// match compares a JSON document with want: it must have the same keys and values, and no others. In want,
// "<time>" stands for a time, "<text>" for a text that is not empty, "<any>" for anything.
func match(got []byte, want string) error {
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		return fmt.Errorf("is not JSON: %w", err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		return fmt.Errorf("the test's own JSON: %w", err)
	}
	return matchValue("", g, w)
}

func matchValue(path string, got, want any) error {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is %v, want an object", path, got)
		}
		return matchObject(path, object, want)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Errorf("%s is %v, want a list of %d", path, got, len(want))
		}
		for i := range want {
			if err := matchValue(fmt.Sprintf("%s/%d", path, i), list[i], want[i]); err != nil {
				return err
			}
		}
		return nil
	case string:
		return matchText(path, got, want)
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s is %v, want %v", path, got, want)
	}
	return nil
}

func matchObject(path string, got, want map[string]any) error {
	for key := range got {
		if _, wanted := want[key]; !wanted {
			return fmt.Errorf("%s/%s is there and should not be", path, key)
		}
	}
	for key, value := range want {
		inner, found := got[key]
		if !found {
			return fmt.Errorf("%s/%s is missing", path, key)
		}
		if err := matchValue(path+"/"+key, inner, value); err != nil {
			return err
		}
	}
	return nil
}

func matchText(path string, got any, want string) error {
	text, ok := got.(string)
	switch want {
	case "<any>":
		return nil
	case "<text>":
		ok = ok && text != ""
	case "<time>":
		at, err := time.Parse(timeLayout, text)
		ok = ok && err == nil && time.Since(at).Abs() < 48*time.Hour
	default:
		ok = ok && text == want
	}
	if !ok {
		return fmt.Errorf("%s is %v, want %s", path, got, want)
	}
	return nil
}

// TestMatch checks that match refuses: if it took everything, all other tests would pass.
func TestMatch(t *testing.T) {
	for _, c := range []struct{ got, want, fault string }{
		{`{"a": 1, "b": [{"c": "x"}]}`, `{"b": [{"c": "x"}], "a": 1}`, ""},
		{`{"a": "2026-11-27T08:10:00.000Z"}`, `{"a": "<text>"}`, ""},
		{`{"a": null}`, `{"a": "<any>"}`, ""},
		{`{"a": 1, "b": 2}`, `{"a": 1}`, "/b is there"},
		{`{"a": 1}`, `{"a": 1, "b": 2}`, "/b is missing"},
		{`{"a": 1}`, `{"a": 2}`, "/a is 1"},
		{`{"a": "1"}`, `{"a": 1}`, "/a is 1"},
		{`{"a": []}`, `{"a": [1]}`, "/a is []"},
		{`{"a": [{"b": 1}]}`, `{"a": [{"b": 2}]}`, "/a/0/b is 1"},
		{`{"a": ""}`, `{"a": "<text>"}`, "/a is "},
		{`{"a": "1970-01-01T00:00:00.000Z"}`, `{"a": "<time>"}`, "/a is 1970"},
		{`{"a": "2026-11-27T08:10:00Z"}`, `{"a": "<time>"}`, "/a is 2026"},
		{`{"a": 1} {}`, `{"a": 1}`, "is not JSON"},
	} {
		err := match([]byte(c.got), c.want)
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s against %s: %v, want %q", c.got, c.want, err, c.fault)
		}
	}
}

// decoded decodes an answer into a generic object.
func decoded(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(body, &out); err != nil {
		t.Fatalf("%v: %s", err, brief(body))
	}
	return out
}

// moment reads a time of an answer.
func moment(t *testing.T, object map[string]any, key string) time.Time {
	t.Helper()
	text, _ := object[key].(string)
	at, err := time.Parse(timeLayout, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
