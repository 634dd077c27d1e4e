package api_test

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/go-json-experiment/json"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/location"
)

const benchBody = `{"id": "ord-1001", "channel": "web", "customer": "c-9", "order": "5512",
 "ship_to": {"country": "DE", "region": "BE", "postal_code": "10115"}, "ttl_seconds": 600,
 "lines": [{"line": "1", "sku": "TEE-M", "quantity": 2}, {"line": "2", "sku": "CAP", "quantity": 1}]}`

// benchStore returns a held reservation at once.
type benchStore struct{ fakeStore }

func (*benchStore) Reserve(context.Context, cache.ReserveRequest) (cache.Result, error) {
	return cache.Result{Reservation: held}, nil
}

type nobody struct{}

func (nobody) Request(string, string, int, time.Duration) {}

// BenchmarkReserve compares one reserve through this API, through huma's own handling of an
// operation, and by hand. There is no network, and the store returns at once. huma's handling costs
// as much as ours. We use huma only for the description because of the contract, not for speed:
// huma turns the errors of the decoder into text, and its validation can't tell 400 from 422. That
// validation costs as much as everything else together.
func BenchmarkReserve(b *testing.B) {
	b.Run("api", func(b *testing.B) {
		benchmark(b, api.New(&benchStore{}, api.Options{Observer: nobody{}}))
	})
	b.Run("huma", func(b *testing.B) { benchmark(b, humaReserve(false)) })
	b.Run("huma validating", func(b *testing.B) { benchmark(b, humaReserve(true)) })
	b.Run("by hand", func(b *testing.B) { benchmark(b, byHand(false)) })
	b.Run("by hand encoding/json", func(b *testing.B) { benchmark(b, byHand(true)) })
}

// discard is a ResponseWriter that keeps only its header.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

func benchmark(b *testing.B, handler http.Handler) {
	check := httptest.NewRecorder()
	handler.ServeHTTP(check, reserveRequest(bytes.NewReader([]byte(benchBody))))
	if check.Code != http.StatusCreated {
		b.Fatalf("status %d: %s", check.Code, check.Body)
	}
	body := bytes.NewReader([]byte(benchBody))
	request := reserveRequest(body)
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset([]byte(benchBody))
		clear(w.header)
		handler.ServeHTTP(w, request)
	}
}

func reserveRequest(body io.Reader) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/v1/reservations", body)
	r.Header.Set("Content-Type", "application/json")
	return r
}

type humaIn struct{ Body humaBody }

// humaBody is contract.ReserveRequest with plain numbers, as huma's validation needs them.
type humaBody struct {
	ID         string            `json:"id" minLength:"1" maxLength:"128"`
	Channel    string            `json:"channel,omitempty" maxLength:"128"`
	Customer   string            `json:"customer,omitempty" maxLength:"128"`
	Order      string            `json:"order,omitempty" maxLength:"128"`
	ShipTo     *contract.Address `json:"ship_to,omitempty"`
	TTLSeconds *int64            `json:"ttl_seconds,omitempty" minimum:"1"`
	Lines      []humaLine        `json:"lines" minItems:"1" maxItems:"500"`
	Metadata   map[string]string `json:"metadata,omitempty" maxProperties:"16"`
}

type humaLine struct {
	Line     string `json:"line" minLength:"1" maxLength:"128"`
	SKU      string `json:"sku" minLength:"1" maxLength:"128"`
	Quantity int64  `json:"quantity" minimum:"1" maximum:"2147483647"`
}

type humaOut struct {
	Status   int
	Location string `header:"Location"`
	Body     contract.Reservation
}

func (in *humaBody) request() cache.ReserveRequest {
	lines := make([]cache.LineRequest, len(in.Lines))
	for i, l := range in.Lines {
		lines[i] = cache.LineRequest{Line: l.Line, SKU: location.SKU(l.SKU), Quantity: l.Quantity}
	}
	return cache.ReserveRequest{ID: in.ID, TTL: time.Duration(*in.TTLSeconds) * time.Second, Lines: lines}
}

func answer(r *cache.Reservation) contract.Reservation {
	out := contract.Reservation{
		ID: r.ID, State: string(r.State), Version: r.Version, Customer: r.Customer, Order: r.Order,
		ExpiresAt: contract.Time{Time: r.ExpiresAt}, CreatedAt: contract.Time{Time: r.CreatedAt},
		Channel: string(r.Channel), Lines: make([]contract.Line, len(r.Lines)),
	}
	for i, l := range r.Lines {
		out.Lines[i] = contract.Line{Line: l.Line, SKU: string(l.SKU), Quantity: l.Quantity, Requested: l.Requested}
		for _, f := range l.From {
			out.Lines[i].From = append(out.Lines[i].From, contract.Allocation{Location: string(f.Location), Quantity: f.Quantity})
		}
	}
	return out
}

// humaReserve serves reserve as a huma operation, with the same JSON library and without huma's
// schema links.
func humaReserve(validating bool) http.Handler {
	format := huma.Format{
		Marshal:   func(w io.Writer, v any) error { return json.MarshalWrite(w, v) },
		Unmarshal: func(data []byte, v any) error { return json.Unmarshal(data, v, json.RejectUnknownMembers(true)) },
	}
	config := huma.DefaultConfig("bench", "1")
	config.CreateHooks = nil
	config.Formats = map[string]huma.Format{"application/json": format, "json": format}
	mux := http.NewServeMux()
	store := &benchStore{}
	huma.Register(humago.New(mux, config), huma.Operation{
		OperationID: "reserve", Method: http.MethodPost, Path: "/v1/reservations", DefaultStatus: http.StatusCreated,
		SkipValidateBody: !validating, SkipValidateParams: true, BodyReadTimeout: -1,
	}, func(ctx context.Context, in *humaIn) (*humaOut, error) {
		result, err := store.Reserve(ctx, in.Body.request())
		if err != nil {
			return nil, err
		}
		return &humaOut{Status: http.StatusCreated, Location: "/v1/reservations/" + result.ID, Body: answer(&result.Reservation)}, nil
	})
	return mux
}

// byHand is a minimal handler: no limit on the body, no checks, no problems.
func byHand(standard bool) http.Handler {
	mux := http.NewServeMux()
	store := &benchStore{}
	mux.HandleFunc("POST /v1/reservations", func(w http.ResponseWriter, r *http.Request) {
		var in humaBody
		var err error
		if standard {
			decoder := stdjson.NewDecoder(r.Body)
			decoder.DisallowUnknownFields()
			err = decoder.Decode(&in)
		} else {
			err = json.UnmarshalRead(r.Body, &in, json.RejectUnknownMembers(true))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		result, err := store.Reserve(r.Context(), in.request())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "/v1/reservations/"+result.ID)
		w.WriteHeader(http.StatusCreated)
		if out := answer(&result.Reservation); standard {
			_ = stdjson.NewEncoder(w).Encode(&out)
		} else {
			_ = json.MarshalWrite(w, &out)
		}
	})
	return mux
}
