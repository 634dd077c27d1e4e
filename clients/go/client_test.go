package holdfast

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/contract"
)

// serve starts a server with handle, and returns a client of it that records its waits and does not
// wait.
func serve(t *testing.T, handle http.HandlerFunc) (*Client, *[]time.Duration) {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	c, err := New(server.URL+"/", Options{})
	if err != nil {
		t.Fatal(err)
	}
	var waits []time.Duration
	c.wait = func(d time.Duration) <-chan time.Time {
		waits = append(waits, d)
		ready := make(chan time.Time, 1)
		ready <- time.Time{}
		return ready
	}
	return c, &waits
}

func answer(w http.ResponseWriter, status int, mediaType, body string) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func TestNewRefuses(t *testing.T) {
	for _, server := range []string{"", "localhost:8080", "ftp://h", "http://", "http://h?x=1", "http://h/#x", "http://h:x"} {
		if _, err := New(server, Options{}); err == nil {
			t.Errorf("New accepted %q", server)
		}
	}
}

func TestCallEscapesIdentifiers(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Method + " " + r.URL.EscapedPath(); got != "POST /v1/reservations/..%2Fa%2Fb%20c%3F/release" {
			t.Errorf("got %s", got)
		}
		w.Header().Set("Idempotent-Replay", "true")
		answer(w, 200, "application/json; charset=utf-8", `{"id":"../a/b c?","version":2}`)
	})
	got, replay, err := c.Release(context.Background(), "../a/b c?", UnitsRequest{})
	if err != nil || !replay || got.Version != 2 || got.ID != "../a/b c?" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestCallSendsOnlyWhatIsSet(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if got := strings.TrimSpace(string(body)); got != `{"id":"<1>","sku":"a","location":"b","delta":-1}` {
			t.Errorf("got %s", got)
		}
		answer(w, 200, "application/json", `{"sku":"a","on_hand":0,"durable":true}`)
	})
	got, replay, err := c.Adjust(context.Background(), AdjustmentRequest{ID: "<1>", SKU: "a", Location: "b", Delta: -1})
	if err != nil || replay || !got.Durable || got.SKU != "a" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestCallRepeats503(t *testing.T) {
	busy := `{"code":"unavailable","title":"Unavailable","detail":"redis is unavailable"}`
	for name, c := range map[string]struct {
		failures   int
		retryAfter string
		wait       time.Duration
		code       string
	}{
		"until it succeeds":              {2, "3", 3 * time.Second, ""},
		"without Retry-After":            {1, "", waitDefault, ""},
		"malformed":                      {1, "soon", waitDefault, ""},
		"with a date in the past":        {1, "Thu, 01 Jan 2026 00:00:00 GMT", 0, ""},
		"no longer than waitMax":         {1, "99999999", waitMax, ""},
		"at most AttemptsMax times":      {AttemptsMax, "1", time.Second, "unavailable"},
		"no wait after the last attempt": {AttemptsMax + 3, "1", time.Second, "unavailable"},
		"the last attempt may succeed":   {AttemptsMax - 1, "1", time.Second, ""},
	} {
		t.Run(name, func(t *testing.T) {
			calls, bodies := 0, map[string]bool{}
			client, waits := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				bodies[string(body)] = true
				if calls++; calls <= c.failures {
					w.Header().Set("Retry-After", c.retryAfter)
					answer(w, 503, contract.ProblemType, busy)
					return
				}
				answer(w, 200, "application/json", `{"durable":true}`)
			})
			_, _, err := client.Count(context.Background(), CountsRequest{ID: "x"})
			var p *Problem
			if errors.As(err, &p); (p == nil) != (c.code == "") || p != nil && (p.Code != c.code || p.Refused()) {
				t.Errorf("got %v, want %q", err, c.code)
			}
			if want := min(c.failures+1, AttemptsMax); calls != want || len(*waits) != want-1 {
				t.Errorf("%d calls and %d waits, want %d calls", calls, len(*waits), want)
			}
			if (*waits)[0] != c.wait {
				t.Errorf("waited %v, want %v", (*waits)[0], c.wait)
			}
			if len(bodies) != 1 {
				t.Errorf("the attempts differ: %v", bodies)
			}
		})
	}
}

func TestCallStopsWaitingWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 503, contract.ProblemType, `{"code":"rebuilding"}`)
	})
	c.wait = func(time.Duration) <-chan time.Time { cancel(); return nil }
	if _, err := c.Stock(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCallFailures(t *testing.T) {
	for name, c := range map[string]struct {
		status          int
		mediaType, body string
		want            string
		refused         bool
	}{
		"detail": {404, contract.ProblemType, `{"code":"not_found","title":"Not found","detail":"no such reservation"}`,
			"not_found: no such reservation", true},
		"every fault": {422, contract.ProblemType, `{"code":"invalid_request","title":"Invalid request","detail":"long",
			"errors":[{"path":"/id","message":"is missing"},{"path":"","message":"is bad"}]}`,
			"invalid_request: Invalid request\n  /id: is missing\n  is bad", true},
		"every shortage": {409, contract.ProblemType, `{"code":"insufficient_stock","title":"Insufficient stock","shortages":[
			{"line":"1","sku":"TEE","requested":2,"available":1},{"sku":"CAP","requested":3,"available":0}]}`,
			"insufficient_stock: Insufficient stock\n  line 1: TEE: 2 requested, 1 available\n  CAP: 3 requested, 0 available", true},
		"a defect of the server": {500, contract.ProblemType, `{"code":"internal","title":"x","detail":"unexpected error"}`,
			"internal: unexpected error", false},
		"another server":   {404, "text/html", "<p>no</p>", "/v1/stock/x answered 404 with text/html: is this a Holdfast server?", false},
		"a page with 200":  {200, "text/html", "<p>hi</p>", "/v1/stock/x answered 200 with text/html: is this a Holdfast server?", false},
		"broken JSON":      {200, "application/json", "{", "/v1/stock/x answered 200 with broken JSON: is this a Holdfast server?", false},
		"an empty problem": {409, contract.ProblemType, "{}", "/v1/stock/x answered 409 with application/problem+json: is this a Holdfast server?", false},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, c.status, c.mediaType, c.body) })
			_, err := client.Stock(context.Background(), "x")
			if err == nil || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("got %v, want …%s", err, c.want)
			}
			var p *Problem
			if refused := errors.As(err, &p) && p.Refused(); refused != c.refused {
				t.Errorf("refused is %v", refused)
			}
		})
	}
}

func TestLevelsSendsOnlyWhatIsSet(t *testing.T) {
	var query string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		query = r.URL.RawQuery
		answer(w, 200, "application/json", `{"levels":[],"next_cursor":"n"}`)
	})
	for want, filter := range map[string]url.Values{
		"":                                {},
		"cursor=a%2Bb&limit=5&location=l": {"location": {"l"}, "limit": {"5"}, "cursor": {"a+b"}},
		"sku_prefix=T":                    {"sku_prefix": {"T"}},
	} {
		page, err := c.Levels(context.Background(), filter)
		if err != nil || query != want || page.NextCursor != "n" {
			t.Errorf("got %q %+v %v, want %q", query, page, err, want)
		}
	}
}

func TestLargestCountsFitTheBody(t *testing.T) {
	most := Whole(1<<31 - 1)
	counts := CountsRequest{ID: strings.Repeat("i", 128)}
	for range CountsMax {
		name := strings.Repeat(`"`, 128)
		counts.Counts = append(counts.Counts, Count{SKU: name, Location: name, OnHand: &most, SafetyStock: &most, BackorderLimit: &most})
	}
	body, err := encode(counts)
	if err != nil || len(body) > 1<<20 || !json.Valid(body) {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}
