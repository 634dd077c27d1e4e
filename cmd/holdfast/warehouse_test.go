package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/contract"
)

// warehouse is a fake server that implements the part of the API that import and export use.
type warehouse struct {
	url string

	mu     sync.Mutex
	levels map[[2]string]contract.Level
	done   map[string]operation
	ids    []string // of the operations that changed something, in order
	limits []string // asked for by listings
	fail   func(id string) bool
}

type operation struct {
	body string
	at   time.Time
}

// opened is the start of the warehouse's clock. Each operation takes a minute.
var opened = time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC)

func newWarehouse(t *testing.T) *warehouse {
	t.Helper()
	w := &warehouse{levels: map[[2]string]contract.Level{}, done: map[string]operation{}, fail: func(string) bool { return false }}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/stock/counts", w.count)
	mux.HandleFunc("GET /v1/stock", w.list)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func (w *warehouse) count(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var in contract.CountsRequest
	if err := json.Unmarshal(body, &in); err != nil || len(in.Counts) < 1 || len(in.Counts) > contract.CountsMax {
		reply(out, 422, `{"code":"invalid_request","detail":"not a list of counts"}`)
		return
	}
	before, known := w.done[in.ID]
	switch {
	case in.AsOf != nil && *in.AsOf > "2100":
		reply(out, 422, `{"code":"invalid_request","detail":"invalid request: /as_of: is in the future"}`)
		return
	case w.fail(in.ID):
		reply(out, 500, `{"code":"internal","detail":"the fake fails"}`)
		return
	case known && before.body != string(body):
		reply(out, 409, `{"code":"id_conflict","detail":"this id was used before for another request"}`)
		return
	case known:
		out.Header().Set("Idempotent-Replay", "true")
	default:
		w.ids = append(w.ids, in.ID)
		w.done[in.ID] = operation{string(body), opened.Add(time.Duration(len(w.ids)) * time.Minute)}
		for _, c := range in.Counts {
			w.set(c)
		}
	}
	reply(out, 200, `{"durable":false,"applied_at":"`+w.done[in.ID].at.Format(time.RFC3339)+`","levels":[]}`)
}

func (w *warehouse) set(c contract.Count) {
	key := [2]string{c.SKU, c.Location}
	l := w.levels[key]
	l.SKU, l.Location, l.OnHand = c.SKU, c.Location, int64(*c.OnHand)
	if c.SafetyStock != nil {
		l.SafetyStock = int64(*c.SafetyStock)
	}
	if c.BackorderLimit != nil {
		l.BackorderLimit = int64(*c.BackorderLimit)
	}
	w.levels[key] = l
}

func (w *warehouse) list(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limits = append(w.limits, r.FormValue("limit"))
	var all []contract.Level
	for _, l := range w.levels {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b contract.Level) int {
		return strings.Compare(a.SKU+"\x1f"+a.Location, b.SKU+"\x1f"+b.Location)
	})
	from, _ := strconv.Atoi(r.FormValue("cursor"))
	limit, _ := strconv.Atoi(r.FormValue("limit"))
	page := contract.LevelPage{Levels: all[from:min(from+limit, len(all))]}
	if from+limit < len(all) {
		page.NextCursor = strconv.Itoa(from + limit)
	}
	text, _ := json.Marshal(page)
	reply(out, 200, string(text))
}

func reply(out http.ResponseWriter, status int, body string) {
	mediaType := "application/json"
	if status >= 400 {
		mediaType = "application/problem+json"
	}
	out.Header().Set("Content-Type", mediaType)
	out.WriteHeader(status)
	_, _ = io.WriteString(out, body)
}
