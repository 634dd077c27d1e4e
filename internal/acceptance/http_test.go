package acceptance

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw sends text unchanged over its own connection and reads one answer.
func (p *program) raw(t *testing.T, method, text string) (answered, error) {
	t.Helper()
	connection, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(connection, text); err != nil {
		return answered{}, err
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	if err != nil {
		return answered{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return answered{response.StatusCode, response.Header, body}, err
}

// problem checks that an answer is a problem with that status and code.
func problem(t *testing.T, what string, got answered, status int, code string) {
	t.Helper()
	if got.status != status || got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: %d %s %s, want a problem %d", what, got.status, got.header.Get("Content-Type"), brief(got.body), status)
		return
	}
	want := fmt.Sprintf(`{"type": "/docs/problems#%s", "title": "<text>", "status": %d, "detail": "<text>", "code": "%[1]s"}`, code, status)
	if err := match(got.body, want); err != nil {
		t.Errorf("%s: %v: %s", what, err, brief(got.body))
	}
}

func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.do(t, "given", level("A", "berlin", 5))
	for _, line := range []string{
		"GET /", "GET /v1", "GET /v1/", "GET /v2/stock", "GET /V1/stock", "GET /v1/Stock", "GET /index.html", "GET /favicon.ico",
		"GET /v1/stock/", "GET /v1/stock/A/", "GET /v1/stock/A/berlin/", "GET /v1/stock/A/berlin/x", "PUT /v1/stock/A/berlin/",
		"GET /v1/reservations/", "POST /v1/reservations/", "POST /v1/reservations/a/b", "POST /v1/reservations/a/confirm/",
		"POST /v1/reservations/a/confirm/b", "DELETE /v1/nothing", "BREW /v1/coffee", "OPTIONS /nowhere",
		"GET //", "GET //v1/stock", "GET /v1//stock", "GET /v1/stock//", "POST /v1/reservations//confirm", "PUT /v1/stock//berlin",
		"GET /./v1/stock", "GET /v1/./stock", "GET /v1/../v1/stock", "GET /v1/stock/.", "GET /v1/stock/..", "GET /v1/stock/A/..",
	} {
		method, _, _ := strings.Cut(line, " ")
		got, err := p.raw(t, method, line+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		problem(t, line, got, 404, "not_found")
		if got.header.Get("Location") != "" {
			t.Errorf("%s: sent on to %s", line, got.header.Get("Location"))
		}
	}
}

// net/http refuses broken HTTP before it calls a handler, so the answer is plain text and not a problem.
func TestBrokenHTTP(t *testing.T) {
	t.Parallel()
	p := start(t)
	const end = " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	for text, status := range map[string]int{
		"GET /v1/stock/%zz" + end:        400,
		"GET /v1/reservations/50%" + end: 400,
		"GET /v1/stock HTTP/1.1\r\n\r\n": 400,
		"GET /v1/stock HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("a", 30000) + end: 431,
	} {
		if got, err := p.raw(t, "GET", text); err != nil || got.status != status {
			t.Errorf("%s: %d %v, want %d", brief([]byte(text))[:24], got.status, err, status)
		}
	}
	p.do(t, "then", get("/livez"))
}

func TestMethods(t *testing.T) {
	t.Parallel()
	p := start(t)
	for line, allow := range map[string]string{
		"GET /v1/reservations/a/confirm": "POST",
		"PUT /v1/reservations/a/release": "POST",
		"GET /v1/reservations/a/extend":  "POST",
		"DELETE /v1/reservations/a":      "GET, HEAD, PATCH",
		"POST /v1/reservations/a":        "GET, HEAD, PATCH",
		"PUT /v1/reservations":           "GET, HEAD, POST",
		"PATCH /v1/reservations":         "GET, HEAD, POST",
		"POST /v1/stock":                 "GET, HEAD",
		"DELETE /v1/stock/A":             "GET, HEAD",
		"POST /v1/stock/A/berlin":        "PUT, DELETE",
		"PATCH /v1/stock/a%2Fb/berlin":   "PUT, DELETE",
		"DELETE /v1/stock/adjustments":   "GET, HEAD, POST",
		"PUT /v1/stock/counts":           "GET, HEAD, POST",
		"POST /livez":                    "GET, HEAD",
		"DELETE /readyz":                 "GET, HEAD",
		"PUT /metrics":                   "GET, HEAD",
		"POST /openapi.json":             "GET, HEAD",
		"POST /docs":                     "GET, HEAD",
		"OPTIONS /v1/reservations":       "GET, HEAD, POST",
		"PROPFIND /v1/stock":             "GET, HEAD",
	} {
		method, path, _ := strings.Cut(line, " ")
		got := p.do(t, "when", step{method: method, path: path}.refused(405, "method_not_allowed", "").with("Allow", allow))
		problem(t, line, got, 405, "method_not_allowed")
	}
}

// HEAD is answered like GET, without a body.
func TestHead(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.do(t, "given", level("A", "berlin", 5))
	p.do(t, "given", hold("o", "A", 1))
	for _, path := range []string{
		"/v1/stock", "/v1/stock/A", "/v1/stock/none", "/v1/reservations/o", "/v1/reservations/none", "/v1/stock?limit=0",
		"/livez", "/readyz", "/openapi.json", "/docs", "/nowhere",
	} {
		whole := p.send(t, get(path))
		head := p.do(t, "when", step{method: "HEAD", path: path, status: whole.status})
		if len(head.body) != 0 || head.header.Get("Content-Type") != whole.header.Get("Content-Type") {
			t.Errorf("%s: %d bytes, %v, want none, %v", path, len(head.body), head.header, whole.header)
		}
	}
}

func TestHealth(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		p.do(t, "when", get("/livez").is(200, `{"status": "ok"}`).with("Content-Type", "application/json"))
		p.do(t, "when", get("/readyz").is(200, `{"status": "ok", "degraded": []}`).with("Content-Type", "application/json"))
		p.do(t, "given", level("A", "berlin", 5))
		p.do(t, "given", hold("o", "A", 1))
		got := p.send(t, get("/metrics"))
		if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain; version=0.0.4") ||
			!bytes.Contains(got.body, []byte(`holdfast_calls_total{outcome="ok",verb="reserve"} 1`)) {
			t.Errorf("%d %v\n%s", got.status, got.header, brief(got.body))
		}
	})
}

