package acceptance

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// scenario is one row of a table: the calls that make its state, the call under test, and the calls that read
// the result. A $ in a text stands for the row's own prefix, so that rows do not disturb each other: ids and
// SKUs are written $a. Locations are shared.
type scenario struct {
	name  string
	given []step
	when  step
	then  []step
}

// step is one call and its expected answer.
type step struct {
	method, path, body string
	header             map[string]string // sent; "" sends none

	status int
	answer string             // the whole body as JSON, see match; "" is not checked
	wanted map[string]string  // header of the answer; "" means absent
	check  func([]byte) error // of the body; nil: nothing more
}

func get(path string) step        { return step{method: "GET", path: path, status: 200} }
func post(path, body string) step { return step{method: "POST", path: path, body: body, status: 200} }
func put(path, body string) step  { return step{method: "PUT", path: path, body: body, status: 200} }

// is sets the expected answer.
func (s step) is(status int, answer string) step {
	s.status, s.answer = status, answer
	return s
}

// refused expects a problem with this code. more has the members that not every problem has.
func (s step) refused(status int, code, more string) step {
	if more != "" {
		more = "," + more
	}
	s.answer = fmt.Sprintf(`{"type": "/docs/problems#%s", "title": "<text>", "status": %d, "detail": "<text>", "code": "%[1]s"%[3]s}`,
		code, status, more)
	s.status = status
	if status == http.StatusServiceUnavailable {
		return s.with("Retry-After", "<seconds>")
	}
	return s
}

// with sets the expected value of a header of the answer.
func (s step) with(name, value string) step {
	s.wanted = maps.Clone(s.wanted)
	if s.wanted == nil {
		s.wanted = map[string]string{}
	}
	s.wanted[name] = value
	return s
}

// replayed expects the header of an answer to a repeated call.
func (s step) replayed() step { return s.with("Idempotent-Replay", "true").with("Location", "") }

// sending sets a header of the request.
func (s step) sending(name, value string) step {
	s.header = maps.Clone(s.header)
	if s.header == nil {
		s.header = map[string]string{}
	}
	s.header[name] = value
	return s
}

// level counts a level, and so creates it.
func level(sku, at string, units int) step {
	return put("/v1/stock/"+sku+"/"+at, fmt.Sprintf(`{"id": "%s count %s", "on_hand": %d}`, sku, at, units)).is(201, "")
}

// hold reserves units of one SKU, as line 1.
func hold(id, sku string, units int) step {
	return reserve(fmt.Sprintf(`{"id": "%s", "lines": [{"line": "1", "sku": "%s", "quantity": %d}]}`, id, sku, units))
}

func reserve(body string) step { return post("/v1/reservations", body).is(201, "") }

func read(id string) step { return get("/v1/reservations/" + id) }

func transition(verb, id, body string) step {
	return post("/v1/reservations/"+id+"/"+verb, body)
}

// reservation returns the answer about a reservation without channel, customer and order. more has the fields
// after the lines.
func reservation(id, state string, version int, lines, more string) string {
	if more != "" {
		more = "," + more
	}
	return fmt.Sprintf(`{"id": "%s", "state": "%s", "version": %d, %s"created_at": "<time>", "lines": [%s]%s}`,
		id, state, version, expires(state), lines, more)
}

// expires returns the deadline in an answer, which only a held or expired reservation has.
func expires(state string) string {
	if state == "held" || state == "expired" {
		return `"expires_at": "<time>", `
	}
	return ""
}

// line returns a line that one location serves and of which some units have left.
func line(name, sku string, quantity, requested, fulfilled int, at string) string {
	return fmt.Sprintf(`{"line": "%s", "sku": "%s", "quantity": %d, "requested": %d, "fulfilled": %d, "returned": 0, "from": [{"location": "%s", "quantity": %[3]d}]}`,
		name, sku, quantity, requested, fulfilled, at)
}

// units returns a level of an answer, without its braces. The numbers are on hand, held, committed, safety
// stock, backorder limit and available.
func units(sku, at string, n [6]int) string {
	text := fmt.Sprintf(`"sku": "%s", "location": "%s", "on_hand": %d, "held": %d, "committed": %d, "safety_stock": %d, "backorder_limit": %d, "available": %d`,
		sku, at, n[0], n[1], n[2], n[3], n[4], n[5])
	if n[5] < 0 {
		text += fmt.Sprintf(`, "backordered": %d`, -n[5])
	}
	return text
}

