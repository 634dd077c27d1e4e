package acceptance

import (
	"fmt"
	"strings"
	"testing"
)

// bodied lists every call that takes a body, with a valid one.
var bodied = []step{
	post("/v1/reservations", `{"id": "o", "lines": [{"line": "1", "sku": "A", "quantity": 1}]}`),
	post("/v1/reservations/o/confirm", `{"version": 1}`),
	post("/v1/reservations/o/release", `{"version": 1}`),
	post("/v1/reservations/o/extend", `{"version": 1}`),
	post("/v1/reservations/o/fulfill", `{"version": 1}`),
	put("/v1/stock/A/berlin", `{"id": "p", "on_hand": 1}`),
	post("/v1/stock/adjustments", `{"id": "d", "sku": "A", "location": "berlin", "delta": 1}`),
	post("/v1/stock/counts", `{"id": "c", "counts": [{"sku": "A", "location": "berlin", "on_hand": 1}]}`),
}

func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.do(t, "given", level("A", "berlin", 5))
	p.do(t, "given", hold("o", "A", 1))
	for name, body := range map[string]func(good string) string{
		"text":             func(string) string { return "hello" },
		"a form":           func(string) string { return "id=1&on_hand=2" },
		"a list":           func(good string) string { return "[" + good + "]" },
		"a text":           func(string) string { return `"{}"` },
		"a number":         func(string) string { return `1` },
		"cut off":          func(good string) string { return good[:len(good)-1] },
		"trailing garbage": func(good string) string { return good + "x" },
		"trailing comma":   func(good string) string { return good[:len(good)-1] + ",}" },
		"two documents":    func(good string) string { return good + "{}" },
		"single quotes":    func(good string) string { return strings.ReplaceAll(good, `"`, "'") },
		"a comment":        func(good string) string { return "/* */" + good },
		"a mark":           func(good string) string { return "\ufeff" + good },
		"not UTF-8":        func(good string) string { return good[:len(good)-1] + `, "reason": "` + "\xff" + `"}` },
		"half a surrogate": func(good string) string { return good[:len(good)-1] + `, "reason": "\ud800"}` },
		"an unknown field": func(good string) string { return good[:len(good)-1] + `, "Id": "x"}` },
		"a field twice":    func(good string) string { return good[:2] + `id": "x", "` + good[2:] + "," },
		"too deep":         func(string) string { return strings.Repeat("[", 100_000) },
		"NaN":              func(good string) string { return good[:len(good)-1] + `, "version": NaN}` },
		"01":               func(good string) string { return good[:len(good)-1] + `, "version": 01}` },
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range bodied {
				s.body = body(s.body)
				got := p.do(t, "when", s.is(400, ""))
				if d := decoded(t, got.body); d["code"] != "malformed" {
					t.Errorf("%s: %s", s.path, got.body)
				}
			}
		})
	}
	p.check(t, []scenario{
		{name: "an unknown field, by name", when: reserve(`{"id": "x", "lines": [{"line": "1", "sku": "A", "quantity": 1, "qty": 2}]}`).
			refused(400, "malformed", `"errors": [{"path": "/lines/0/qty", "message": "<text>"}]`)},
		{name: "a wrong type, by name", when: reserve(`{"id": 7}`).refused(400, "malformed", `"errors": [{"path": "/id", "message": "<text>"}]`)},
		{name: "lines of a confirm", when: transition("confirm", "o", `{"lines": []}`).refused(400, "malformed", `"errors": [{"path": "/lines", "message": "<text>"}]`)},
	})
	p.do(t, "then", stocked("A", "berlin", [6]int{5, 1, 0, 0, 0, 4}))
}

// An absent body means the same as {}.
func TestEmptyBodies(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.do(t, "given", level("A", "berlin", 100))
	for i, s := range bodied {
		var first string
		for j, body := range []string{"", "{}", " ", "{ }\n", "null"} {
			id := fmt.Sprintf("o%d%d", i, j)
			p.do(t, "given", hold(id, "A", 1))
			if strings.HasSuffix(s.path, "/fulfill") {
				p.do(t, "given", transition("confirm", id, ""))
			}
			got := p.send(t, step{method: s.method, path: strings.Replace(s.path, "/o/", "/"+id+"/", 1), body: body})
			d := decoded(t, got.body)
			for _, own := range []string{"id", "created_at", "expires_at"} {
				delete(d, own)
			}
			answer := fmt.Sprint(got.status, d)
			if first == "" {
				first = answer
			}
			if answer != first {
				t.Errorf("%s %q: %s\nwithout a body: %s", s.path, body, answer, first)
			}
		}
	}
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	p := start(t)
	for i, c := range []struct {
		media  string
		status int
	}{
		{"application/json", 201},
		{"application/json; charset=utf-8", 201},
		{"Application/JSON;charset=UTF-8", 201},
		{"application/json; charset=latin1", 415},
		{"application/x-www-form-urlencoded", 415},
		{"text/plain", 415},
		{"", 415},
	} {
		s := put("/v1/stock/A"+string(rune('0'+i))+"/berlin", `{"id": "p`+string(rune('0'+i))+`", "on_hand": 1}`).is(c.status, "")
		p.do(t, "when", s.sending("Content-Type", c.media))
	}
}
