package acceptance

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// quoted returns text as a JSON string.
func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// segment escapes an identifier for one segment of a path.
func segment(id string) string {
	if strings.Trim(id, ".") == "" {
		return strings.ReplaceAll(id, ".", "%2E")
	}
	return url.PathEscape(id)
}

var goodIdentifiers = []string{
	"a", "0", "-", " ", "...", ".a", "a..b", "a/b", "//", "a b+c", "100%", "%2F", "a?b#c&d=e", `"`, `\`, "a;b", "'", "<>&", "~", "\u00a0", "\u2028",
	"é", "e\u0301", "日本", "👕",
	"adjustments", "counts", "confirm", "epoch", "locations", "__proto__",
	strings.Repeat("x", 128), strings.Repeat("é", 64), strings.Repeat("日", 42) + "ab", strings.Repeat("👕", 32),
}

var badIdentifiers = []string{
	".", "..", "{", "}", "a{b", "a}", "\x00", "a\n", "\t", "\r", "\x1f", "\x1e", "\x7f", "\u0085", "\u009f",
	strings.Repeat("x", 129), strings.Repeat("é", 64) + "x", strings.Repeat("é", 65), strings.Repeat("👕", 33),
}

// Every valid identifier is taken everywhere, also in paths, and comes back as it was sent.
func TestIdentifiers(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		for i, id := range goodIdentifiers {
			q, s := quoted(id), segment(id)
			lines := `{"line": ` + q + `, "sku": ` + q + `, "quantity": 1, "requested": 1, "fulfilled": 0, "returned": 0, "from": [{"location": ` + q + `, "quantity": 1}]}`
			held := func(state string, version int, more string) string {
				return fmt.Sprintf(`{"id": %s, "state": "%s", "version": %d, %s"created_at": "<time>",
					"channel": %[1]s, "customer": %[1]s, "order": %[1]s, "lines": [%[5]s]%[6]s}`, q, state, version, expires(state), lines, more)
			}
			two := fmt.Sprintf(`"sku": %s, "location": %[1]s, "on_hand": 2, "held": 0, "committed": 0, "safety_stock": 0, "backorder_limit": 0, "available": 2`, q)
			for _, s := range []step{
				put("/v1/stock/"+s+"/"+s, `{"id": `+q+`, "on_hand": 2, "reason": `+q+`, "actor": `+q+`}`).is(201, `{`+two+`, `+durable+`}`),
				post("/v1/stock/adjustments", `{"id": `+quoted(fmt.Sprint("delta ", i))+`, "sku": `+q+`, "location": `+q+`, "delta": 1}`),
				post("/v1/stock/counts", `{"id": `+quoted(fmt.Sprint("count ", i))+`, "counts": [{"sku": `+q+`, "location": `+q+`, "on_hand": 2}]}`),
				get("/v1/stock/"+s).is(200, `{"sku": `+q+`, "levels": [{`+two+`}]}`),
				get("/v1/stock?location="+url.QueryEscape(id)+"&limit=1").is(200, `{"levels": [{`+two+`}], "position": "<text>"}`),
				reserve(`{"id": `+q+`, "channel": `+q+`, "customer": `+q+`, "order": `+q+`, "metadata": {`+q+`: `+q+`},
					"lines": [{"line": `+q+`, "sku": `+q+`, "quantity": 1, "location": `+q+`}]}`).
					is(201, held("held", 1, "")).with("Location", "/v1/reservations/"+strings.ReplaceAll(s, "%2E", ".")),
				transition("extend", s, ""),
				transition("confirm", s, "").is(200, held("confirmed", 3, ","+durable)),
				read(s).is(200, held("confirmed", 3, `, "metadata": {`+q+`: `+q+`}`)),
				transition("release", s, `{"version": 3, "lines": [{"line": `+q+`, "quantity": 1}]}`),
			} {
				p.do(t, "when", s)
			}
		}
	})
}

func TestBadIdentifiers(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.do(t, "given", level("A", "berlin", 5))
	for _, id := range badIdentifiers {
		q, s := quoted(id), segment(id)
		line := func(name, sku, pin string) string {
			return `"lines": [{"line": ` + name + `, "sku": ` + sku + `, "quantity": 1, "location": ` + pin + `}]`
		}
		for _, s := range []step{
			invalid(reserve(`{"id": `+q+`, `+line(`"1"`, `"A"`, "null")+`}`), "/id"),
			invalid(reserve(`{"id": "o", "channel": `+q+`, `+line(`"1"`, `"A"`, "null")+`}`), "/channel"),
			invalid(reserve(`{"id": "o", "customer": `+q+`, `+line(`"1"`, `"A"`, "null")+`}`), "/customer"),
			invalid(reserve(`{"id": "o", "order": `+q+`, `+line(`"1"`, `"A"`, "null")+`}`), "/order"),
			invalid(reserve(`{"id": "o", "pickup": `+q+`, `+line(`"1"`, `"A"`, "null")+`}`), "/pickup"),
			invalid(reserve(`{"id": "o", "metadata": {`+q+`: "x"}, `+line(`"1"`, `"A"`, "null")+`}`), "<text>"),
			invalid(reserve(`{"id": "o", `+line(q, `"A"`, "null")+`}`), "/lines/0/line"),
			invalid(reserve(`{"id": "o", `+line(`"1"`, q, "null")+`}`), "/lines/0/sku"),
			invalid(reserve(`{"id": "o", `+line(`"1"`, `"A"`, q)+`}`), "/lines/0/location"),
			invalid(put("/v1/stock/"+s+"/berlin", `{"id": "o", "on_hand": 1}`), "/sku"),
			invalid(put("/v1/stock/A/"+s, `{"id": "o", "on_hand": 1}`), "/location"),
			invalid(put("/v1/stock/A/berlin", `{"id": `+q+`, "on_hand": 1}`), "/id"),
			invalid(post("/v1/stock/adjustments", `{"id": `+q+`, "sku": "A", "location": "berlin", "delta": 1}`), "/id"),
			invalid(post("/v1/stock/adjustments", `{"id": "o", "sku": `+q+`, "location": "berlin", "delta": 1}`), "/sku"),
			invalid(post("/v1/stock/adjustments", `{"id": "o", "sku": "A", "location": `+q+`, "delta": 1}`), "/location"),
			invalid(counts("o", `{"sku": `+q+`, "location": "berlin", "on_hand": 1}`), "/counts/0/sku"),
			invalid(counts("o", `{"sku": "A", "location": `+q+`, "on_hand": 1}`), "/counts/0/location"),
			invalid(read(s), "/id"),
			invalid(transition("confirm", s, ""), "/id"),
			invalid(transition("release", s, ""), "/id"),
			invalid(transition("fulfill", s, ""), "/id"),
			invalid(transition("extend", s, ""), "/id"),
			invalid(transition("release", "o", `{"version": 1, "lines": [{"line": `+q+`, "quantity": 1}]}`), "/lines/0/line"),
			invalid(get("/v1/stock/"+s), "/sku"),
		} {
			p.do(t, "when", s)
		}
	}
	p.do(t, "when", invalid(read("%FF"), "/id"))
	p.do(t, "then", stocked("A", "berlin", [6]int{5, 0, 0, 0, 0, 5}))
}

// If a field takes a whole number, another value is malformed. A whole number out of range is refused with
// the path of its field, however many digits it has, and however it is written.
func TestNumbers(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.do(t, "given", level("A", "berlin", 2147483647))
	p.do(t, "given", hold("held", "A", 1))
	understood := []string{"0", "-0", "-1", "2147483648", "4294967297", "9007199254740993", "12345678901234567", "99999999999999999999", "-99999999999999999999",
		"9007199254740993.0", "1e400", "-1E400", "2147483648.00", "0e400", "-0.0"}
	malformed := []string{"1.5", "2.50", "1e-1", "2147483647.0000000000000001", "9007199254740993.5", "1e-400", `"1"`, `"1.0"`, `""`, "true", "[]", "{}", "[1]"}
	places := []struct{ method, path, body, at string }{
		{"POST", "/v1/reservations", `{"id": "o", "lines": [{"line": "1", "sku": "A", "quantity": %s}]}`, "/lines/0/quantity"},
		{"POST", "/v1/reservations", `{"id": "o", "ttl_seconds": %s, "lines": [{"line": "1", "sku": "A", "quantity": 1}]}`, "/ttl_seconds"},
		{"POST", "/v1/reservations/held/extend", `{"ttl_seconds": %s}`, "/ttl_seconds"},
		{"POST", "/v1/reservations/held/confirm", `{"version": %s}`, "/version"},
		{"POST", "/v1/reservations/held/release", `{"version": %s}`, "/version"},
		{"POST", "/v1/reservations/held/release", `{"version": 1, "lines": [{"line": "1", "quantity": %s}]}`, "/lines/0/quantity"},
		{"POST", "/v1/reservations/held/fulfill", `{"version": 1, "lines": [{"line": "1", "quantity": %s}]}`, "/lines/0/quantity"},
		{"PUT", "/v1/stock/A/berlin", `{"id": "o", "safety_stock": %s}`, "/safety_stock"},
		{"PUT", "/v1/stock/A/berlin", `{"id": "o", "backorder_limit": %s}`, "/backorder_limit"},
		{"PUT", "/v1/stock/A/berlin", `{"id": "o", "on_hand": %s}`, "/on_hand"},
		{"POST", "/v1/stock/counts", `{"id": "o", "counts": [{"sku": "A", "location": "berlin", "on_hand": %s}]}`, "/counts/0/on_hand"},
	}
	for _, place := range places {
		s := step{method: place.method, path: place.path}
		for _, number := range malformed {
			s.body = fmt.Sprintf(place.body, number)
			p.do(t, "when", s.refused(400, "malformed", `"errors": [{"path": "`+place.at+`", "message": "<text>"}]`))
		}
		counted := place.method == "PUT" || strings.HasSuffix(place.path, "/counts")
		for _, number := range understood {
			if counted && strings.Trim(number, "-.e04") == "" {
				continue // a count may be 0
			}
			s.body = fmt.Sprintf(place.body, number)
			p.do(t, "when", invalid(s, place.at))
		}
	}
	for _, number := range malformed {
		p.do(t, "when", post("/v1/stock/adjustments", `{"id": "o", "sku": "A", "location": "berlin", "delta": `+number+`}`).
			refused(400, "malformed", `"errors": [{"path": "/delta", "message": "<text>"}]`))
	}
	for _, number := range []string{"0", "2147483648", "-2147483648", "12345678901234567", "-99999999999999999999"} {
		p.do(t, "when", invalid(post("/v1/stock/adjustments", `{"id": "o", "sku": "A", "location": "berlin", "delta": `+number+`}`), "/delta"))
	}
	p.do(t, "then", stocked("A", "berlin", [6]int{2147483647, 1, 0, 0, 0, 2147483646}))
	p.do(t, "then", hold("most", "A", 2147483646))
	for _, number := range []string{"2147483646", "2147483646.0", "2.147483646e9", "21474836460000E-4"} {
		s := reserve(`{"id": "most", "lines": [{"line": "1", "sku": "A", "quantity": ` + number + `}]}`)
		s.status = 200
		p.do(t, "written as "+number, s.replayed())
	}
}

func TestSizes(t *testing.T) {
	order := func(id string, lines int) string {
		list := make([]string, lines)
		for i := range list {
			list[i] = fmt.Sprintf(`{"line": "%d", "sku": "A", "quantity": 1}`, i)
		}
		return `{"id": "` + id + `", "lines": [` + strings.Join(list, ",") + `]}`
	}
	tagged := func(id string, keys, bytes int, value string) string {
		list := make([]string, keys)
		for i := range list {
			list[i] = fmt.Sprintf(`"k%d": "%s"`, i, strings.Repeat(value, bytes/len(value)))
		}
		return `{"id": "` + id + `", "metadata": {` + strings.Join(list, ",") + `}, "lines": [{"line": "1", "sku": "A", "quantity": 1}]}`
	}
	because := func(bytes int) step {
		return put("/v1/stock/A/berlin", `{"id": "b`+fmt.Sprint(bytes)+`", "safety_stock": 0, "reason": "`+strings.Repeat("é", bytes/2)+`"}`)
	}
	some := func(n int) step {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(`{"line": "%d", "quantity": 1}`, i)
		}
		return transition("release", "o500", `{"version": 1, "lines": [`+strings.Join(list, ",")+`]}`)
	}
	eachEngine(t, func(t *testing.T, p *program) {
		p.do(t, "given", level("A", "berlin", 600))
		for _, s := range []step{
			reserve(order("o500", 500)),
			invalid(reserve(order("o501", 501)), "/lines"),
			invalid(reserve(order("o0", 0)), "/lines"),
			invalid(reserve(`{"id": "o0", "lines": null}`), "/lines"),
			invalid(reserve(`{"id": "o0", "lines": [{"line": "1", "sku": "A", "quantity": 1}, {"line": "1", "sku": "A", "quantity": 1}]}`), "/lines/1/line"),
			invalid(some(501), "/lines"),
			some(500).is(200, ""),
			reserve(tagged("m16", 16, 512, "x")),
			reserve(tagged("m16u", 16, 512, "é")),
			invalid(reserve(tagged("m17", 17, 1, "x")), "/metadata"),
			invalid(reserve(tagged("m513", 1, 513, "x")), "/metadata/k0"),
			invalid(reserve(tagged("m514", 1, 514, "é")), "/metadata/k0"),
			because(512),
			invalid(because(514), "/reason"),
			invalid(reserve(`{"id": "s", "split": "some", "lines": [{"line": "1", "sku": "A", "quantity": 1}]}`), "/split"),
			invalid(reserve(`{"id": "s", "ship_to": {"country": "Germany"}, "lines": [{"line": "1", "sku": "A", "quantity": 1}]}`), "/ship_to/country"),
			invalid(reserve(`{"id": "s", "ship_to": {"country": "ZZ"}, "lines": [{"line": "1", "sku": "A", "quantity": 1}]}`), "/ship_to/country"),
			invalid(reserve(`{"id": "s", "ship_to": {"country": "US", "postal_code": "90210...99000"}, "lines": [{"line": "1", "sku": "A", "quantity": 1}]}`), "/ship_to/postal_code"),
			invalid(reserve(`{"id": "s", "ship_to": {"region": "B*"}, "lines": [{"line": "1", "sku": "A", "quantity": 1}]}`), "/ship_to/region"),
			invalid(reserve(`{"id": "s", "ship_to": {"latitude": 91, "longitude": 0}, "lines": [{"line": "1", "sku": "A", "quantity": 1}]}`), "/ship_to/latitude"),
			reserve(`{"id": "s", "ship_to": {}, "lines": [{"line": "1", "sku": "A", "quantity": 1}]}`),
			reserve(`{"lines": [{}]}`).refused(422, "invalid_request", `"errors": [{"path": "/id", "message": "<text>"}, {"path": "/lines/0/line", "message": "<text>"},
				{"path": "/lines/0/sku", "message": "<text>"}, {"path": "/lines/0/quantity", "message": "<text>"}]`),
		} {
			p.do(t, "when", s)
		}
	})
}