// stocked reads the only level of a SKU.
func stocked(sku, at string, n [6]int) step {
	return get("/v1/stock/"+sku).is(200, `{"sku": "`+sku+`", "levels": [{`+units(sku, at, n)+`}]}`)
}

// check runs a table.
func (p *program) check(t *testing.T, table []scenario) {
	t.Helper()
	for i, row := range table {
		t.Run(row.name, func(t *testing.T) {
			own := func(text string) string { return strings.ReplaceAll(text, "$", "r"+strconv.Itoa(i)+"-") }
			for _, s := range row.given {
				p.do(t, "given", s.owned(own))
			}
			p.do(t, "when", row.when.owned(own))
			for _, s := range row.then {
				p.do(t, "then", s.owned(own))
			}
		})
	}
}

// owned returns the step with its texts rewritten.
func (s step) owned(rewrite func(string) string) step {
	s.path, s.body, s.answer = rewrite(s.path), rewrite(s.body), rewrite(s.answer)
	s.wanted = maps.Clone(s.wanted)
	for name, value := range s.wanted {
		s.wanted[name] = rewrite(value)
	}
	return s
}

// answered is the answer to a step.
type answered struct {
	status int
	header http.Header
	body   []byte
}

// do makes one call and checks its answer.
func (p *program) do(t *testing.T, phase string, s step) answered {
	t.Helper()
	got := p.send(t, s)
	err := p.judge(t, s, got)
	// The counts of a level follow the ledger after a moment. On a busy machine the ledger can be late to
	// answer. Then a caller repeats the call, as the API documents.
	follows := s.method == "GET" && strings.HasPrefix(s.path, "/v1/stock")
	late := func() bool { return phase == "given" && s.status != 503 && got.status == 503 }
	for began := time.Now(); err != nil && (follows || late()) && time.Since(began) < busy; {
		<-time.After(10 * time.Millisecond)
		got = p.send(t, s)
		err = p.judge(t, s, got)
	}
	if err != nil {
		t.Errorf("%s %s %s %s\n%v\nanswered %d %s", phase, s.method, s.path, brief([]byte(s.body)), err, got.status, brief(got.body))
	}
	return got
}

// judge checks an answer against the step, and against the program's own OpenAPI document.
func (p *program) judge(t *testing.T, s step, got answered) error {
	t.Helper()
	if got.status != s.status {
		return fmt.Errorf("status %d, want %d", got.status, s.status)
	}
	for name, want := range s.wanted {
		value := got.header.Get(name)
		if _, err := strconv.Atoi(value); want == "<seconds>" && err == nil {
			continue
		}
		if value != want {
			return fmt.Errorf("%s is %q, want %q", name, value, want)
		}
	}
	if s.answer != "" {
		want := strings.ReplaceAll(s.answer, `"<durable>"`, strconv.FormatBool(p.durable))
		if err := match(got.body, want); err != nil {
			return fmt.Errorf("%w\nwant %s", err, s.answer)
		}
	}
	if s.check != nil {
		if err := s.check(got.body); err != nil {
			return err
		}
	}
	if err := p.document(t).permits(s, got); err != nil {
		return fmt.Errorf("OpenAPI: %w", err)
	}
	return nil
}

func (p *program) send(t *testing.T, s step) answered {
	t.Helper()
	var body io.Reader
	if s.body != "" {
		body = strings.NewReader(s.body)
	}
	r, err := http.NewRequestWithContext(t.Context(), s.method, p.url+s.path, body)
	if err != nil {
		t.Fatal(err)
	}
	if s.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range s.header {
		r.Header.Set(name, value)
		if value == "" {
			r.Header.Del(name)
		}
	}
	response, err := p.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{response.StatusCode, response.Header, text}
}

// brief shortens a text for printing.
func brief(text []byte) string {
	const most = 2000
	if len(text) > most {
		return fmt.Sprintf("%s… (%d bytes)", text[:most], len(text))
	}
	return strings.TrimSpace(string(text))
}