// Bodies over 1 MiB are refused, whether or not their length is announced. A body of 1 MiB is taken.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	p := start(t)
	p.do(t, "given", level("A", "berlin", 5))
	p.do(t, "given", hold("o", "A", 1))
	for _, s := range bodied {
		padded := func(size int) string { return s.body + strings.Repeat(" ", size-len(s.body)) }
		chunked := func(size int) string {
			body := padded(size)
			return fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
		}
		sized := func(size int) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, padded(size)) }
		head := s.method + " " + s.path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
		for name, text := range map[string]string{"sized": sized(most + 1), "chunked": chunked(most + 1), "twice as long": sized(2 * most)} {
			got, err := p.raw(t, s.method, head+text)
			if err != nil {
				t.Errorf("%s %s: %v", s.path, name, err)
				continue
			}
			problem(t, s.path+" "+name, got, 413, "too_large")
		}
		for name, text := range map[string]string{"sized": sized(most), "chunked": chunked(most)} {
			got, err := p.raw(t, s.method, head+text)
			if err != nil || got.status == 413 || got.status == 400 {
				t.Errorf("%s %s of 1 MiB: %d %s %v", s.path, name, got.status, brief(got.body), err)
			}
		}
	}
	// The call announces its length and sends no body: the answer does not wait for one.
	got, err := p.raw(t, "POST", "POST /v1/reservations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999999999\r\nExpect: 100-continue\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	problem(t, "announced", got, 413, "too_large")
}

// A caller that never ends its header is disconnected, and delays no other caller.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	const readHeaderTimeout = 5 * time.Second
	p := start(t)
	var slow []net.Conn
	for range 50 {
		connection, err := net.Dial("tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = connection.Close() }()
		if _, err := io.WriteString(connection, "GET /livez HTTP/1.1\r\nHost: "); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, connection)
	}
	began := time.Now()
	p.do(t, "when", get("/livez"))
	for _, connection := range slow {
		_ = connection.SetReadDeadline(time.Now().Add(patience))
		if n, err := connection.Read(make([]byte, 1)); n != 0 || err == nil || strings.Contains(err.Error(), "timeout") {
			t.Fatalf("%d bytes, %v, want a closed connection", n, err)
		}
	}
	if took := time.Since(began); took > readHeaderTimeout+busy {
		t.Errorf("they were disconnected after %v", took)
	}
}

// A page of another site cannot make a browser change stock.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.do(t, "given", level("A", "berlin", 5))
	p.do(t, "given", hold("o", "A", 1))
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"} {
		p.do(t, "when", release.owned(func(s string) string { return strings.ReplaceAll(s, "$", "") }).
			sending(name, value).refused(403, "forbidden", ""))
	}
	p.do(t, "then", stocked("A", "berlin", [6]int{5, 1, 0, 0, 0, 4}))
}
