package doctest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
)

// anyNumbers is the option of a console block whose numbers differ from run to run.
const anyNumbers = "any-numbers"

// varying has the patterns of words that differ from run to run in any output.
var varying = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
	{regexp.MustCompile(`[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT`), "TIME"},
	{regexp.MustCompile(`\baudit-\d{8}-\d{6}-[\w-]+`), "ID"},
	{regexp.MustCompile(`\badjust-[A-Z2-7]{26}\b`), "ID"},
	{regexp.MustCompile(`\b[0-9a-f]{12,64}\b`), "ID"},
	{regexp.MustCompile(`\b\d+-\d+\b`), "POSITION"},
	{regexp.MustCompile(`\b\d+(\.\d+)?(ns|µs|ms|s)\b`), "DURATION"},
}

var (
	numbers = regexp.MustCompile(`\d[\d,.]*\d|\d`)
	spaces  = regexp.MustCompile(`[ \t]+`)
	logged  = regexp.MustCompile(`(?m)^\{"time":.*\n`)
)

func settled(text string) string {
	for _, v := range varying {
		text = v.pattern.ReplaceAllString(text, v.name)
	}
	return strings.TrimRight(spaces.ReplaceAllString(text, " "), " \r")
}

// sameText compares a console block with an output, line by line. A line … of the block stands for any
// lines. Log lines of the output are ignored.
func sameText(shown block, output string) error {
	normal := func(text string) []string {
		if strings.Contains(shown.options, anyNumbers) {
			text = numbers.ReplaceAllString(text, "N")
		}
		lines := strings.Split(strings.Trim(text, "\n"), "\n")
		for i, line := range lines {
			lines[i] = settled(line)
		}
		return lines
	}
	want, got := normal(shown.text), normal(logged.ReplaceAllString(output, ""))
	for len(want) > 0 {
		if want[0] == "…" {
			want = want[1:]
			if len(want) == 0 {
				return nil
			}
			for len(got) > 0 && got[0] != want[0] {
				got = got[1:]
			}
		}
		if len(got) == 0 {
			return fmt.Errorf("the page shows a line that was not printed: %q", want[0])
		}
		if got[0] != want[0] {
			return fmt.Errorf("the page shows %q, it printed %q", want[0], got[0])
		}
		want, got = want[1:], got[1:]
	}
	if len(got) > 0 {
		return fmt.Errorf("the page does not show %q", got[0])
	}
	return nil
}

// coversJSON checks that output is one JSON document with at least the fields of shown.
func coversJSON(shown, output string) error {
	want, err := document(shown)
	if err != nil {
		return fmt.Errorf("the page: %w", err)
	}
	got, err := document(output)
	if err != nil {
		return err
	}
	return covers("", want, got)
}

func document(text string) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON document")
	}
	return value, nil
}

func covers(path string, want, got any) error {
	switch want := want.(type) {
	case map[string]any:
		object, _ := got.(map[string]any)
		for key, value := range want {
			member, there := object[key]
			if !there {
				return fmt.Errorf("%s/%s is not in the output", path, key)
			}
			if err := covers(path+"/"+key, value, member); err != nil {
				return err
			}
		}
		return nil
	case []any:
		list, _ := got.([]any)
		if len(list) != len(want) {
			return fmt.Errorf("%s has %d items in the page, %d in the output", path, len(want), len(list))
		}
		for i := range want {
			if err := covers(fmt.Sprintf("%s/%d", path, i), want[i], list[i]); err != nil {
				return err
			}
		}
		return nil
	case string:
		if text, ok := got.(string); ok && settled(text) == settled(want) {
			return nil
		}
	}
	if want != got {
		return fmt.Errorf("%s is %v in the page, %v in the output", path, want, got)
	}
	return nil
}

func TestSameText(t *testing.T) {
	for _, c := range []struct {
		shown, options, output string
		same                   bool
	}{
		{"a  1\n", "", "a 1\n", true},
		{"a 1\n", "", "a 2\n", false},
		{"a 1\n", anyNumbers, "a 2,345\n", true},
		{"a\n", "", "a\nb\n", false},
		{"a\nb\n", "", "a\n", false},
		{"a\n…\nd\n", "", "a\nb\nc\nd\n", true},
		{"a\n…\nd\n", "", "a\nb\nc\n", false},
		{"a\n…\n", "", "a\nb\n", true},
		{"a\n", "", "{\"time\":1}\na\n", true},
		{"at 2026-01-02T03:04:05Z\n", "", "at 2027-02-03T04:05:06.789Z\n", true},
	} {
		if err := sameText(block{text: c.shown, options: c.options}, c.output); (err == nil) != c.same {
			t.Errorf("%q against %q: %v", c.shown, c.output, err)
		}
	}
}

func TestCoversJSON(t *testing.T) {
	for _, c := range []struct {
		shown, output string
		covered       bool
	}{
		{`{"a": 1}`, `{"a":1,"b":2}`, true},
		{`{"a": 1}`, `{"a":2}`, false},
		{`{"a": 1}`, `{"b":1}`, false},
		{`{"a": [{"b": 1}]}`, `{"a":[{"b":1,"c":2}]}`, true},
		{`{"a": [1]}`, `{"a":[1,2]}`, false},
		{`{"a": "2026-01-02T03:04:05Z"}`, `{"a":"2027-02-03T04:05:06.789Z"}`, true},
		{`{"a": 1}`, `{"a":1}{"a":1}`, false},
		{`{"a": 1}`, `{"a":"1"}`, false},
	} {
		if err := coversJSON(c.shown, c.output); (err == nil) != c.covered {
			t.Errorf("%s against %s: %v", c.shown, c.output, err)
		}
	}
}
